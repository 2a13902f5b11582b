import fc from 'fast-check';
import { expect, it } from 'vitest';
import { levelDb } from '../../src/media/level.ts';
import { turnedDown } from '../../src/speech/soundswallower/shout.ts';

/** Silence, then a tone of so many dBFS RMS, then silence; and which moments of 10 ms are loud. */
function tone(dbfs: number, before: number, moments: number) {
  const peak = 32768 * 10 ** (dbfs / 20) * Math.SQRT2;
  const pcm = new Int16Array((before + moments + 30) * 80);
  for (let i = 0; i < moments * 80; i++) pcm[before * 80 + i] = Math.round(peak * Math.sin(i / 3));
  const loud = Array.from({ length: pcm.length / 80 }, (_, at) => at >= before && at < before + moments);
  return { pcm, loud, tone: (of: Int16Array) => of.subarray(before * 80, (before + moments) * 80) };
}

it('a shout is heard again as loud as speech, however long the silence around it', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -14, max: -4, noNaN: true }),
      fc.nat(40),
      fc.integer({ min: 5, max: 80 }),
      (db, before, n) => {
        const shout = tone(db, before, n);
        const heard = turnedDown(shout.pcm, shout.loud)!;
        expect(heard).toHaveLength(shout.pcm.length);
        expect(levelDb(shout.tone(heard))).toBeCloseTo(-20, 0);
      },
    ),
  );
});

it('speech is no shout, nor is silence', () => {
  for (const db of [-16, -20, -40]) {
    const speech = tone(db, 20, 30);
    expect(turnedDown(speech.pcm, speech.loud)).toBeUndefined();
  }
  expect(turnedDown(new Int16Array(8000), new Array(100).fill(false))).toBeUndefined();
});
