import type { Ledger, LedgerCompletion, LedgerRow } from '../../src/banking/ledger.ts';
import { monotonicNow } from '../../src/core/clock.ts';
import { Failure } from '../../src/core/errors.ts';

export interface KeptRow extends LedgerRow {
  kind: 'read' | 'change';
  /** Monotonic ms at which the row was committed; comparable with the demo bank's journal. */
  begunAt: number;
  outcome: 'PENDING' | LedgerCompletion['outcome'];
  completion: LedgerCompletion | undefined;
  /** Where it was written: reads go to the spool while the database is away. */
  place: 'database' | 'spool';
}

/**
 * A ledger in memory that keeps the contract of src/banking/ledger.ts: unique idempotency keys, rows begun before they
 * are completed, each completed once, changes refused while the database is away, reads spooled. Breaches of the
 * contract by its user throw and are kept in `breaches`. `commitMs` is how long a commit takes.
 */
export class MemoryLedger implements Ledger {
  readonly rows: KeptRow[] = [];
  readonly breaches: string[] = [];
  databaseAway = false;
  /** Not even the spool can be written. */
  spoolAway = false;
  commitMs = 0;

  async begin(row: LedgerRow, kind: 'read' | 'change'): Promise<void> {
    await this.#commit();
    if (this.databaseAway && (kind === 'change' || this.spoolAway)) {
      throw new Failure('the ledger cannot be written', { code: 'ledger-unavailable', blame: 'us', retryable: true });
    }
    if (this.rows.some((one) => one.idempotencyKey === row.idempotencyKey)) {
      throw new Failure('there is such a row', { code: 'duplicate-transaction', blame: 'us' });
    }
    if (this.rows.some((one) => one.transactionId === row.transactionId)) this.#breach(`two rows ${row.transactionId}`);
    const place = this.databaseAway ? 'spool' : 'database';
    this.rows.push({
      ...structuredClone(row),
      kind,
      begunAt: monotonicNow(),
      outcome: 'PENDING',
      completion: undefined,
      place,
    });
  }

  async complete(transactionId: string, completion: LedgerCompletion): Promise<void> {
    await this.#commit();
    const row = this.rows.find((one) => one.transactionId === transactionId);
    if (row === undefined) return this.#breach(`completion of a row never begun: ${transactionId}`);
    if (row.completion !== undefined)
      return this.#breach(`second completion of ${row.transactionType} ${transactionId}`);
    row.completion = structuredClone(completion);
    row.outcome = completion.outcome;
  }

  ofType(transactionType: string): KeptRow[] {
    return this.rows.filter((row) => row.transactionType === transactionType);
  }

  async #commit(): Promise<void> {
    if (this.commitMs > 0) await new Promise((resolve) => setTimeout(resolve, this.commitMs));
  }

  #breach(what: string): never {
    this.breaches.push(what);
    throw new Error(what);
  }
}
