import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger, LedgerCompletion, LedgerRow } from '../../banking/ledger.ts';
import { doneWithin } from '../../core/abortable.ts';
import type { Clock, Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { CommitUncertain, type Database } from './database.ts';
import { type PackedEntry, pack, type StoreEntry } from './entries.ts';
import type { PostgresJournal } from './journal.ts';
import { writeRows, writeSessionUnlessThere } from './row-writer.ts';
import { awayFailure, describeSqlError, isForeignKeyViolation, troubleOf, violates } from './sql-errors.ts';
import type { WriteBehind } from './write-behind.ts';

export interface PostgresLedgerOptions {
  database: Database;
  journal: PostgresJournal;
  writeBehind: WriteBehind;
  instanceId: string;
  run: string;
  log: Logger;
  clock: Clock;
}

/** How long a change may wait for its row to be committed, and a read before its row goes to the spool. */
const DEADLINE_MS: Readonly<Record<'change' | 'read', Ms>> = { change: 1500, read: 500 };
const RETRY_PAUSE_MS: Ms = 60;
const SPOOL_DEADLINE_MS: Ms = 3000;

const unavailable = (cause: unknown) => awayFailure('the ledger cannot be written', 'ledger-unavailable', cause);

const duplicate = (key: string) =>
  new Failure(`idempotency key ${key} is in the ledger already`, { code: 'duplicate-transaction', blame: 'us' });

/** Thrown inside a transaction to leave it without a row. */
class Duplicate extends Error {}

/** The ledger: its rows go straight to Postgres, around the journal's queue, or by the spool where that is allowed. */
export class PostgresLedger implements Ledger {
  readonly #options: PostgresLedgerOptions;
  /** Rows begun by way of the spool: their completions must come after them, so they go the same way. */
  readonly #spooled = new Set<string>();
  readonly #spooledKeys = new Set<string>();
  /** Attempts whose commit was not confirmed, by idempotency key: refused to the caller, perhaps in the table. */
  readonly #uncertain = new Map<string, { transactionId: string; attemptId: string }>();

  constructor(options: PostgresLedgerOptions) {
    this.#options = options;
  }

  async begin(row: LedgerRow, kind: 'read' | 'change'): Promise<void> {
    if (this.#spooledKeys.has(row.idempotencyKey)) throw duplicate(row.idempotencyKey);
    const { writeBehind, clock, log } = this.#options;
    const away = writeBehind.mode === 'spooling';
    if (kind === 'read' && away) return this.#beginInSpool(row);
    const deadline = clock.now() + DEADLINE_MS[kind];
    let trouble: unknown;
    do {
      const attempt = { ...row, attemptId: randomUUID() };
      try {
        await this.#beginInDatabase(attempt, Math.max(1, deadline - clock.now()));
        return;
      } catch (error) {
        if (error instanceof Failure && error.code === 'duplicate-transaction') throw error;
        trouble = error;
        if (error instanceof CommitUncertain) {
          if (kind === 'read') return this.#beginInSpool(row, attempt.attemptId);
          // Perhaps it stands. Trying again first takes the uncertain row away; giving up leaves a withdrawal behind.
          this.#uncertain.set(row.idempotencyKey, attempt);
        } else if (isForeignKeyViolation(error)) {
          await this.#sessionStored(deadline - clock.now());
        } else if (troubleOf(error) === 'poison') {
          log.error({ transaction_id: row.transactionId, ...describeSqlError(error) }, 'ledger row refused');
          throw unavailable(error);
        }
      }
      await sleep(Math.min(RETRY_PAUSE_MS, Math.max(0, deadline - clock.now())));
    } while (clock.now() < deadline);
    if (kind === 'read') return this.#beginInSpool(row);
    const uncertain = this.#uncertain.get(row.idempotencyKey);
    if (uncertain) {
      const { transactionId, attemptId } = uncertain;
      writeBehind.append({ kind: 'withdrawal', row: { transactionId, attemptId } });
    }
    log.warn({ transaction_id: row.transactionId, ...describeSqlError(trouble) }, 'ledger unavailable, change refused');
    throw unavailable(trouble);
  }

  async complete(transactionId: string, completion: LedgerCompletion): Promise<void> {
    const entry: StoreEntry = { kind: 'completion', row: { ...completion, transactionId } };
    const { database, writeBehind, instanceId, run, log } = this.#options;
    if (!this.#spooled.has(transactionId) && writeBehind.mode === 'direct') {
      try {
        const packed = pack(entry, run);
        await database.transaction((tx) => writeRows(tx, [packed], instanceId), { timeoutMs: DEADLINE_MS.read });
        return;
      } catch (error) {
        log.warn({ transaction_id: transactionId, ...describeSqlError(error) }, 'completing a ledger row by the spool');
      }
    }
    await this.#spool(entry);
  }

  async #beginInDatabase(row: LedgerRow & { attemptId: string }, timeoutMs: Ms): Promise<void> {
    const { database, instanceId, run } = this.#options;
    const packed = pack({ kind: 'transaction', row }, run);
    const session = this.#sessionEntry(row.sessionId);
    const earlier = this.#uncertain.get(row.idempotencyKey);
    try {
      await database.transaction(
        async (tx) => {
          if (earlier) await writeRows(tx, [pack({ kind: 'withdrawal', row: earlier }, run)], instanceId);
          if (session) await writeSessionUnlessThere(tx, session, instanceId);
          await writeRows(tx, [packed], instanceId);
          // The statement skips a transaction id that exists: then the row there is not of this attempt.
          const own = await tx.query(
            'SELECT 1 FROM banking_transactions WHERE transaction_id = $1 AND attempt_id = $2',
            [row.transactionId, row.attemptId],
          );
          if (own.rowCount === 0) throw new Duplicate();
        },
        { timeoutMs },
      );
    } catch (error) {
      const taken = error instanceof Duplicate || violates(error, 'banking_transactions_idempotency_key');
      throw taken ? duplicate(row.idempotencyKey) : error;
    }
    this.#uncertain.delete(row.idempotencyKey);
  }

  #sessionEntry(sessionId: string): PackedEntry | undefined {
    const session = this.#options.journal.openSession(sessionId);
    return session && pack({ kind: 'session', row: session }, this.#options.run);
  }

  /** Waits for the journal to have written everything so far, the session of an ended call for one. */
  async #sessionStored(limitMs: Ms): Promise<void> {
    await doneWithin(Math.max(0, limitMs), this.#options.writeBehind.stored());
  }

  async #beginInSpool(row: LedgerRow, attemptId: string = randomUUID()): Promise<void> {
    const { transactionId, idempotencyKey } = row;
    const forget = () => {
      this.#spooled.delete(transactionId);
      this.#spooledKeys.delete(idempotencyKey);
    };
    this.#spooled.add(transactionId);
    this.#spooledKeys.add(idempotencyKey);
    try {
      await this.#spool({ kind: 'transaction', row: { ...row, attemptId } });
    } catch (error) {
      forget();
      throw error;
    }
    // Once it is in Postgres it is a row like any other.
    void this.#options.writeBehind.stored().then(forget);
  }

  /** By the write-behind: durable when resolved. Rejects when neither disk nor database takes it in time. */
  async #spool(entry: StoreEntry): Promise<void> {
    const { writeBehind } = this.#options;
    if (!writeBehind.append(entry)) throw unavailable(new Error('the write-behind is full or closed'));
    if (!(await doneWithin(SPOOL_DEADLINE_MS, writeBehind.durable())))
      throw unavailable(new Error('neither database nor spool took it in time'));
  }
}
