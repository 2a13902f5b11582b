import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Tone, ToneDetector } from '../../src/media/keys/tone-detector.ts';
import { seededRandom } from '../support/phone/impairments.ts';
import { tone, VoiceBox } from '../support/phone/voice.ts';

const voices = new VoiceBox();
afterAll(() => voices.close());

function tonesIn(pcm: Int16Array): Tone[] {
  const detector = new ToneDetector();
  const found: Tone[] = [];
  for (let at = 0; at + 160 <= pcm.length; at += 160) {
    const one = detector.push(pcm.subarray(at, at + 160), (at + 160) / 8);
    if (one) found.push(one);
  }
  return found;
}

const joined = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));
const silence = (ms: number) => new Int16Array(ms * 8);

function noisy(pcm: Int16Array, dbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  const peak = 32768 * 10 ** (dbfs / 20) * Math.sqrt(3);
  return Int16Array.from(pcm, (sample) => Math.max(-32768, Math.min(32767, sample + (random() * 2 - 1) * peak)));
}

describe('a beep', () => {
  it('is found whatever its pitch, length and loudness, with noise 15 dB below it', () => {
    const beeps = fc.record({
      hz: fc.integer({ min: 400, max: 2500 }),
      ms: fc.integer({ min: 200, max: 1500 }),
      dbfs: fc.integer({ min: -30, max: -6 }),
      lead: fc.integer({ min: 0, max: 159 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(beeps, ({ hz, ms, dbfs, lead, seed }) => {
        const pcm = joined(new Int16Array(800 + lead), tone(hz, ms, dbfs), silence(300));
        const found = tonesIn(noisy(pcm, dbfs - 15, seed));
        expect(found).toHaveLength(1);
        expect(Math.abs(found[0]!.hz - hz)).toBeLessThan(20);
        expect(Math.abs(found[0]!.durationMs - ms)).toBeLessThanOrEqual(60);
        expect(found[0]!.at - (100 + lead / 8 + ms)).toBeLessThanOrEqual(40);
      }),
      { numRuns: 60 },
    );
  });

  it('is still one with a packet missing in it', () => {
    const detector = new ToneDetector();
    const beep = tone(1000, 600);
    const found: Tone[] = [];
    for (let frame = 0; frame < 40; frame++) {
      const pcm = frame < 30 && frame !== 12 ? beep.subarray(frame * 160, (frame + 1) * 160) : undefined;
      const one = detector.push(pcm, frame * 20);
      if (one) found.push(one);
    }
    expect(found).toHaveLength(1);
  });
});

describe('no beep', () => {
  it.each([
    ['ring-back', [440, 480]],
    ['a key', [770, 1336]],
    ['a dial tone', [350, 440]],
  ])('is %s', (_what, [low, high]) => {
    const one = tone(low!, 1000, -15);
    const other = tone(high!, 1000, -15);
    expect(
      tonesIn(
        joined(
          one.map((sample, i) => (sample + other[i]!) / 2),
          silence(200),
        ),
      ),
    ).toEqual([]);
  });

  it('is speech, of any of our voices', async () => {
    const text = 'Oh no, who are you? You should do it too, mmm, good afternoon, hello, moo, bee, see you soon.';
    for (const voice of ['slt', 'rms', 'awb', 'kal'] as const) {
      expect(tonesIn(joined(await voices.speak(text, voice), silence(200))), voice).toEqual([]);
    }
  });

  it('is a tone that never ends, or a click', () => {
    expect(tonesIn(tone(1000, 5000))).toEqual([]);
    expect(tonesIn(joined(tone(1000, 60), silence(200)))).toEqual([]);
  });
});
