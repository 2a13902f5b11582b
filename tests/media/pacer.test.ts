import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Pacer } from '../../src/media/outbound/pacer.ts';

let now: number;
let dues: number[];
let skipped: number;
let idles: number;
let pacer: Pacer;
/** Milliseconds by which the next wake-ups come late. */
let late: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
  now = 1000;
  late = 0;
  dues = [];
  skipped = 0;
  idles = 0;
  pacer = new Pacer(
    { now: () => now + late, wall: () => new Date(0) },
    {
      tick: (due) => dues.push(due),
      idle: () => idles++,
      skipped: (frames) => {
        skipped += frames;
      },
    },
  );
  pacer.start();
});
afterEach(() => {
  pacer.stop();
  vi.useRealTimers();
});

function pass(ms: number): void {
  for (let i = 0; i < ms; i++) {
    now += 1;
    vi.advanceTimersByTime(1);
  }
}

describe('the pacer', () => {
  test('ticks every 20 ms by absolute deadlines', () => {
    pass(1000);
    expect(dues).toEqual(Array.from({ length: 50 }, (_, i) => 1020 + i * 20));
    expect(pacer.worstLateness(now)).toBeLessThanOrEqual(1);
  });

  test('lateness does not add up, and exactly what is owed is made up', () => {
    pass(100);
    late = 70;
    pass(21);
    expect(dues).toHaveLength(9);
    late = 0;
    now += 70;
    pass(200);
    expect(dues).toHaveLength(19);
    expect(new Set(dues).size).toBe(dues.length);
    expect(skipped).toBe(0);
    expect(pacer.worstLateness(now)).toBeGreaterThanOrEqual(69);
  });

  test('after a long standstill a burst of 200 ms at most, the rest is told as skipped', () => {
    pass(100);
    now += 5000;
    pass(21);
    expect(dues.length).toBeLessThanOrEqual(5 + 11);
    expect(dues.length + skipped).toBe(Math.floor((now + 0.6 - 1000) / 20));
    expect(dues.at(-1)! % 20).toBe(0);
  });

  test('is still when stopped, and goes on afresh', () => {
    pass(100);
    pacer.stop();
    pass(500);
    expect(dues).toHaveLength(5);
    pacer.start();
    pass(20);
    expect(dues.at(-1)).toBe(1620);
    expect(idles).toBe(6);
  });

  test('tells those who want to prepare some milliseconds before, once per tick', () => {
    pacer.stop();
    const said: string[] = [];
    pacer = new Pacer(
      { now: () => now, wall: () => new Date(0) },
      {
        before: (due) => said.push(`before ${due - now}`),
        tick: (due) => said.push(`tick ${due - now}`),
        idle: () => undefined,
        skipped: () => undefined,
      },
    );
    pacer.start();
    pass(60);
    expect(said).toEqual(['before 8', 'tick 0', 'before 8', 'tick 0', 'before 8', 'tick 0']);
    now += 50;
    pass(1);
    expect(said.filter((what) => what.startsWith('before'))).toHaveLength(3);
  });

  test('knows how late its ticks were in the last seconds, and forgets', () => {
    pass(100);
    late = 7;
    pass(20);
    late = 0;
    pass(1000);
    expect(pacer.lateness(now)).toMatchObject({ p50Ms: expect.closeTo(0, 0) });
    expect(pacer.lateness(now).maxMs).toBeGreaterThanOrEqual(6);
    expect(pacer.lateness(now).ticks).toBeGreaterThan(50);
    expect(pacer.lateness(now + 60_000)).toEqual({ ticks: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });
});
