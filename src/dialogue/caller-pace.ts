import type { Ms } from '../core/clock.ts';

/** How many of this caller's pauses are remembered. */
const MEMORY = 8;
/** Waiting this much longer than the longest usual pause keeps it whole. */
const MARGIN = 1.2;
const MAX_STRETCH = 2.5;
/** A pause shorter than this is articulation, not hesitation. */
const HESITATION_MS: Ms = 120;

/**
 * How this caller speaks: the pauses inside their sentences. Somebody who was cut off, or who stops to think, gets more
 * time from then on; people who speak in one go keep getting quick answers. Pure.
 */
export class CallerPace {
  #pauses: Ms[] = [];

  /** The caller went on after a silence of `ms` inside an utterance. */
  pause(ms: Ms): void {
    if (ms < HESITATION_MS) return;
    this.#pauses.push(ms);
    if (this.#pauses.length > MEMORY) this.#pauses.shift();
  }

  /** The caller went on `ms` after we had taken them to be done: that was too soon, and counts twice. */
  cutOff(ms: Ms): void {
    this.pause(ms);
    this.pause(ms);
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
