/**
 * Numbers by which running calls can be keyed on a telephone. They go round, so that one that has just become free is
 * not taken at once: somebody may be keying it.
 */
export class ShortNumbers {
  readonly #first: number;
  readonly #count: number;
  readonly #taken = new Map<string, string>();
  #next = 0;

  /** `calls`: how many there are at the same time at most; the numbers have digits for twice as many. */
  constructor(calls: number) {
    const digits = Math.max(3, String(2 * calls).length);
    this.#first = 10 ** (digits - 1);
    this.#count = 9 * this.#first;
  }

  /** A number for this call, until it is released. */
  take(sessionId: string): string {
    for (;;) {
      const number = String(this.#first + (this.#next++ % this.#count));
      if (this.#taken.has(number)) continue;
      this.#taken.set(number, sessionId);
      return number;
    }
  }

  release(number: string): void {
    this.#taken.delete(number);
  }

  sessionOf(number: string): string | undefined {
    return this.#taken.get(number);
  }
}
