import type { Ms } from '../core/clock.ts';

const INTER_DIGIT_MS: Ms = 4000;
const MAX_DIGITS = 32;

/**
 * Gathers keyed digits into one entry. Ends at the expected length, at `#`, or when no key follows for 4 s; `*` starts
 * over. Pure, time passed in.
 */
export class Keypad {
  #digits = '';
  #lastAt: Ms | undefined;

  /** A whole entry when this key ended one ('' for a lone `#`). */
  press(key: string, at: Ms, expectedLength: number | undefined): string | undefined {
    this.#lastAt = at;
    if (key === '*') {
      this.#digits = '';
      return undefined;
    }
    if (key === '#') return this.take();
    if (!/^[0-9]$/.test(key)) return undefined;
    if (this.#digits.length < MAX_DIGITS) this.#digits += key;
    return expectedLength !== undefined && this.#digits.length >= expectedLength ? this.take() : undefined;
  }

  get empty(): boolean {
    return this.#digits === '';
  }

  /** Monotonic ms at which the entry ends for lack of keys. */
  deadline(): Ms | undefined {
    return this.#digits === '' || this.#lastAt === undefined ? undefined : this.#lastAt + INTER_DIGIT_MS;
  }

  take(): string {
    const entry = this.#digits;
    this.#digits = '';
    this.#lastAt = undefined;
    return entry;
  }
}
