import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { soundDistances, soundsIn } from '../../src/sentences/sounds-alike.ts';

const between = (a: string, b: string) => soundDistances([soundsIn(a)], soundsIn(b))[0]!;

describe('how much alike words sound', () => {
  it('tells what was misheard from what is something else', () => {
    const said = 'block my debit card';
    expect(between(said, said)).toBe(0);
    for (const misheard of ['lock my debit card', 'but my debit card', 'walk my leather car', 'block my david car']) {
      expect(between(said, misheard), misheard).toBeLessThan(0.36);
      expect(between('what is my balance', misheard), misheard).toBeGreaterThan(0.4);
    }
    expect(between(said, 'the train will be late again')).toBeGreaterThan(0.45);
  });

  it('takes voiced for unvoiced rather than a vowel for a consonant', () => {
    expect(between('bad', 'pad')).toBeLessThan(between('bad', 'sad'));
    expect(between('bad', 'sad')).toBeLessThan(between('bad', 'bsd'));
  });

  it('is the same one by one and all at once, either way round, and nothing for the same sounds', () => {
    const sounds = fc.uint8Array({ max: 38, maxLength: 24 });
    fc.assert(
      fc.property(fc.array(sounds, { maxLength: 12 }), sounds, (many, heard) => {
        const sorted = many.toSorted(Buffer.compare);
        const all = soundDistances(sorted, heard);
        sorted.forEach((one, i) => {
          expect(all[i]).toBe(soundDistances([one], heard)[0]);
          expect(all[i]).toBeCloseTo(soundDistances([heard], one)[0]!, 4);
          expect(all[i]).toBeLessThan(1.21);
        });
        expect(soundDistances([heard], heard)[0]).toBe(0);
      }),
    );
  });
});
