import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Loudness } from '../../src/speech/soundswallower/loudness.ts';
import { mayLookAgain } from '../../src/speech/soundswallower/second-look.ts';
import { logOdds, type Segment, verdictOf } from '../../src/speech/soundswallower/verdict.ts';
import { lineNoise, overTheLine } from './support/telephone.ts';

const moments = (count: number, from: number, to: number) =>
  Array.from({ length: count }, (_, at) => at >= from && at < to);
const word = (t: string, b: number, d: number, cost: number): Segment => ({ t, b, d, p: Math.exp(-cost * d) });
const odds = (segments: Segment[], loud: boolean[], snrDb?: number) =>
  logOdds(
    { text: segments.map(({ t }) => t).join(' '), segments },
    { loud, snrDb, acoustics: 'quiet', phonesOf: () => 4 },
  );

describe('what a guess is worth', () => {
  it('is more, the better the words fit and the more of the sound they explain', () => {
    const heard = moments(100, 20, 80);
    const good = odds([word('where', 0.2, 0.3, 0.2), word('card', 0.5, 0.3, 0.2)], heard);
    expect(good).toBeGreaterThan(2);
    expect(odds([word('where', 0.2, 0.3, 0.6), word('card', 0.5, 0.3, 0.6)], heard)).toBeLessThan(good - 3);
    // half of the speech is not in any word
    expect(odds([word('card', 0.5, 0.3, 0.2)], heard)).toBeLessThan(good - 2);
    // nobody speaks so slowly
    expect(odds([word('card', 0.2, 0.6, 0.2)], heard)).toBeLessThan(good);
  });

  it('is nothing when nothing was understood, or only sounds', () => {
    const heard = moments(100, 20, 80);
    for (const nothing of [[], [word('<sil>', 0, 1, 0.1)], [word('gbg_ae', 0.2, 0.4, 0.1)]]) {
      expect(verdictOf({ text: nothing[0]?.t ?? '', segments: nothing, odds: odds(nothing, heard) })).toEqual({
        text: '',
        confidence: 0,
        rejected: true,
      });
    }
  });

  it('is nothing when a digit was put in for one that was not said', () => {
    const heard = moments(140, 20, 120);
    const said = [word('one', 0.3, 0.25, 0.2), word('three', 0.55, 0.3, 0.2), word('nine', 0.85, 0.35, 0.2)];
    expect(odds([...said, word('oh', 1.21, 0.2, 0.2)], heard)).toBeGreaterThan(0);
    expect(odds([...said, word('oh', 1.35, 0.03, 0.2)], heard)).toBe(-6);
  });

  it('stays finite whatever the alignment says', () => {
    const segment = fc.record({
      t: fc.constantFrom('stop', 'the(2)', '<sil>', '[NOISE]', '(NULL)'),
      b: fc.double({ min: 0, max: 3, noNaN: true }),
      d: fc.double({ min: 0, max: 3, noNaN: true }),
      p: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), fc.array(fc.boolean()), (segments, heard) => {
        const value = odds(segments, heard);
        return value >= -6 && value <= 6;
      }),
    );
  });

  it('is more when two looks agree and less when they do not', () => {
    const guess = (text: string, value: number) => ({ text, segments: [], odds: value });
    const alone = verdictOf(guess('stop', 0.05));
    const agreed = verdictOf(guess('stop', 0.05), guess('stop', 0.02));
    const contested = verdictOf(guess('stop', 0.05), guess('help', 0.02));
    expect(agreed.confidence).toBeGreaterThan(alone.confidence);
    expect(contested.confidence).toBeLessThan(alone.confidence);
    expect(contested.rejected).toBe(true);
    expect(verdictOf(guess('stop', -6), guess('help', 2))).toMatchObject({ text: 'help', rejected: false });
  });
});

describe('a number in steady noise', () => {
  const guess = (text: string, value: number) => ({ text, segments: [], odds: value });

  it('is taken only when both looks come to it, since a wrong PIN is worse than another question', () => {
    const first = guess('four seven one nine two oh', 0.6);
    expect(verdictOf(first, guess("it's four seven one nine two zero", 0), 'steady-noise').rejected).toBe(false);
    expect(verdictOf(first, guess('four seven one nine three oh', 2), 'steady-noise').rejected).toBe(true);
    // few words are no number
    const request = verdictOf(guess('block my card', 0.6), guess('check my card', 2), 'steady-noise');
    expect(request).toMatchObject({ text: 'block my card', rejected: false });
  });
});

describe('a second look', () => {
  const quiet = { others: 0, waiting: 0, busyMs: 0, audioMs: 0 };

  it('is taken when nobody else has to wait for it', () => {
    expect(mayLookAgain(2500, quiet)).toBe(true);
    expect(mayLookAgain(2500, { ...quiet, waiting: 1 })).toBe(false);
    expect(mayLookAgain(2500, { ...quiet, others: 5 })).toBe(false);
    // a short word may be looked at among several callers
    expect(mayLookAgain(800, { ...quiet, others: 3 })).toBe(true);
  });

  it('is left when this machine turns out to be slow', () => {
    expect(mayLookAgain(2500, { ...quiet, busyMs: 6000, audioMs: 20_000 })).toBe(false);
    expect(mayLookAgain(2500, { ...quiet, busyMs: 1000, audioMs: 20_000 })).toBe(true);
  });
});

describe('the loudness of a segment', () => {
  const loudIn = (pcm: Int16Array, piece = 160) => {
    const loudness = new Loudness();
    for (let at = 0; at < pcm.length; at += piece) loudness.push(pcm.subarray(at, at + piece));
    return loudness.loud();
  };
  const tone = Int16Array.from({ length: 4000 }, (_, i) => 3000 * Math.sin((2 * Math.PI * 150 * i) / 8000));

  it('tells speech from the line around it', () => {
    const loud = loudIn(overTheLine([lineNoise(300), tone, lineNoise(200)]));
    expect(loud.slice(0, 30)).not.toContain(true);
    expect(loud.slice(30, 80)).not.toContain(false);
    expect(loud.slice(80)).not.toContain(true);
    expect(loudIn(lineNoise(500, 20))).not.toContain(true);
  });

  it('is the same however the audio comes in pieces', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), (piece) => {
        expect(loudIn(tone, piece)).toEqual(loudIn(tone));
      }),
    );
  });
});
