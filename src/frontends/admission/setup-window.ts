import type { Ms } from '../../core/clock.ts';
import { RELEASE, SAMPLES, Trend } from './trend.ts';

/** Never fewer at once: one alone would leave the processor idle between its steps, which other threads take. */
const LEAST = 4;
/** What a sample beyond a limit leaves of the calls that were being set up at once. */
const DECREASE = 0.7;
/** What one that is clear adds, where somebody found the window full. It may grow fast: more at once only wait longer. */
const INCREASE = 1.25;
/** A set-up that lasts so many times the limit holds no place any more: whatever it waits for is not ours to give. */
const FORGOTTEN = 4;

/**
 * How many calls are set up at once, when that takes too long: as each one is done the next begins, so their rate is what the
 * machine carries at this very moment, whoever else is on it, and neither too much nor too little of it is ever guessed from
 * what was answered before (as TCP's window, RFC 5681, where a rate would be wrong as soon as it is known). Pure: time is
 * passed in.
 */
export class SetUpWindow {
  readonly #forgottenMs: Ms;
  /** Set-ups that are under way, the first begun first, and when they began. */
  readonly #underWay = new Map<symbol, Ms>();
  #size: number | undefined;
  /** Most at once since the last sample. */
  #most = 0;
  /** Somebody has found it full since the last sample. */
  #wanted = false;
  /** Samples in a row in which fewer would have done. */
  #clear = 0;
  readonly #trend = new Trend();

  constructor(limitMs: Ms) {
    this.#forgottenMs = limitMs * FORGOTTEN;
  }

  /** How many at once; undefined while as many as come. */
  get size(): number | undefined {
    return this.#size;
  }

  /** A set-up begins; call what is returned when it is over, in whatever way. */
  begins(now: Ms): () => void {
    const key = Symbol();
    this.#underWay.set(key, now);
    this.#most = Math.max(this.#most, this.#underWay.size);
    return () => this.#underWay.delete(key);
  }

  /**
   * Is there no place for one more? `unread`: how long what comes waits until it is read, in parts of the limit; beyond it
   * reading comes first.
   */
  isFull(unread: number, now: Ms): boolean {
    if (this.#size === undefined) return false;
    for (const [key, begun] of this.#underWay) {
      if (now - begun < this.#forgottenMs) break;
      this.#underWay.delete(key);
    }
    const full = this.#underWay.size >= (unread > 1 ? LEAST : this.#size);
    this.#wanted ||= full;
    return full;
  }

  /** `excess`: how long set-ups took, in parts of the limit. `waiting`: calls wait for a place. */
  observe(excess: number, waiting: boolean): void {
    const wanted = this.#wanted || waiting;
    this.#clear = excess < RELEASE && !wanted ? this.#clear + 1 : 0;
    const trend = this.#trend.observe(excess, this.#size !== undefined);
    if (trend === 'less') this.#size = Math.max(LEAST, Math.min(this.#size ?? this.#most, this.#most) * DECREASE);
    else if (trend === 'more' && this.#size !== undefined) {
      if (wanted) this.#size = Math.max(this.#size + 1, this.#size * INCREASE);
      else if (this.#clear >= SAMPLES) this.#size = undefined;
    }
    this.#most = this.#underWay.size;
    this.#wanted = false;
  }
}
