import { describe, expect, it, vi } from 'vitest';
import { Scheduler } from '../../src/sip/scheduler.ts';

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
});
