import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Duck } from '../../src/media/outbound/duck.ts';
import { FADE_SAMPLES, fadeIn, fadeOut } from '../../src/media/outbound/fade.ts';
import { PlayoutDesk } from '../../src/media/outbound/playout-desk.ts';
import { tone } from './support.ts';

const FRAME = 160;

describe('falling silent before one is sure', () => {
  test('ends with a yes or a no, and only a no is counted', () => {
    const duck = new Duck();
    expect(duck.begin(7, 0)).toBe(true);
    expect(duck.begin(7, 10)).toBe(false);
    expect(duck.dismiss(40)).toBe(7);
    expect(duck.dismiss(50)).toBeUndefined();
    expect(duck.begin(8, 60)).toBe(true);
    expect(duck.confirm()).toBe(8);
    expect(duck.confirm()).toBeUndefined();
    expect(duck.dismissed).toBe(1);
  });

  test('lasts no longer than 200 ms when the detector says nothing more', () => {
    const duck = new Duck();
    duck.begin(1, 1000);
    expect(duck.overdue(1199)).toBe(false);
    expect(duck.overdue(1200)).toBe(true);
    duck.dismiss(1200);
    expect(duck.overdue(5000)).toBe(false);
  });

  test('lasts longer while the sound lasts that it is for', () => {
    const duck = new Duck();
    duck.begin(1, 1000);
    expect(duck.overdue(1499, true)).toBe(false);
    expect(duck.overdue(1500, true)).toBe(true);
  });

  test('on a hunch ends as any other, and lasts anew when the detector bears it out', () => {
    const duck = new Duck();
    expect(duck.begin(1, 0, true)).toBe(true);
    expect(duck.begin(1, 150)).toBe(false);
    expect(duck.overdue(250)).toBe(false);
    expect(duck.confirm()).toBe(1);
  });

  test('on hunches that were wrong twice waits for the detector, who is believed as before', () => {
    const duck = new Duck();
    for (const now of [0, 400]) {
      expect(duck.begin(1, now, true)).toBe(true);
      duck.dismiss(now + 200);
    }
    expect(duck.begin(1, 800, true)).toBe(false);
    expect(duck.begin(1, 820)).toBe(true);
    duck.dismiss(900);
    expect(duck.begin(1, 9000, true)).toBe(true);
  });

  test('on a line that clicks and clicks the bot does not stutter', () => {
    const duck = new Duck();
    let ducks = 0;
    for (let now = 0; now < 4000; now += 200) {
      if (duck.begin(1, now)) ducks++;
      duck.dismiss(now + 40);
    }
    expect(ducks).toBe(3);
    expect(duck.begin(1, 10_000)).toBe(true);
  });
});

describe('a pause in mid-word', () => {
  const clock = { now: () => 0, wall: () => new Date(0) };

  function desk(pcm: Int16Array): PlayoutDesk {
    const made = new PlayoutDesk(() => undefined, clock);
    made.begin(1);
    const words = [{ text: 'word', startMs: 0, endMs: pcm.length / 8 }];
    made.write(1, { pcm: pcm.slice(), words }, () => undefined);
    return made;
  }
  const pull = (from: PlayoutDesk): Int16Array => Int16Array.from(from.pull(new Int16Array(FRAME), 0) ?? []);

  test('sinks away within 5 ms and rises within 5 ms from the very sample', () => {
    const pcm = new Int16Array(10 * FRAME).fill(10_000);
    const bot = desk(pcm);
    pull(bot);
    bot.queue.pause();
    const before = bot.queue.heard(1);
    const tail = pull(bot);
    expect(tail[0]).toBeGreaterThan(9900);
    expect(tail[FADE_SAMPLES - 1]).toBeLessThan(100);
    expect([...tail.subarray(0, FADE_SAMPLES)]).toEqual([...tail.subarray(0, FADE_SAMPLES)].sort((a, b) => b - a));
    expect(tail.subarray(FADE_SAMPLES).every((s) => s === 0)).toBe(true);
    expect(bot.queue.heard(1)).toEqual(before);
    expect(bot.pull(new Int16Array(FRAME), 0)).toBeUndefined();
    bot.resume(1);
    const again = pull(bot);
    expect(again[0]).toBeLessThan(100);
    expect(again[FADE_SAMPLES]).toBe(10_000);
    expect(bot.queue.heard(1).playedMs).toBe(40);
    expect([...pull(bot)]).toEqual([...pcm.subarray(0, FRAME)]);
  });

  test('between two ticks is not heard at all', () => {
    const pcm = tone(10 * FRAME, 400);
    const bot = desk(pcm);
    pull(bot);
    bot.queue.pause();
    bot.resume(1);
    expect([...pull(bot)]).toEqual([...pcm.subarray(FRAME, 2 * FRAME)]);
  });

  test('a turn that is cut while it is paused says no more, and the next one starts unfaded', () => {
    const bot = desk(tone(10 * FRAME, 400));
    pull(bot);
    bot.queue.pause();
    pull(bot);
    bot.cut(1);
    expect(bot.pull(new Int16Array(FRAME), 0)).toBeUndefined();
    const next = new Int16Array(FRAME).fill(5000);
    bot.begin(2);
    bot.write(2, { pcm: next.slice(), words: [] }, () => undefined);
    expect([...pull(bot)]).toEqual([...next]);
  });

  test('however often: no jump at any pause or resume, and every sample is counted once', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 4, maxLength: 80 }), (paused) => {
        const level = 10_000;
        const bot = desk(new Int16Array(100 * FRAME).fill(level));
        let last = level;
        let sent = 0;
        paused.forEach((pause) => {
          if (pause) bot.queue.pause();
          else bot.resume(1);
          const frame = pull(bot);
          const first = sent === 0;
          if (!pause) sent += FRAME;
          // What begins abruptly is left so: only pauses are smoothed.
          if (first) last = frame.at(-1) ?? 0;
          else
            for (const sample of frame.length > 0 ? frame : new Int16Array(FRAME)) {
              expect(Math.abs(sample - last)).toBeLessThan(0.05 * level);
              last = sample;
            }
          expect(bot.queue.heard(1).playedMs).toBe(sent / 8);
        });
      }),
      { examples: [[[false, true, false, true]]] },
    );
  });

  test('fades keep what is behind them', () => {
    const pcm = new Int16Array(FRAME).fill(1000);
    fadeIn(pcm);
    expect(pcm.subarray(FADE_SAMPLES).every((s) => s === 1000)).toBe(true);
    fadeOut(pcm, 10);
    expect(pcm.subarray(10).every((s) => s === 0)).toBe(true);
  });
});
