import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Pacer } from '../../src/media/pacer.ts';

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
});
