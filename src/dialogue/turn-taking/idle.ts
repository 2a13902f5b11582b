import type { Ms } from '../../core/clock.ts';

export interface IdleOptions {
  /** Silence on both sides before "are you still there?". */
  promptAfterMs: Ms;
  /** How often it is asked before the farewell. */
  prompts: number;
}

export const DEFAULT_IDLE: IdleOptions = { promptAfterMs: 8000, prompts: 2 };

export type IdleStep = 'still-there' | 'farewell';

/**
 * Silence on both sides. Pure, time passed in. Counts only while nobody speaks and nothing is being prepared; any
 * sign of the caller starts it afresh.
 */
export class Idle {
  readonly #options: IdleOptions;
  #quietSince: Ms | undefined;
  #asked = 0;

  constructor(options: IdleOptions) {
    this.#options = options;
  }

  /** Somebody speaks, or a reply is being prepared. */
  busy(): void {
    this.#quietSince = undefined;
  }

  /** The caller said or keyed something. */
  callerActive(): void {
    this.#asked = 0;
    this.#quietSince = undefined;
  }

  /** Nobody speaks from `now` on. */
  quiet(now: Ms): void {
    this.#quietSince ??= now;
  }

  deadline(): Ms | undefined {
    return this.#quietSince === undefined ? undefined : this.#quietSince + this.#options.promptAfterMs;
  }

  /** What to do now, at most once per deadline. */
  due(now: Ms): IdleStep | undefined {
    const deadline = this.deadline();
    if (deadline === undefined || now < deadline) return undefined;
    this.#quietSince = undefined;
    return this.#asked++ < this.#options.prompts ? 'still-there' : 'farewell';
  }
}
