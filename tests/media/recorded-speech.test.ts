import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { encodeRecording } from '../../src/media/recording/opus-file.ts';
import { recordedSpeech } from '../../src/media/recording/recorded-speech.ts';
import { newSeal, sealWhole } from '../../src/media/recording/sealed-file.ts';
import { wavHeader } from '../../src/media/wav.ts';

const RING = new KeyRing([{ id: 'k1', key: new Uint8Array(32).fill(4) }]);
const SECONDS = 5;
/** Tones that rise and fall all the time, so that a piece fits in one place only: from, and how much higher at the end. */
const HZ = { left: [300, 1200], right: [3000, -1200] } as const;
const SIDES = ['left', 'right'] as const;

let folder: string;
const at = (name: string) => join(folder, name);
const sides = { left: new Int16Array(SECONDS * 8000), right: new Int16Array(SECONDS * 8000) };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorded-speech-'));
  const pcm = Buffer.alloc(SECONDS * 32_000);
  for (const [channel, side] of SIDES.entries()) {
    const [from, more] = HZ[side];
    for (const [i] of sides[side].entries()) {
      const t = i / sides[side].length;
      sides[side][i] = Math.round(6000 * Math.sin(2 * Math.PI * SECONDS * (from * t + (more * t * t) / 2)));
      pcm.writeInt16LE(sides[side][i]!, i * 4 + channel * 2);
    }
  }
  await writeFile(at('plain.wav'), Buffer.concat([wavHeader(2, pcm.length), pcm]));
  await writeFile(at('it.wav.sealed'), sealWhole(newSeal(RING, 'pcm', 32_000), pcm));
  await encodeRecording(at('plain.wav'), at('plain.ogg'), undefined, undefined);
  await encodeRecording(at('it.wav.sealed'), at('it.ogg.sealed'), RING, newSeal(RING, 'ogg', 500));
});
afterAll(() => rm(folder, { recursive: true }));

it.each(['plain.wav', 'it.wav.sealed'])('any piece of either side of %s is what was recorded then', async (name) => {
  const moment = fc.integer({ min: -500, max: SECONDS * 1000 + 500 });
  await fc.assert(
    fc.asyncProperty(moment, moment, fc.constantFrom(...SIDES), async (from, to, side) => {
      const heard = await recordedSpeech(at(name), RING, side, [from, to]);
      expect(heard).toEqual(sides[side].slice(Math.max(0, from) * 8, Math.max(0, from, to) * 8));
    }),
    { numRuns: 60 },
  );
});

it.each(['plain.ogg', 'it.ogg.sealed'])(
  'a piece of %s is at its place to the millisecond, and of its side',
  async (name) => {
    for (const side of SIDES) {
      for (const from of [0, 720, 2010, 4300]) {
        const heard = await recordedSpeech(at(name), RING, side, [from, from + 400]);
        expect(heard.length).toBe(3200);
        // Where it fits best is where it was recorded.
        const shifts = Array.from({ length: 41 }, (_, i) => i - 20);
        const best = shifts.toSorted(
          (a, b) => likeness(heard, sides[side], from, b) - likeness(heard, sides[side], from, a),
        )[0]!;
        expect(Math.abs(best)).toBeLessThanOrEqual(8);
        expect(likeness(heard, sides[side], from, best)).toBeGreaterThan(0.8);
        const other = side === 'left' ? 'right' : 'left';
        expect(Math.abs(likeness(heard, sides[other], from, 0))).toBeLessThan(0.2);
      }
    }
    expect(await recordedSpeech(at(name), RING, 'left', [SECONDS * 1000 + 200, SECONDS * 1000 + 900])).toHaveLength(0);
  },
);

/** Correlation of what was heard with what was recorded `shift` samples off, 1 for the same. */
function likeness(heard: Int16Array, recorded: Int16Array, fromMs: number, shift: number): number {
  let [both, one, other] = [0, 0, 0];
  for (let i = 400; i < heard.length - 400; i++) {
    const [a, b] = [heard[i]!, recorded[fromMs * 8 + i + shift] ?? 0];
    both += a * b;
    one += a * a;
    other += b * b;
  }
  return both / Math.sqrt(one * other);
}
