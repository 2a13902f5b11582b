import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Scheduler } from '../../src/sip/scheduler.ts';
import { stillHeld } from '../support/collect-garbage.ts';

describe('the scheduler', () => {
  it('wakes everything at its time and in order, also what was brought forward, cancelled or failed', () => {
    vi.useFakeTimers();
    try {
      const clock = { now: () => Date.now(), wall: () => new Date() };
      const errors: unknown[] = [];
      const scheduler = new Scheduler(clock, (error) => errors.push(error));
      const start = Date.now();
      const woken: [string, number][] = [];
      const note = (name: string) => woken.push([name, Date.now() - start]);
      const delays = Array.from({ length: 500 }, (_, i) => (i * 7919) % 997);
      for (const delay of delays) scheduler.after(delay + 1, () => note(String(delay)));
      const cancelled = Array.from({ length: 3000 }, () => scheduler.after(100_000, () => note('cancelled')));
      for (const cancel of cancelled) cancel();
      let at: number | undefined = start + 5000;
      const moved = {
        deadline: () => at,
        wake: () => {
          at = undefined;
          note('moved');
        },
      };
      scheduler.changed(moved);
      at = start + 1500;
      scheduler.changed(moved);
      scheduler.after(1200, () => {
        throw new Error('boom');
      });
      vi.advanceTimersByTime(200_000);
      expect(woken.map(([name]) => name)).toEqual([...delays.sort((a, b) => a - b).map(String), 'moved']);
      expect(woken.at(-1)).toEqual(['moved', 1500]);
      expect(errors).toHaveLength(1);
      expect(scheduler.size).toBe(0);
      scheduler.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets go at once of what has ended or was brought forward, however far off its time is', async () => {
    const scheduler = new Scheduler(systemClock, () => undefined);
    const held = Array.from({ length: 50 }, (_, i) => {
      const call = { wakes: 0 };
      const stop = scheduler.after(900_000, () => call.wakes++);
      if (i % 2 === 0) {
        stop();
        return new WeakRef(call);
      }
      let at: number | undefined = systemClock.now() + 900_000;
      const timed = { deadline: () => at, wake: () => call.wakes++ };
      scheduler.changed(timed);
      at -= 1000;
      scheduler.changed(timed);
      at = undefined;
      scheduler.changed(timed);
      stop();
      return new WeakRef(call);
    });
    expect(await stillHeld(held)).toBe(0);
    expect(scheduler.size).toBe(0);
    scheduler.close();
  });
});
