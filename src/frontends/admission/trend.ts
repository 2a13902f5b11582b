/** As many samples in a row have to say so: one busy moment is no overload. */
export const SAMPLES = 3;
/** A limit is left behind only when its figure is below this part of it: no flapping at the edge. */
export const RELEASE = 0.85;
/** What is so much less than before is being worked off already. */
const BETTER = 0.9;

/** What the samples of one figure say to the bound that is kept because of it. Pure. */
export class Trend {
  /** Samples in a row beyond the limit. */
  #strained = 0;
  #excess = 0;
  /** The sample after a decrease tells of calls that were taken before it. */
  #tightened = false;

  /**
   * The next sample: is less to be let in, or may it be more? `excess`: the figure in parts of its limit. `bounded`: there is
   * a bound already.
   */
  observe(excess: number, bounded: boolean): 'less' | 'more' | undefined {
    const strained = excess > 1;
    const better = excess < this.#excess * BETTER;
    this.#excess = excess;
    this.#strained = strained ? this.#strained + 1 : 0;
    if (this.#tightened) {
      this.#tightened = false;
      return undefined;
    }
    if (!strained) return excess < RELEASE ? 'more' : undefined;
    this.#tightened = bounded ? !better : this.#strained >= SAMPLES;
    return this.#tightened ? 'less' : undefined;
  }
}
