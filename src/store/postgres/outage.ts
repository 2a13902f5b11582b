import type { Clock, Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { describeSqlError, troubleOf } from './sql-errors.ts';

export interface OutageOptions {
  /** The database did not answer when the store was opened. */
  away: boolean;
  log: Logger;
  clock: Clock;
}

/** Since when rows do not get through to the database; the log has one line when that begins, and one when it is over. */
export class Outage {
  readonly #log: Logger;
  readonly #clock: Clock;
  #since: Ms | undefined;

  constructor({ away, log, clock }: OutageOptions) {
    this.#log = log;
    this.#clock = clock;
    if (away) this.#since = clock.now();
  }

  /** On the monotonic clock; undefined while rows get through. */
  get since(): Ms | undefined {
    return this.#since;
  }

  begins(error: unknown): void {
    if (this.#since !== undefined) return;
    this.#since = this.#clock.now();
    const facts = describeSqlError(error);
    if (troubleOf(error) === 'schema') {
      this.#log.error(facts, 'the database refuses us: rows go to the spool until it is put right');
    } else this.#log.warn(facts, 'the database is away: rows go to the spool');
  }

  /** `drained`: rows that have come out of the spool in all. */
  over(drained: number): void {
    if (this.#since === undefined) return;
    const seconds = Math.round((this.#clock.now() - this.#since) / 1000);
    this.#log.info({ seconds, drained }, 'the database is back and has everything');
    this.#since = undefined;
  }
}
