/** Frames of 20 ms remembered: more than the longest lag. A power of two. */
const REMEMBERED = 64;
/** How fast the gain follows, per frame. */
const FOLLOW = 0.1;
/** What came a frame earlier still sounds in the room at this share. */
const ROOM = 0.5;
/** This much over what is expected (8 dB) is still echo: loudspeakers are louder at some pitches than at others. */
const MARGIN = 6;

/**
 * How loud the echo is over the whole band, by frames: for sounds like "s" that leave nothing in the band in which the
 * path is known. The gain is learned from frames that are echo beyond doubt.
 */
export class EchoLevel {
  /** Power of what was sent, by number of frame. */
  readonly #sent = new Float64Array(REMEMBERED);
  #gain = 0;

  sent(frame: number, power: number): void {
    this.#sent[frame & (REMEMBERED - 1)] = power;
  }

  /** A frame of `power` that is echo of what was sent from frame `at` (need not be whole) on. */
  learn(at: number, power: number): void {
    const source = this.#source(at);
    if (source === 0) return;
    const ratio = power / source;
    this.#gain = this.#gain === 0 ? ratio : this.#gain + FOLLOW * (ratio - this.#gain);
  }

  /** Is `power` no more than what was sent from frame `at` on leaves behind? */
  explains(at: number, power: number): boolean {
    return power <= MARGIN * this.#gain * this.#source(at);
  }

  /** The path is another: so is its gain. */
  forget(): void {
    this.#gain = 0;
  }

  /** A frame of echo overlaps two frames that were sent, and the room keeps the one before. */
  #source(at: number): number {
    const first = Math.floor(at);
    const of = (frame: number) => this.#sent[frame & (REMEMBERED - 1)]!;
    return Math.max(of(first), of(first + 1), ROOM * of(first - 1));
  }
}
