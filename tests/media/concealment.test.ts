import { describe, expect, test } from 'vitest';
import { Concealment } from '../../src/media/concealment.ts';
import { levelDb } from '../../src/media/level.ts';
import { tone } from './support.ts';

const FRAME = 160;

/** Plays `pcm` with the given frames lost; what the listener hears. */
function listen(pcm: Int16Array, lost: number[]): Int16Array {
  const concealment = new Concealment();
  const out = pcm.slice();
  for (let frame = 0; frame * FRAME < out.length; frame++) {
    if (lost.includes(frame)) concealment.conceal(out, frame * FRAME, FRAME);
    else concealment.good(out, frame * FRAME, FRAME);
  }
  return out;
}

/** A voice-like sound: harmonics of a pitch. */
function vowel(samples: number, hz: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => {
    let sum = 0;
    for (let h = 1; h <= 8; h++) sum += Math.sin((2 * Math.PI * hz * h * i) / 8000) / h;
    return Math.round(5000 * sum);
  });
}

describe('a lost packet', () => {
  test.each([80, 110, 160, 195])('in a voice of %i Hz is filled so that it is hardly missed', (hz) => {
    const clean = vowel(20 * FRAME, hz);
    const heard = listen(clean, [10]);
    const error = heard.map((sample, i) => sample - clean[i]!);
    const worst = levelDb(error, 10 * FRAME, FRAME) - levelDb(clean, 10 * FRAME, FRAME);
    expect(worst).toBeLessThan(-6);
    expect(levelDb(heard, 10 * FRAME, FRAME)).toBeGreaterThan(levelDb(clean) - 3);
  });

  test('leaves no click at either end', () => {
    const clean = vowel(20 * FRAME, 130);
    const heard = listen(clean, [8, 12, 13]);
    const steepest = (pcm: Int16Array) =>
      pcm.reduce((max, s, i) => (i === 0 ? 0 : Math.max(max, Math.abs(s - pcm[i - 1]!))), 0);
    expect(steepest(heard)).toBeLessThan(steepest(clean) * 1.3);
  });

  test('a long loss fades out within 60 ms and comes back at once', () => {
    const heard = listen(tone(30 * FRAME, 200), [10, 11, 12, 13, 14, 15]);
    expect(levelDb(heard, 12 * FRAME, FRAME)).toBeLessThan(levelDb(heard, 10 * FRAME, FRAME) - 6);
    expect(levelDb(heard, 14 * FRAME, FRAME)).toBe(-100);
    expect(levelDb(heard, 17 * FRAME, FRAME)).toBeGreaterThan(-20);
  });

  test('in silence stays silence', () => {
    expect(levelDb(listen(new Int16Array(10 * FRAME), [3, 4]))).toBe(-100);
    const concealment = new Concealment();
    const frame = tone(FRAME, 300);
    concealment.good(frame, 0, FRAME);
    concealment.silent();
    concealment.conceal(frame, 0, FRAME);
    expect(levelDb(frame)).toBe(-100);
  });
});
