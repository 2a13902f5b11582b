import type { Data } from './data-paths.ts';

export type VerificationState = 'open' | 'verified' | 'refused';

const moves: Readonly<Record<VerificationState, readonly VerificationState[]>> = {
  open: ['verified', 'refused'],
  verified: [],
  refused: [],
};

/** A customer as declared by the mapping: `id` and `number` at least. */
export type Customer = Data & { id: string; number: string };

/**
 * What is known in one call about who the caller is. The customer number may come from the caller's telephone number
 * (a hint) or from the caller; only the PIN verifies. After a failed attempt the number is asked for too: it may have
 * been misheard, or the hint wrong. Verified or refused, it stays so until the call ends. Pure; the PIN never gets here.
 */
export class Verification {
  readonly #maxAttempts: number;
  #state: VerificationState = 'open';
  #number: string | undefined;
  #preselected = false;
  #failures = 0;
  #locked = false;
  #customer: Customer | undefined;

  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts;
  }

  get state(): VerificationState {
    return this.#state;
  }

  /** Set once verified. */
  get customer(): Customer | undefined {
    return this.#customer;
  }

  /** Who the caller probably is, or says to be. */
  get number(): string | undefined {
    return this.#number;
  }

  /** Does the number come from the caller's telephone number alone? */
  get preselected(): boolean {
    return this.#preselected;
  }

  get failures(): number {
    return this.#failures;
  }

  get locked(): boolean {
    return this.#locked;
  }

  /** A hint; it changes nothing once there is a number or a failure. */
  preselect(number: string): void {
    if (this.#state !== 'open' || this.#number !== undefined || this.#failures > 0) return;
    this.#number = number;
    this.#preselected = true;
  }

  giveNumber(number: string): void {
    if (this.#state !== 'open') return;
    this.#number = number;
    this.#preselected = false;
  }

  succeed(customer: Customer): void {
    this.#move('verified');
    this.#customer = customer;
    this.#number = customer.number;
    this.#preselected = false;
  }

  /** Number and PIN did not match. */
  fail(): void {
    this.#failures++;
    this.#number = undefined;
    this.#preselected = false;
    if (this.#failures >= this.#maxAttempts) this.#move('refused');
  }

  /** The bank takes no more PINs for this customer. */
  lock(): void {
    this.#failures++;
    this.#locked = true;
    this.#move('refused');
  }

  #move(to: VerificationState): void {
    if (!moves[this.#state].includes(to)) throw new Error(`verification cannot go from ${this.#state} to ${to}`);
    this.#state = to;
  }
}
