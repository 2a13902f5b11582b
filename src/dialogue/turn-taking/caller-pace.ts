import type { Ms } from '../../core/clock.ts';

/** How many of this caller's pauses are remembered. */
const MEMORY = 8;
/** Waiting this much longer than the longest usual pause keeps it whole. */
const MARGIN = 1.2;
const MAX_STRETCH = 2.5;
/** A pause shorter than this is articulation, not hesitation. */
const HESITATION_MS: Ms = 120;
/** Whoever goes on after such a pause is worth waiting for. */
const LONG_PAUSE_MS: Ms = 400;
/** Nobody is waited for less than this, where more might come. */
const LEAST_PATIENCE_MS: Ms = 600;

/**
 * How this caller speaks: the pauses inside their sentences. Somebody who was cut off, or who stops to think, gets more
 * time from then on; people who speak in one go keep getting quick answers. Pure.
 */
export class CallerPace {
  #pauses: Ms[] = [];
  /** Times in a row that more was waited for and nothing came. */
  #vain = 0;

  /** The caller went on after a silence of `ms` inside an utterance. */
  pause(ms: Ms): void {
    if (ms < HESITATION_MS) return;
    if (ms >= LONG_PAUSE_MS) this.#vain = 0;
    this.#pauses.push(ms);
    if (this.#pauses.length > MEMORY) this.#pauses.shift();
  }

  /** The caller went on `ms` after we had taken them to be done: that was too soon, and counts twice. */
  cutOff(ms: Ms): void {
    this.pause(ms);
    this.pause(ms);
  }

  /**
   * What was said looked like the beginning of something, more was waited for, and nothing came: either this caller is
   * not understood well, or does not pause like that.
   */
  waitedInVain(): void {
    this.#vain++;
  }

  /** How much of a wait of `usual` ms for more is left, when waiting was in vain before: half of it, then a third. */
  patience(usual: Ms): Ms {
    return Math.min(usual, Math.max(LEAST_PATIENCE_MS, usual / (1 + Math.min(2, this.#vain))));
  }

  /** How long to wait where a caller of unknown habits is given `usual` ms. */
  stretch(usual: Ms): Ms {
    if (this.#pauses.length < 2) return usual;
    const sorted = this.#pauses.toSorted((a, b) => a - b);
    // The second longest: one long thought is no habit.
    const habit = sorted.at(-2)! * MARGIN;
    return Math.min(Math.max(usual, habit), usual * MAX_STRETCH);
  }
}
