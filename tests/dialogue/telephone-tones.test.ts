import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LateMachine } from '../../src/dialogue/picking-up/late-machine.ts';
import { MachineDetection } from '../../src/dialogue/picking-up/machine-detection.ts';
import { type HeardTone, TelephoneTones } from '../../src/dialogue/picking-up/telephone-tones.ts';
import { ToneDetector } from '../../src/media/keys/tone-detector.ts';
import { tone } from '../support/phone/voice.ts';

const joined = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));
const silence = (ms: number) => new Int16Array(ms * 8);

/** What the detector of the media worker makes of this, each with when it is told. */
function heard(pcm: Int16Array): { told: number; tone: HeardTone }[] {
  const detector = new ToneDetector();
  const found: { told: number; tone: HeardTone }[] = [];
  for (let at = 0; at + 160 <= pcm.length; at += 160) {
    const told = (at + 160) / 8;
    const one = detector.push(pcm.subarray(at, at + 160), told);
    if (one) found.push({ told, tone: one });
  }
  return found;
}

/** Asked every 20 ms: who it is, and when that is known. Nobody speaks. */
function answered(pcm: Int16Array) {
  const detection = new MachineDetection(0);
  const tones = heard(pcm);
  for (let now = 20; now <= 20_000; now += 20) {
    for (const { tone } of tones.filter(({ told }) => told > now - 20 && told <= now)) detection.tone(tone);
    const answerer = detection.verdict(now);
    if (answerer) return { ...answerer, now };
  }
  return undefined;
}

const meanings = (pcm: Int16Array) => {
  const tones = new TelephoneTones();
  return heard(pcm).map(({ tone }) => tones.push(tone));
};

describe('the tones before an announcement of the network', () => {
  // E.180, and the segments that North America uses for its several reasons.
  const firsts = fc.constantFrom(950, 913.8, 985.2);
  const seconds = fc.constantFrom(1400, 1370.6, 1428.5);
  const lasts = fc.constantFrom(1800, 1776.7);
  const lengths = fc.constantFrom(274, 330, 380);
  const gaps = fc.integer({ min: 0, max: 30 });

  it('are told from a beep by the second of them, wherever a frame begins', () => {
    fc.assert(
      fc.property(
        fc.tuple(firsts, seconds, lasts),
        fc.tuple(lengths, lengths, fc.constantFrom(330, 380)),
        fc.tuple(gaps, gaps),
        fc.integer({ min: 0, max: 159 }),
        ([a, b, c], [x, y, z], [one, two], lead) => {
          const pcm = joined(
            silence(300),
            new Int16Array(lead),
            tone(a, x),
            silence(one),
            tone(b, y),
            silence(two),
            tone(c, z),
            silence(500),
          );
          const answerer = answered(pcm);
          expect(answerer).toMatchObject({ by: 'machine', why: 'announcement' });
          expect(answerer!.now).toBeLessThan(300 + 20 + x + one + y + 120);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are no beep of a machine, and a beep like the first of them is one, a moment later', () => {
    const beep = joined(silence(500), tone(950, 330), silence(2000));
    expect(answered(beep)).toMatchObject({ by: 'machine', why: 'tone' });
    const { beepAt, now } = answered(beep)!;
    expect(Math.abs(beepAt! - 830)).toBeLessThan(41);
    expect(now).toBeLessThan(1500);
    expect(meanings(joined(silence(200), tone(1400, 330), silence(200), tone(950, 330), silence(200)))).toEqual([
      'beep',
      'begun',
    ]);
    // Too far from each other, and in the wrong order.
    expect(meanings(joined(tone(950, 330), silence(400), tone(1400, 330), silence(200)))).toEqual(['begun', 'beep']);
  });
});

describe('the tones of an exchange', () => {
  const times = (count: number, ...parts: Int16Array[]) => joined(...Array.from({ length: count }, () => parts).flat());

  it('are no beep: it rings on for somebody', () => {
    const rings = joined(silence(500), times(3, tone(425, 1000), silence(4000)));
    expect(meanings(rings)).toEqual(['progress', 'progress', 'progress']);
    // Nobody has spoken, so whoever is there waits.
    expect(answered(rings)).toMatchObject({ by: 'person', why: 'silence' });
  });

  it.each([
    ['busy', 480],
    ['congestion', 240],
  ])('%s: the other end has hung up', (_what, ms) => {
    const pcm = joined(silence(300), times(4, tone(425, ms), silence(ms)));
    expect(answered(pcm)).toMatchObject({ by: 'machine', why: 'busy' });
    expect(answered(pcm)!.now).toBeLessThan(300 + 3 * ms + 100);
  });

  it('are not those of a machine that beeps on the next note', () => {
    expect(answered(joined(silence(300), tone(440, 800), silence(900)))).toMatchObject({ why: 'tone' });
  });
});

describe('a fax', () => {
  it('is known by its answer tone, also when its silence was taken for a person', () => {
    const late = new LateMachine(0);
    const [ced] = heard(joined(silence(1800), tone(2100, 3000), silence(500)));
    expect(late.tone(ced!.tone)).toBe('fax');
    expect(answered(joined(silence(300), tone(2100, 2800), silence(500)))).toMatchObject({ by: 'machine', why: 'fax' });
    // A beep of that pitch is a beep.
    expect(meanings(joined(silence(100), tone(2100, 600), silence(500)))).toEqual(['beep']);
  });

  it('is one for as long as V.25 lets it sound, though its clock is slow, and though packets of it are lost', () => {
    const losses = fc.array(
      fc.record({ at: fc.integer({ min: 0, max: 4000 }), ms: fc.integer({ min: 20, max: 160 }) }),
      {
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(fc.integer({ min: 2600, max: 4060 }), losses, fc.integer({ min: 0, max: 159 }), (ms, gaps, lead) => {
        const ced = tone(2100, ms);
        // Not so close that two of them are one long one, nor so late that what is left is no tone.
        const apart = gaps
          .sort((a, b) => a.at - b.at)
          .filter(({ at }, i) => at + 400 < ms && at > 200 && (i === 0 || at > gaps[i - 1]!.at + 400));
        for (const { at, ms: lost } of apart) ced.fill(0, at * 8, (at + lost) * 8);
        expect(meanings(joined(silence(500), new Int16Array(lead), ced, silence(600)))).toEqual(['fax']);
      }),
      { numRuns: 40 },
    );
  });
});
