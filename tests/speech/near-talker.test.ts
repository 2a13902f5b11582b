import { describe, expect, it } from 'vitest';
import { levelsOf } from '../../src/speech/noise/levels.ts';
import { nearTalker } from '../../src/speech/noise/near-talker.ts';
import { Loudness } from '../../src/speech/soundswallower/loudness.ts';
import { lineNoise } from './support/telephone.ts';

/** Four people at once, as a level: syllables of 100 ms that swing by 8 dB. */
const room = (ms: number) => lineNoise(ms, 600).map((sample, i) => sample * (Math.floor(i / 800) % 2 === 0 ? 1 : 0.4));
/** The caller speaks over it from `from` to `to`, ms. */
function spoken(...words: readonly (readonly [from: number, to: number])[]): Int16Array {
  const pcm = room(2400);
  for (const [from, to] of words) {
    for (let i = from * 8; i < to * 8; i++)
      pcm[i] = pcm[i]! + Math.round(5000 * Math.sin((2 * Math.PI * 180 * i) / 8000));
  }
  return pcm;
}
const level = (pcm: Int16Array, from: number, to: number) => {
  const levels = levelsOf(pcm.subarray(from * 8, to * 8));
  return levels.reduce((sum, db) => sum + db, 0) / levels.length;
};

describe('a caller among others', () => {
  const pcm = spoken([600, 1000], [1600, 1800]);
  const near = nearTalker(pcm);

  it('is left as they are, with the quiet sounds at the edges of their words', () => {
    expect([...near.subarray(560 * 8, 1100 * 8)]).toEqual([...pcm.subarray(560 * 8, 1100 * 8)]);
    expect([...near.subarray(1560 * 8, 1900 * 8)]).toEqual([...pcm.subarray(1560 * 8, 1900 * 8)]);
  });

  it('is all that is left: the others are turned down before, between and behind their words', () => {
    for (const [from, to] of [
      [0, 450],
      [1200, 1450],
      [2000, 2400],
    ] as const) {
      expect(level(near, from, to)).toBeLessThan(level(pcm, from, to) - 18);
    }
  });

  it('nobody is left of when only the others speak, nor of a click or a segment of nothing', () => {
    const others = room(1500);
    others.fill(20_000, 6000, 6100);
    expect(level(nearTalker(others), 0, 700)).toBeLessThan(level(others, 0, 700) - 17);
    expect(nearTalker(new Int16Array(0))).toHaveLength(0);
    expect([...nearTalker(new Int16Array(50))]).toEqual(new Array(50).fill(0));
  });

  it('is loud, and the others are not', () => {
    const loudness = new Loudness();
    loudness.push(pcm);
    const loud = loudness.loud(true);
    expect(loud.slice(0, 60)).not.toContain(true);
    expect(loud.slice(60, 100)).not.toContain(false);
    expect(loud.slice(100, 160)).not.toContain(true);
    expect(loudness.loud().slice(0, 60)).toContain(true);
  });
});
