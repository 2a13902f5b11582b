import { canonicalJson } from '../core/canonical-json.ts';
import type { Clock, Ms } from '../core/clock.ts';
import type { BankAnswer } from './bank-call.ts';
import type { FilledRequest } from './data-paths.ts';

/** An answer fetched longer ago is no answer to what is asked now. */
const FRESH_MS: Ms = 3000;
/** Several requests in one breath, with a look-up each. */
const LIMIT = 4;

interface Fetched {
  answer: Promise<BankAnswer>;
  at: Ms;
}

/**
 * Answers of the bank that were fetched while it was not yet certain that they would be wanted. Reads alone, by what
 * they ask of the bank; each is used once, soon, or not at all. Full: the oldest is forgotten.
 */
export class Ahead {
  readonly #clock: Clock;
  readonly #fetched = new Map<string, Fetched>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer to `request`, fetched now unless it is on its way already. */
  fetch(request: FilledRequest, call: () => Promise<BankAnswer>): Promise<BankAnswer> {
    const key = canonicalJson(request);
    const known = this.#fresh(key);
    if (known) return known.answer;
    const answer = call();
    this.#fetched.set(key, { answer, at: this.#clock.now() });
    if (this.#fetched.size > LIMIT) this.#fetched.delete(this.#fetched.keys().next().value!);
    return answer;
  }

  /** The answer that was fetched for `request`, if it came to one that can be used; it cannot be taken twice. */
  async take(request: FilledRequest): Promise<BankAnswer | undefined> {
    const key = canonicalJson(request);
    const known = this.#fresh(key);
    this.#fetched.delete(key);
    const answer = await known?.answer;
    return answer?.kind === 'reply' ? answer : undefined;
  }

  /** Nobody wants them. Returns how many there were. */
  drop(): number {
    const count = this.#fetched.size;
    this.#fetched.clear();
    return count;
  }

  #fresh(key: string): Fetched | undefined {
    const known = this.#fetched.get(key);
    return known && this.#clock.now() - known.at <= FRESH_MS ? known : undefined;
  }
}
