import type { Pcm } from '../audio.ts';

/** 8 kHz in, 2 kHz out: enough of a voice (up to 900 Hz) to compare two of them at a sixteenth of the work. */
export const DECIMATION = 4;
const TAPS = 32;
const CUTOFF = 900 / 8000;
/** Flattens the spectrum of voices, so that two of the same pitch look less alike. */
const PRE_EMPHASIS = 0.9;

/** Hamming-windowed sinc with the pre-emphasis folded in. */
const FILTER = ((): Float64Array => {
  const low = Float64Array.from({ length: TAPS - 1 }, (_, i) => {
    const x = i - (TAPS - 2) / 2;
    const sinc = x === 0 ? 2 * CUTOFF : Math.sin(2 * Math.PI * CUTOFF * x) / (Math.PI * x);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (TAPS - 2)));
  });
  return Float64Array.from({ length: TAPS }, (_, i) => (low[i] ?? 0) - PRE_EMPHASIS * (low[i - 1] ?? 0));
})();

/** Low-pass, pre-emphasis and decimation of one stream, frame by frame. */
export class Decimator {
  /** The last samples of the frame before, then the frame. */
  #line = new Float32Array(TAPS - 1);
  #frame = 0;

  /** Writes `pcm.length / 4` samples to `out` from `at` on. */
  push(pcm: Pcm, out: Float32Array, at: number): void {
    if (this.#frame !== pcm.length) {
      const grown = new Float32Array(TAPS - 1 + pcm.length);
      grown.set(this.#line.subarray(this.#frame, this.#frame + TAPS - 1));
      this.#line = grown;
    } else {
      this.#line.copyWithin(0, pcm.length);
    }
    this.#frame = pcm.length;
    const line = this.#line;
    for (let i = 0; i < pcm.length; i++) line[TAPS - 1 + i] = pcm[i]!;
    for (let i = DECIMATION - 1, o = at; i < pcm.length; i += DECIMATION, o++) {
      const last = i + TAPS - 1;
      let even = 0;
      let odd = 0;
      for (let t = 0; t < TAPS; t += 2) {
        even += FILTER[t]! * line[last - t]!;
        odd += FILTER[t + 1]! * line[last - t - 1]!;
      }
      out[o] = even + odd;
    }
  }

  reset(): void {
    this.#line.fill(0);
  }
}
