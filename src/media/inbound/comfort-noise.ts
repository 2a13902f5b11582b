import type { Pcm } from '../audio.ts';

/** Beyond this order of the model nobody hears a difference. */
const MAX_ORDER = 12;
const FULL_SCALE = 32767;

/**
 * The noise behind a caller whose phone sends none while nobody speaks (RFC 3389): at the level it named, coloured by
 * the reflection coefficients it sent. Without it the recogniser's idea of the background would be dead silence.
 */
export class ComfortNoise {
  /** A description has come, and no audio since. */
  active = false;
  #gain = 0;
  #order = 0;
  readonly #reflection = new Float32Array(MAX_ORDER);
  readonly #delay = new Float32Array(MAX_ORDER + 1);
  #random = 0x2545f491;

  /** A payload: the level in -dBov, then a byte per coefficient (sections 3.1 and 3.2). */
  update(data: Uint8Array, offset: number, length: number): void {
    if (length < 1) return;
    const rms = FULL_SCALE * 10 ** (-(data[offset]! & 0x7f) / 20);
    this.#order = Math.min(MAX_ORDER, length - 1);
    let residual = 1;
    for (let i = 0; i < this.#order; i++) {
      const k = Math.max(-0.98, Math.min(0.98, (258 * (data[offset + 1 + i]! - 127)) / 32768));
      this.#reflection[i] = k;
      residual *= 1 - k * k;
    }
    // Uniform noise of this width has an RMS of one; the all-pole filter amplifies by 1 / residual.
    this.#gain = rms * Math.sqrt(3 * residual);
    this.active = true;
  }

  /** Writes noise, or silence while nothing is described, into `out[from .. to)`. */
  fill(out: Pcm, from: number, to: number): void {
    if (!this.active) {
      out.fill(0, from, to);
      return;
    }
    const delay = this.#delay;
    for (let n = from; n < to; n++) {
      // xorshift32
      let x = this.#random;
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      this.#random = x;
      let forward = (x / 0x8000_0000) * this.#gain;
      for (let i = this.#order - 1; i >= 0; i--) {
        const k = this.#reflection[i]!;
        forward -= k * delay[i]!;
        delay[i + 1] = delay[i]! + k * forward;
      }
      delay[0] = forward;
      out[n] = Math.max(-32768, Math.min(32767, Math.round(forward)));
    }
  }
}
