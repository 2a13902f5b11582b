import type { Ms } from '../core/clock.ts';

/** People say "bye" back, and a goodbye that was misheard can be talked out of. */
const OPEN_MS: Ms = 1500;

/**
 * The line stays open for a moment after the bot's goodbye to a caller who seemed to want it. Legal moves: none -> open
 * -> over (once the moment has passed and nobody speaks), open -> none (another turn began). Pure, time passed in.
 */
export class LeaveTaking {
  #until: Ms | undefined;

  get open(): boolean {
    return this.#until !== undefined;
  }

  begin(now: Ms): void {
    this.#until = now + OPEN_MS;
  }

  goOn(): void {
    this.#until = undefined;
  }

  /** True once: nobody speaks (`quiet`) and the moment is over. */
  over(now: Ms, quiet: boolean): boolean {
    if (this.#until === undefined || !quiet || now < this.#until) return false;
    this.#until = undefined;
    return true;
  }

  /** Monotonic ms. */
  deadline(): Ms | undefined {
    return this.#until;
  }
}
