import { type Pcm, saturated } from '../../media/audio.ts';

/** Peak of the noise, uniform: -66 dBFS, which no telephone line is quieter than by itself. */
const PEAK = 28;

/**
 * A faint noise over what the recogniser hears. Phones that suppress noise, and synthetic voices, send nothing at all
 * between the sounds; acoustic models have never met that (the logarithm of nothing), and took whole sentences for
 * nothing they knew. Where the line has noise of its own it changes nothing. The same noise each time: results repeat.
 */
export class Dither {
  #state = 0x9e3779b9;

  /** A copy of `pcm` with the noise. */
  over(pcm: Pcm): Pcm {
    const out = new Int16Array(pcm.length);
    let state = this.#state;
    for (let i = 0; i < pcm.length; i++) {
      // Marsaglia's xorshift (2003).
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      out[i] = saturated(pcm[i]! + Math.round((state / 2 ** 31) * PEAK));
    }
    this.#state = state;
    return out;
  }
}
