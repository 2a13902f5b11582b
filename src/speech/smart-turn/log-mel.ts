import { MixedRadixDft } from './dft.ts';

/** Whisper's front end: 25 ms windows every 10 ms at 16 kHz, 80 mel bands up to 8 kHz. */
const MEL_RATE = 16_000;
export const MEL_BANDS = 80;
const WINDOW = 400;
const HOP = 160;
const BINS = WINDOW / 2 + 1;
const LEAST_POWER = 1e-10;

/** Periodic Hann window. */
const HANN = Float64Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));

/** Slaney's mel scale: linear up to 1 kHz, logarithmic above. */
const LOG_STEP = Math.log(6.4) / 27;
const melOf = (hz: number) => (hz < 1000 ? (3 * hz) / 200 : 15 + Math.log(hz / 1000) / LOG_STEP);
const hzOf = (mel: number) => (mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(LOG_STEP * (mel - 15)));

interface Band {
  first: number;
  weights: Float64Array;
}

/** Triangles between neighbouring band centres, each of area one (Slaney's normalisation). */
const BANDS: readonly Band[] = (() => {
  const top = melOf(MEL_RATE / 2);
  const edges = Array.from({ length: MEL_BANDS + 2 }, (_, i) => hzOf((top * i) / (MEL_BANDS + 1)));
  return Array.from({ length: MEL_BANDS }, (_, band) => {
    const [low, centre, high] = [edges[band]!, edges[band + 1]!, edges[band + 2]!];
    const weights = Array.from({ length: BINS }, (_, bin) => {
      const hz = (bin * MEL_RATE) / WINDOW;
      return (Math.max(0, Math.min((hz - low) / (centre - low), (high - hz) / (high - centre))) * 2) / (high - low);
    });
    const first = Math.max(
      0,
      weights.findIndex((weight) => weight > 0),
    );
    const last = weights.findLastIndex((weight) => weight > 0);
    return { first, weights: Float64Array.from(weights.slice(first, last + 1)) };
  });
})();

/**
 * The log-mel spectrogram that Whisper models take (Radford et al. 2022, section 2.2; the defaults of its published
 * feature extractor): `samples.length / 160` frames of 80 bands, band-major, log10, floored 8 below the loudest, then
 * (x + 4) / 4. `samples`: 16 kHz, ±1, a multiple of 160 and longer than 200.
 */
export class LogMel {
  readonly #dft = new MixedRadixDft(WINDOW);
  readonly #a = new Float64Array(WINDOW);
  readonly #b = new Float64Array(WINDOW);
  readonly #powerA = new Float64Array(BINS);
  readonly #powerB = new Float64Array(BINS);

  of(samples: Float32Array): Float32Array {
    const frames = samples.length / HOP;
    const mel = new Float32Array(MEL_BANDS * frames);
    let loudest = Number.NEGATIVE_INFINITY;
    for (let frame = 0; frame < frames; frame += 2) {
      windowed(samples, frame, this.#a);
      windowed(samples, Math.min(frame + 1, frames - 1), this.#b);
      this.#dft.powers(this.#a, this.#b, this.#powerA, this.#powerB);
      loudest = Math.max(loudest, bands(this.#powerA, mel, frame, frames));
      if (frame + 1 < frames) loudest = Math.max(loudest, bands(this.#powerB, mel, frame + 1, frames));
    }
    for (let i = 0; i < mel.length; i++) mel[i] = (Math.max(mel[i]!, loudest - 8) + 4) / 4;
    return mel;
  }
}

/** Frames are centred on their time; what lies outside is the signal mirrored at its ends. */
function windowed(samples: Float32Array, frame: number, into: Float64Array): void {
  const from = frame * HOP - WINDOW / 2;
  const last = samples.length - 1;
  for (let i = 0; i < WINDOW; i++) {
    const at = from + i;
    into[i] = samples[at < 0 ? -at : at > last ? 2 * last - at : at]! * HANN[i]!;
  }
}

function bands(power: Float64Array, mel: Float32Array, frame: number, frames: number): number {
  let loudest = Number.NEGATIVE_INFINITY;
  for (let band = 0; band < MEL_BANDS; band++) {
    const { first, weights } = BANDS[band]!;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[first + i]!;
    const level = Math.log10(Math.max(LEAST_POWER, sum));
    mel[band * frames + frame] = level;
    if (level > loudest) loudest = level;
  }
  return loudest;
}
