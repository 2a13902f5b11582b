import type { Pcm } from '../audio.ts';
import { type AudioDecoder, type AudioEncoder, anyPacketMs, type Codec } from './codec.ts';
import { ILB, ILN, ILP, Q6, QM4, QM6, SCALE_STEP } from './g722-tables.ts';

/** Taps of the predictor's zero section. */
const ZEROS = 6;
/**
 * The upper sub-band's two bits as we send them: the smallest step upwards, at which its scale factor sinks to its
 * floor, so the far end adds nothing above 4 kHz.
 */
const UPPER_SILENT = 0xc0;

function saturate(value: number): number {
  return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}

/**
 * The lower sub-band of ITU-T G.722 (blocks 2L to 4L), the same in encoder and decoder: adaptive scale factor and
 * predictor, in the recommendation's integer arithmetic.
 */
class LowerBand {
  /** Predicted value of the next sample. */
  predicted = 0;
  /** Scale factor of the quantizers. */
  scale = 32;
  #log = 0;
  #pole1 = 0;
  #pole2 = 0;
  #zeroPart = 0;
  readonly #zeros = new Int32Array(ZEROS);
  /** The last quantized differences, newest first. */
  readonly #differences = new Int32Array(ZEROS);
  #r1 = 0;
  #r2 = 0;
  #p1 = 0;
  #p2 = 0;

  /** Adapts to one code, given by its four upper bits. */
  adapt(code4: number): void {
    const difference = (this.scale * QM4[code4]!) >> 15;
    this.#adaptScale(code4);
    this.#adaptPredictor(difference);
  }

  /** Blocks LOGSCL and SCALEL. */
  #adaptScale(code4: number): void {
    const log = ((this.#log * 127) >> 7) + SCALE_STEP[code4]!;
    this.#log = log < 0 ? 0 : log > 18432 ? 18432 : log;
    const mantissa = ILB[(this.#log >> 6) & 31]!;
    const shift = 8 - (this.#log >> 11);
    this.scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** Blocks RECONS, PARREC, UPPOL2, UPPOL1, UPZERO, FILTEP, FILTEZ and PREDIC. */
  #adaptPredictor(difference: number): void {
    const r0 = saturate(this.predicted + difference);
    const p0 = saturate(this.#zeroPart + difference);
    const sameSign1 = p0 < 0 === this.#p1 < 0;
    const quadrupled = saturate(this.#pole1 << 2);
    const pull = sameSign1 ? Math.min(32767, -quadrupled) : quadrupled;
    const leak2 = (this.#pole2 * 32512) >> 15;
    const pole2 = (pull >> 7) + (p0 < 0 === this.#p2 < 0 ? 128 : -128) + leak2;
    this.#pole2 = Math.max(-12288, Math.min(12288, pole2));
    const bound = saturate(15360 - this.#pole2);
    const pole1 = (sameSign1 ? 192 : -192) + ((this.#pole1 * 32640) >> 15);
    this.#pole1 = Math.max(-bound, Math.min(bound, pole1));
    this.#filterZeros(difference);
    this.#r2 = this.#r1;
    this.#r1 = r0;
    this.#p2 = this.#p1;
    this.#p1 = p0;
    const poles = ((this.#pole1 * saturate(2 * r0)) >> 15) + ((this.#pole2 * saturate(2 * this.#r2)) >> 15);
    this.predicted = saturate(saturate(poles) + this.#zeroPart);
  }

  #filterZeros(difference: number): void {
    const zeros = this.#zeros;
    const differences = this.#differences;
    const step = difference === 0 ? 0 : 128;
    let sum = 0;
    let newer = difference;
    for (let i = 0; i < ZEROS; i++) {
      const own = differences[i]!;
      const pull = own < 0 === difference < 0 ? step : -step;
      const zero = saturate(pull + ((zeros[i]! * 32640) >> 15));
      zeros[i] = zero;
      sum += (zero * saturate(2 * newer)) >> 15;
      differences[i] = newer;
      newer = own;
    }
    this.#zeroPart = saturate(sum);
  }
}

class G722Decoder implements AudioDecoder {
  readonly codec = G722;
  readonly #band = new LowerBand();

  decode(data: Uint8Array, offset: number, length: number, out: Pcm, at: number): number {
    const band = this.#band;
    for (let i = 0; i < length; i++) {
      const code = data[offset + i]! & 0x3f;
      const sample = band.predicted + ((band.scale * QM6[code]!) >> 15);
      // The sub-band has 15 bits (block LIMIT).
      out[at + i] = (sample > 16383 ? 16383 : sample < -16384 ? -16384 : sample) << 1;
      band.adapt(code >> 2);
    }
    return length;
  }

  close(): void {}
}

class G722Encoder implements AudioEncoder {
  readonly codec = G722;
  readonly #band = new LowerBand();

  encode(pcm: Pcm | undefined, from: number, length: number, out: Uint8Array, at: number): number {
    const band = this.#band;
    for (let i = 0; i < length; i++) {
      const difference = saturate((pcm === undefined ? 0 : pcm[from + i]! >> 1) - band.predicted);
      const negative = difference < 0;
      const magnitude = negative ? ~difference : difference;
      // The first of the decision levels, which rise, that is above the difference; interval 30 has none.
      let interval = 1;
      for (let above = 30; interval < above; ) {
        const middle = (interval + above) >> 1;
        if (magnitude < (Q6[middle]! * band.scale) >> 12) above = middle;
        else interval = middle + 1;
      }
      const code = negative ? ILN[interval]! : ILP[interval]!;
      out[at + i] = UPPER_SILENT | code;
      band.adapt(code >> 2);
    }
    return length;
  }

  drop(): void {}

  close(): void {}
}

/**
 * ITU-T G.722 at 64 kbit/s for a telephone pipeline. Its lower sub-band is 0 to 4 kHz sampled at 8 kHz, the very form
 * all audio has inside: it is decoded to and coded from directly, without filter bank and without resampling. What the
 * caller says above 4 kHz is left out, as the recogniser's and VAD's models want it.
 */
export const G722: Codec = {
  name: 'G722',
  // An error of RFC 1890 that must be kept: the clock runs at half the sampling rate (RFC 3551 section 4.5.2).
  clockRate: 8000,
  staticPayloadType: 9,
  packetMs: anyPacketMs,
  // 64 kbit/s.
  maxBytes: (packetSamples) => packetSamples,
  samplesIn: (_data, _offset, length) => length,
  decoder: () => new G722Decoder(),
  encoder: () => new G722Encoder(),
};
