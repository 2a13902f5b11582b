import type { Ms } from '../core/clock.ts';

export interface BargeInOptions {
  /** Speech over the bot for this long is an interruption, understood or not. */
  confirmMs: Ms;
  /** Shorter speech without words: the bot goes on this long after it ended. */
  resumeAfterMs: Ms;
}

export const DEFAULT_BARGE_IN: BargeInOptions = { confirmMs: 320, resumeAfterMs: 120 };

export type BargeInVerdict = 'undecided' | 'interrupt' | 'resume';

/**
 * The media worker has paused the bot because the caller made a sound; was it an interruption? Pure, time passed in.
 * One instance per pause.
 */
export class BargeIn {
  readonly #options: BargeInOptions;
  readonly #startedAt: Ms;
  #endedAt: Ms | undefined;
  #words = false;

  constructor(options: BargeInOptions, startedAt: Ms) {
    this.#options = options;
    this.#startedAt = startedAt;
  }

  speechStart(): void {
    this.#endedAt = undefined;
  }

  speechEnd(at: Ms): void {
    this.#endedAt = at;
  }

  partial(text: string): void {
    if (text !== '') this.#words = true;
  }

  verdict(now: Ms): BargeInVerdict {
    if (this.#words) return 'interrupt';
    const spokenFor = (this.#endedAt ?? now) - this.#startedAt;
    if (spokenFor >= this.#options.confirmMs) return 'interrupt';
    if (this.#endedAt !== undefined && now >= this.#endedAt + this.#options.resumeAfterMs) return 'resume';
    return 'undecided';
  }

  /** When the verdict may change if nothing else happens, monotonic ms. */
  deadline(): Ms {
    return this.#endedAt === undefined
      ? this.#startedAt + this.#options.confirmMs
      : this.#endedAt + this.#options.resumeAfterMs;
  }
}
