import { saturated } from '../../../src/media/audio.ts';
import { seededRandom } from '../../../tests/support/phone/impairments.ts';
import { levelDbfs } from '../../../tests/support/phone/level.ts';
import { amplified, clip, SPEECH_DBFS } from './levels.ts';

const RATE = 8000;

/** White noise, RMS 0 dB relative to `dbfs`. */
export function whiteNoise(seconds: number, dbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  // Uniform noise: RMS is its peak divided by the square root of three.
  const peak = 32768 * 10 ** (dbfs / 20) * Math.sqrt(3);
  return Int16Array.from({ length: Math.round(seconds * RATE) }, () => clip((random() * 2 - 1) * peak));
}

/** Noise of a street or a room, which has as much power in each octave (Kellet's filter). */
export function pinkNoise(seconds: number, dbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  let [low, middle, high] = [0, 0, 0];
  return shaped(seconds, dbfs, () => {
    const white = random() * 2 - 1;
    low = 0.99765 * low + 0.099046 * white;
    middle = 0.963 * middle + 0.2965164 * white;
    high = 0.57 * high + 1.0526913 * white;
    return low + middle + high + 0.1848 * white;
  });
}

/** Noise inside a car: low, with a little hiss. */
export function carNoise(seconds: number, dbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  let low = 0;
  return shaped(seconds, dbfs, () => {
    const white = random() * 2 - 1;
    low += 0.12 * (white - low);
    return low + 0.05 * white;
  });
}

/** Several people at once in the background: the given speech in a loop per talker, each starting elsewhere. */
export function babble(talkers: readonly Int16Array[], seconds: number, dbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  const length = Math.round(seconds * RATE);
  const sum = new Float64Array(length);
  for (const talker of talkers) {
    if (talker.length === 0) continue;
    const start = Math.floor(random() * talker.length);
    for (let i = 0; i < length; i++) sum[i] = sum[i]! + talker[(start + i) % talker.length]! / talkers.length;
  }
  const mixed = Int16Array.from(sum, clip);
  return atRms(mixed, dbfs);
}

/** Noise for a room in which speech of the corpus's level is `snrDb` above it. */
export function noiseLevelFor(snrDb: number): number {
  return SPEECH_DBFS - snrDb;
}

/** The same with white noise over all of it, `snrDb` below speech of the corpus's level; undefined: none. */
export function inWhiteNoise(pcm: Int16Array, snrDb: number | undefined, seed: number): Int16Array {
  if (snrDb === undefined) return pcm;
  const noise = whiteNoise(pcm.length / RATE + 1, noiseLevelFor(snrDb), seed);
  return pcm.map((sample, i) => saturated(sample + noise[i]!));
}

/** A cough: a burst of coloured noise with a sharp onset and a second, weaker one. About 350 ms. */
export function cough(seed: number, peakDbfs = -12): Int16Array {
  const random = seededRandom(seed);
  const length = Math.round((0.3 + 0.1 * random()) * RATE);
  const second = Math.round((0.16 + 0.04 * random()) * RATE);
  const out = new Float64Array(length);
  let low = 0;
  let band = 0;
  for (let i = 0; i < length; i++) {
    // A resonance near 700 Hz: state-variable filter on white noise.
    const f = 2 * Math.sin((Math.PI * (650 + 150 * random())) / RATE);
    low += f * band;
    band += f * (random() * 2 - 1 - low - 0.6 * band);
    const first = Math.exp(-i / (0.05 * RATE)) * Math.min(1, i / 40);
    const next = i < second ? 0 : 0.5 * Math.exp(-(i - second) / (0.04 * RATE)) * Math.min(1, (i - second) / 60);
    out[i] = band * (first + next);
  }
  return atPeak(out, peakDbfs);
}

/**
 * "Mm-hm": two hums through the nose with a breath between them, the second a third higher; about half a second.
 * Synthesizers spell such words ("em em aitch em"), which is another sound altogether.
 */
export function hum(seed: number, peakDbfs = -15): Int16Array {
  const random = seededRandom(seed);
  const pitch = 95 + 120 * random();
  const syllable = Math.round((0.15 + 0.07 * random()) * RATE);
  const breath = Math.round((0.05 + 0.04 * random()) * RATE);
  const second = syllable + breath;
  const out = new Float64Array(second + Math.round(1.3 * syllable));
  let phase = 0;
  for (let i = 0; i < out.length; i++) {
    const inFirst = i < syllable;
    const from = inFirst ? 0 : second;
    const length = inFirst ? syllable : out.length - second;
    const at = (i - from) / length;
    const noise = 0.015 * (random() * 2 - 1);
    if (i >= syllable && i < second) {
      out[i] = noise;
      continue;
    }
    const hz = pitch * (inFirst ? 1 - 0.05 * at : 1.18 + 0.08 * at);
    phase += (2 * Math.PI * hz) / RATE;
    // A closed mouth: a strong murmur near 250 Hz, and little above it.
    let sum = 0;
    for (let h = 1; h * hz < 3000; h++) {
      const murmur = 1 / (1 + ((h * hz - 250) / 90) ** 2);
      const above = 0.06 / (1 + ((h * hz - 1100) / 200) ** 2) + 0.03 / (1 + ((h * hz - 2200) / 300) ** 2);
      sum += (murmur + above) * Math.sin(h * phase);
    }
    out[i] = Math.sin(Math.PI * at) ** 0.5 * sum + noise;
  }
  return atPeak(out, peakDbfs);
}

/** A door that slams: a low thump of about 150 ms with a click at its start. */
export function doorSlam(seed: number, peakDbfs = -8): Int16Array {
  const random = seededRandom(seed);
  const hz = 70 + 40 * random();
  const length = Math.round(0.18 * RATE);
  const out = Float64Array.from({ length }, (_, i) => {
    const t = i / RATE;
    const thump =
      Math.sin(2 * Math.PI * hz * t) * Math.exp(-t / 0.05) +
      Math.sin(2 * Math.PI * 3.1 * hz * t) * 0.4 * Math.exp(-t / 0.03);
    return thump + (random() * 2 - 1) * (0.7 * Math.exp(-t / 0.008) + 0.12 * Math.exp(-t / 0.05));
  });
  return atPeak(out, peakDbfs);
}

/** `under` added to `pcm`, looped as long as it lasts. */
export function mixed(pcm: Int16Array, under: Int16Array): Int16Array {
  if (under.length === 0) return pcm;
  return Int16Array.from(pcm, (sample, i) => clip(sample + under[i % under.length]!));
}

function shaped(seconds: number, dbfs: number, next: () => number): Int16Array {
  const samples = Float64Array.from({ length: Math.round(seconds * RATE) }, next);
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
  const gain = (32768 * 10 ** (dbfs / 20)) / rms;
  return Int16Array.from(samples, (sample) => clip(sample * gain));
}

function atRms(pcm: Int16Array, dbfs: number): Int16Array {
  return amplified(pcm, dbfs - levelDbfs(pcm));
}

function atPeak(samples: Float64Array, dbfs: number): Int16Array {
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const gain = (32768 * 10 ** (dbfs / 20)) / peak;
  return Int16Array.from(samples, (value) => clip(value * gain));
}
