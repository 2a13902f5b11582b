import type { Ms } from '../../core/clock.ts';

/** Reading a number off a card takes its time, dialling a lone 0 does not. */
const INTER_DIGIT_MS: Ms = 4000;
const LONE_KEY_MS: Ms = 1500;
const MAX_DIGITS = 32;

/**
 * Gathers keyed digits into one entry. Ends at the expected length, at `#`, or when no key follows for 4 s (1.5 s where
 * no number is expected); `*` starts over. Pure, time passed in.
 */
export class Keypad {
  #digits = '';
  #lastAt: Ms | undefined;
  #waitMs = INTER_DIGIT_MS;

  /** A whole entry when this key ended one ('' for a lone `#`). */
  press(key: string, at: Ms, expectedLength: number | undefined): string | undefined {
    this.#lastAt = at;
    this.#waitMs = expectedLength === undefined ? LONE_KEY_MS : INTER_DIGIT_MS;
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
    return this.#digits === '' || this.#lastAt === undefined ? undefined : this.#lastAt + this.#waitMs;
  }

  take(): string {
    const entry = this.#digits;
    this.#digits = '';
    this.#lastAt = undefined;
    return entry;
  }
}
