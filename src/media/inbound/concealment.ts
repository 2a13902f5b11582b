import type { Pcm } from '../audio.ts';

/** Pitch between 200 and 66 Hz, as in G.711 Appendix I. */
const MIN_LAG = 40;
const MAX_LAG = 120;
const CORRELATION = 160;
/** Three of the longest pitch periods and a quarter before the loss (Appendix I keeps 390), and 20 ms concealed since. */
const HISTORY = 640;
/** The history moves through this; at its end it goes back to the beginning, every fourth frame. */
const BUFFER = 2 * HISTORY;
const SEGMENT = 80;
/** Full level for 10 ms, then down by 20 % per 10 ms, silence from 60 ms on. */
const FADE_PER_SAMPLE = 0.2 / SEGMENT;
const MAX_OVERLAP = 80;

/**
 * Packet loss concealment after ITU-T G.711 Appendix I: what is missing is filled with the last pitch periods (one,
 * then two, then three of them, so that it does not buzz), faded out, and the first good samples are overlapped with
 * its continuation. Unlike the appendix it adds no delay: the period's own end is blended into its beginning instead
 * of the last samples already played.
 */
export class Concealment {
  readonly #buffer = new Int16Array(BUFFER);
  /** Where the history ends in it. */
  #end = HISTORY;
  /** The pitch periods being repeated. */
  readonly #cycle = new Float32Array(MAX_LAG * 3);
  readonly #tail = new Float32Array(MAX_OVERLAP);
  #lag = MIN_LAG;
  #periods = 1;
  #phase = 0;
  /** Samples concealed in a row. */
  #erased = 0;
  /** How many of them the history holds already. */
  #remembered = 0;

  /** Takes good audio, in place: after a loss its beginning is blended with the concealment. */
  good(pcm: Pcm, from: number, length: number): void {
    if (this.#erased > 0) this.#blend(pcm, from, length);
    this.#remember(pcm, from, length);
  }

  /** Nobody speaks and nothing is lost: what follows starts afresh. */
  silent(): void {
    if (this.#erased < 0) return;
    this.#erased = -1;
    this.#buffer.fill(0);
  }

  /** Writes `length` samples in the place of lost ones. */
  conceal(out: Pcm, from: number, length: number): void {
    if (this.#erased < 0) {
      out.fill(0, from, from + length);
      return;
    }
    if (this.#erased === 0) this.#begin();
    for (let i = 0; i < length; i++) out[from + i] = Math.round(this.#next());
    this.#remember(out, from, length);
    this.#remembered += length;
  }

  #begin(): void {
    this.#remembered = 0;
    this.#lag = this.#pitch();
    this.#phase = 0;
    this.#periods = 1;
    this.#fillCycle();
  }

  /** One more concealed sample, faded. */
  #next(): number {
    const erased = this.#erased++;
    if (erased >= 6 * SEGMENT) return 0;
    if ((erased === SEGMENT || erased === 2 * SEGMENT) && this.#periods < 3) {
      this.#periods++;
      this.#phase %= this.#lag;
      this.#fillCycle();
    }
    const sample = this.#cycle[this.#phase]!;
    if (++this.#phase >= this.#lag * this.#periods) this.#phase = 0;
    return erased < SEGMENT ? sample : sample * Math.max(0, 1 - (erased - SEGMENT) * FADE_PER_SAMPLE);
  }

  /** The last `periods` pitch periods before the loss; the end of the cycle leads smoothly into its beginning. */
  #fillCycle(): void {
    const history = this.#buffer;
    const length = this.#lag * this.#periods;
    const overlap = this.#lag >> 2;
    const start = this.#end - HISTORY + Math.max(overlap, HISTORY - this.#remembered - length);
    for (let i = 0; i < length; i++) this.#cycle[i] = history[start + i]!;
    for (let i = 0; i < overlap; i++) {
      const weight = (i + 1) / (overlap + 1);
      const at = length - overlap + i;
      this.#cycle[at] = this.#cycle[at]! * (1 - weight) + history[start - overlap + i]! * weight;
    }
  }

  #blend(pcm: Pcm, from: number, length: number): void {
    const lostMs = this.#erased / 8;
    // A quarter of the pitch period and 4 ms more per 10 ms lost, at most 10 ms (Appendix I section I.2.7).
    const wanted = (this.#lag >> 2) + Math.round((lostMs / 10) * 32);
    const overlap = Math.min(MAX_OVERLAP, wanted, length);
    for (let i = 0; i < overlap; i++) this.#tail[i] = this.#next();
    for (let i = 0; i < overlap; i++) {
      const weight = (i + 1) / (overlap + 1);
      pcm[from + i] = Math.round(pcm[from + i]! * weight + this.#tail[i]! * (1 - weight));
    }
    this.#erased = 0;
  }

  #remember(pcm: Pcm, from: number, length: number): void {
    if (this.#erased < 0) this.#erased = 0;
    const buffer = this.#buffer;
    const count = Math.min(length, HISTORY);
    const first = from + length - count;
    if (this.#end + count > BUFFER) {
      buffer.copyWithin(0, this.#end - HISTORY + count, this.#end);
      this.#end = HISTORY - count;
    }
    const at = this.#end;
    for (let i = 0; i < count; i++) buffer[at + i] = pcm[first + i]!;
    this.#end = at + count;
  }

  /** The lag whose repetition looks most like the last 20 ms (normalised cross-correlation, every second sample). */
  #pitch(): number {
    const history = this.#buffer;
    const start = this.#end - CORRELATION;
    let best = MAX_LAG;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let lag = MIN_LAG; lag <= MAX_LAG; lag++) {
      let product = 0;
      let energy = 1;
      for (let i = 0; i < CORRELATION; i += 2) {
        const other = history[start + i - lag]!;
        product += history[start + i]! * other;
        energy += other * other;
      }
      const score = product / Math.sqrt(energy);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }
}
