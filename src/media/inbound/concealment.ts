import type { Pcm } from '../audio.ts';

/** Pitch between 200 and 66 Hz, as in G.711 Appendix I. */
const MIN_LAG = 40;
const MAX_LAG = 120;
const CORRELATION = 160;
const SEGMENT = 80;
/**
 * Samples that have to stand before what is concealed, silence where there were none: three of the longest pitch periods and
 * a quarter before the loss (Appendix I keeps 390), and 20 ms concealed since.
 */
export const HEARD_BEFORE = 390 + 2 * SEGMENT;
/** Full level for 10 ms, then down by 20 % per 10 ms, silence from 60 ms on. */
const FADE_PER_SAMPLE = 0.2 / SEGMENT;
const MAX_OVERLAP = 80;
/** Of all calls of this thread: what is in it is of use for one blending. */
const tail = new Float32Array(MAX_OVERLAP);

/**
 * Packet loss concealment after ITU-T G.711 Appendix I: what is missing is filled with the last pitch periods (one,
 * then two, then three of them, so that it does not buzz), faded out, and the first good samples are overlapped with
 * its continuation. Unlike the appendix it adds no delay: the period's own end is blended into its beginning instead
 * of the last samples already played. What was heard is its owner's to keep, so that a call's audio lies in one place: at
 * least HEARD_BEFORE samples of it stand before `from` in every array given, whether it has moved since or not.
 */
export class Concealment {
  /** The pitch periods being repeated. Most calls lose nothing. */
  #cycle: Float32Array | undefined;
  #lag = MIN_LAG;
  #periods = 1;
  #phase = 0;
  /** Samples concealed in a row; -1: nobody speaks. */
  #erased = 0;
  /** Where the loss begins in the array that is written. */
  #lostAt = 0;

  /** Takes good audio, in place: after a loss its beginning is blended with the concealment. */
  good(pcm: Pcm, from: number, length: number): void {
    if (this.#erased > 0) this.#blend(pcm, from, length);
    this.#erased = 0;
  }

  /** Nobody speaks and nothing is lost: what follows starts afresh. True the first time: what was heard is to be forgotten. */
  silent(): boolean {
    const before = this.#erased;
    this.#erased = -1;
    return before >= 0;
  }

  /** Writes `length` samples in the place of lost ones. */
  conceal(out: Pcm, from: number, length: number): void {
    if (this.#erased < 0) {
      out.fill(0, from, from + length);
      return;
    }
    this.#lostAt = from - this.#erased;
    if (this.#erased === 0) this.#begin(out);
    for (let i = 0; i < length; i++) out[from + i] = Math.round(this.#next(out));
  }

  #begin(heard: Pcm): void {
    this.#lag = pitchBefore(heard, this.#lostAt);
    this.#phase = 0;
    this.#periods = 1;
    this.#fillCycle(heard);
  }

  /** One more concealed sample, faded. */
  #next(heard: Pcm): number {
    const erased = this.#erased++;
    if (erased >= 6 * SEGMENT) return 0;
    if ((erased === SEGMENT || erased === 2 * SEGMENT) && this.#periods < 3) {
      this.#periods++;
      this.#phase %= this.#lag;
      this.#fillCycle(heard);
    }
    const sample = this.#cycle![this.#phase]!;
    if (++this.#phase >= this.#lag * this.#periods) this.#phase = 0;
    return erased < SEGMENT ? sample : sample * Math.max(0, 1 - (erased - SEGMENT) * FADE_PER_SAMPLE);
  }

  /** The last `periods` pitch periods before the loss; the end of the cycle leads smoothly into its beginning. */
  #fillCycle(heard: Pcm): void {
    this.#cycle ??= new Float32Array(MAX_LAG * 3);
    const cycle = this.#cycle;
    const length = this.#lag * this.#periods;
    const overlap = this.#lag >> 2;
    const start = this.#lostAt - length;
    for (let i = 0; i < length; i++) cycle[i] = heard[start + i]!;
    for (let i = 0; i < overlap; i++) {
      const weight = (i + 1) / (overlap + 1);
      const at = length - overlap + i;
      cycle[at] = cycle[at]! * (1 - weight) + heard[start - overlap + i]! * weight;
    }
  }

  #blend(pcm: Pcm, from: number, length: number): void {
    const lostMs = this.#erased / 8;
    // A quarter of the pitch period and 4 ms more per 10 ms lost, at most 10 ms (Appendix I section I.2.7).
    const wanted = (this.#lag >> 2) + Math.round((lostMs / 10) * 32);
    const overlap = Math.min(MAX_OVERLAP, wanted, length);
    this.#lostAt = from - this.#erased;
    for (let i = 0; i < overlap; i++) tail[i] = this.#next(pcm);
    for (let i = 0; i < overlap; i++) {
      const weight = (i + 1) / (overlap + 1);
      pcm[from + i] = Math.round(pcm[from + i]! * weight + tail[i]! * (1 - weight));
    }
  }
}

/** The lag whose repetition looks most like the last 20 ms before `end` (normalised cross-correlation, every second sample). */
function pitchBefore(heard: Pcm, end: number): number {
  const start = end - CORRELATION;
  let best = MAX_LAG;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let lag = MIN_LAG; lag <= MAX_LAG; lag++) {
    let product = 0;
    let energy = 1;
    for (let i = 0; i < CORRELATION; i += 2) {
      const other = heard[start + i - lag]!;
      product += heard[start + i]! * other;
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
