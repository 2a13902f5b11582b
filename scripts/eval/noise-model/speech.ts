import { NoiseReduction } from '../../../src/speech/noise/noise-reduction.ts';
import { seededRandom } from '../../../tests/support/phone/impairments.ts';
import { overTheLine } from '../asr/line.ts';
import { carNoise, noiseLevelFor, pinkNoise, whiteNoise } from '../audio/noise.ts';
import type { Studio } from '../audio/studio.ts';
import { TEXTS } from './texts.ts';

/** The other voices are kept for judging what came of it. */
const VOICES = ['slt', 'rms'];
/** Played slower and faster: other throats. */
const SIZES = [0.93, 1, 1.08];
const NOISES = [whiteNoise, whiteNoise, pinkNoise, carNoise];
const SNR_DB = [8, 22] as const;
const NOISE_SECONDS = 12;
/** By so much the noise reduction lags. */
const LAG = 128;

export interface Pair {
  clean: Int16Array;
  /** In noise, some of it lost, and the noise reduced, as the decoder gets it. */
  noisy: Int16Array;
}

/** The same speech on a quiet line and in steady noise; always the same pairs. */
export async function* pairs(studio: Studio): AsyncGenerator<Pair> {
  const random = seededRandom(7);
  let seed = 0;
  for (const voice of VOICES) {
    for (const size of SIZES) {
      for (const [t, text] of TEXTS.entries()) {
        seed++;
        const speech = resized(await studio.line({ engine: 'flite', voice, rate: 1 }, text), size);
        const level = noiseLevelFor(SNR_DB[0] + (SNR_DB[1] - SNR_DB[0]) * random());
        const noise = NOISES[(t + seed) % NOISES.length]!(NOISE_SECONDS, level, seed);
        const heard = overTheLine(speech, noise, t % 2 === 0 ? 0 : 3, seed);
        yield { clean: overTheLine(speech, undefined, 0, seed), noisy: reduced(heard) };
      }
    }
  }
}

function reduced(pcm: Int16Array): Int16Array {
  const reduction = new NoiseReduction();
  const out = new Int16Array(pcm.length + LAG);
  const first = reduction.process(pcm);
  out.set(first);
  out.set(reduction.finish().subarray(0, out.length - first.length), first.length);
  return out.subarray(LAG);
}

function resized(pcm: Int16Array, factor: number): Int16Array {
  if (factor === 1) return pcm;
  return Int16Array.from({ length: Math.floor(pcm.length / factor) }, (_, i) => {
    const left = Math.floor(i * factor);
    const part = i * factor - left;
    return pcm[left]! * (1 - part) + (pcm[left + 1] ?? 0) * part;
  });
}
