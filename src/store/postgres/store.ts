import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '../../banking/ledger.ts';
import type { CampaignBook } from '../../call/campaigns/campaign.ts';
import type { DialCounter } from '../../call/dial-counter.ts';
import type { OrderBook } from '../../call/orders/order-book.ts';
import type { CallArchive, CallJournal, RecordingRecord } from '../../call/record/records.ts';
import type { UntranscribedLines } from '../../call/record/untranscribed-lines.ts';
import type { RecordingShelf } from '../../call/recording/left-recordings.ts';
import type { EncodedRecording, RecordedCall } from '../../call/recording/recordings.ts';
import type { DeletionRecord, RetentionDesk, RetentionPolicy } from '../../call/recording/retention.ts';
import { type Clock, type Ms, monotonicNow, systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { acquireOwnerLock, type OwnerLock } from '../owner-lock.ts';
import { Spool } from '../spool.ts';
import { PostgresArchive } from './archive.ts';
import { BatchWriter } from './batch-writer.ts';
import { PostgresCampaigns } from './campaigns.ts';
import { DeadLetters } from './dead-letters.ts';
import { readDeletions } from './deletion-log.ts';
import { PostgresDialCounter } from './dial-counter.ts';
import { EmbeddedPostgres } from './embedded.ts';
import { PostgresJournal } from './journal.ts';
import { PostgresLedger } from './ledger.ts';
import { deleteExpiredContexts } from './maintenance.ts';
import { ensureSchema } from './migrate.ts';
import { PostgresOrders } from './orders.ts';
import { Pools } from './pools.ts';
import { holdCall, Retention } from './retention.ts';
import { describeSqlError, troubleOf } from './sql-errors.ts';
import { PostgresUntranscribed } from './untranscribed.ts';
import { Upkeep } from './upkeep.ts';
import { WriteBehind, type WriteBehindCounters } from './write-behind.ts';

export interface StoreOptions {
  /** An existing database. */
  connectionString?: string;
  /** Or one of our own, in a folder for it alone. */
  embedded?: { dataDir: string; restart?: boolean };
  /** For migrations on an existing database, when the application's role may not create tables. */
  adminConnectionString?: string;
  /** Default `default`. */
  tenantId?: string;
  spoolDir: string;
  /** Stable name of this connector among those that share the database and tenant; default: the host's name. */
  instanceId?: string | undefined;
  log: Logger;
  clock?: Clock;
  heartbeatMs?: Ms;
  spoolMaxBytes?: number;
  /** How long a call out waits to be counted. Default 1.5 s. */
  countWithinMs?: Ms;
  /** Where recordings are, for retention: the data folder, and what lies beside a recording and goes with it. */
  recordings?: {
    dataDir: string;
    companions(path: string): string[];
    /** The recording of a call that a crash ended, where there is one. */
    find(call: RecordedCall): Promise<RecordingRecord | undefined>;
  };
}

export interface StoreMetrics extends WriteBehindCounters {
  queued: number;
  spoolBytes: number;
  spoolSegments: number;
  /** 1 while rows go to the spool. */
  away: 0 | 1;
}

const WRITE_TIMEOUT_MS: Ms = 2000;
const CLOSE_LIMIT_MS: Ms = 6000;
/** How long a reader waits for rows that are being written: several times what that takes. */
const READERS_WAIT_MS: Ms = 500;

/** Everything that is kept: journal, ledger and archive over one Postgres and one spool. */
export class PostgresStore implements RetentionDesk, RecordingShelf {
  readonly journal: CallJournal;
  readonly ledger: Ledger;
  readonly archive: CallArchive;
  readonly orders: OrderBook;
  readonly campaigns: CampaignBook;
  readonly untranscribed: UntranscribedLines;
  /** The database of our own, when there is one. */
  readonly embedded: EmbeddedPostgres | undefined;
  readonly #dials: PostgresDialCounter;
  readonly #options: StoreOptions;
  readonly #lock: OwnerLock;
  readonly #spool: Spool;
  readonly #pools: Pools;
  readonly #writeBehind: WriteBehind;
  readonly #upkeep: Upkeep;
  readonly #run = randomUUID();
  #prepared: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    options: StoreOptions,
    parts: { connectionString: string; admin: string | undefined; embedded: EmbeddedPostgres | undefined },
    held: { lock: OwnerLock; spool: Spool; pools: Pools; away: boolean },
  ) {
    const { log } = options;
    const { writes, reads, counting } = held.pools;
    const clock = options.clock ?? systemClock;
    this.#options = options;
    this.embedded = parts.embedded;
    this.#lock = held.lock;
    this.#spool = held.spool;
    this.#pools = held.pools;
    if (!held.away) this.#prepared = Promise.resolve();
    const deadLetters = new DeadLetters(join(options.spoolDir, 'dead-letters.ndjson'));
    const instanceId = options.instanceId ?? hostname();
    this.#writeBehind = new WriteBehind({
      writer: new BatchWriter({
        database: writes,
        instanceId,
        deadLetters,
        timeoutMs: WRITE_TIMEOUT_MS,
        log,
        clock,
      }),
      spool: held.spool,
      deadLetters,
      prepare: () => this.#prepare(parts),
      run: this.#run,
      away: held.away,
      log,
      clock,
    });
    const journal = new PostgresJournal(this.#writeBehind);
    this.journal = journal;
    this.ledger = new PostgresLedger({
      database: writes,
      journal,
      writeBehind: this.#writeBehind,
      instanceId,
      run: this.#run,
      log,
      clock,
    });
    this.#upkeep = new Upkeep({
      database: writes,
      journal,
      recordings: options.recordings,
      instanceId,
      run: this.#run,
      everyMs: options.heartbeatMs ?? 20_000,
      mayWrite: () => this.#writeBehind.mode === 'direct',
      log,
    });
    const gathered = () => this.#writeBehind.gathered(READERS_WAIT_MS);
    this.archive = new PostgresArchive(reads, gathered);
    this.untranscribed = new PostgresUntranscribed(writes, instanceId, gathered);
    this.campaigns = new PostgresCampaigns(writes);
    this.orders = new PostgresOrders({ database: writes, instanceId, run: this.#run, clock });
    this.#dials = new PostgresDialCounter({
      counting,
      database: writes,
      instanceId,
      run: this.#run,
      beginMs: options.countWithinMs,
      log,
    });
  }

  /** Counts what is dialled, for limits. */
  get dials(): DialCounter {
    return this.#dials;
  }

  /**
   * Opens the store. An existing database that is away does not keep it from opening: rows go to the spool until it
   * answers. Rejects with one clear Failure when the schema or a permission is wrong, the embedded database does not
   * start, or another process owns the folders.
   */
  static async open(options: StoreOptions): Promise<PostgresStore> {
    const { log, tenantId = 'default', spoolDir } = options;
    const lock = await acquireOwnerLock(join(spoolDir, 'owner.json'), 'the spool');
    let embedded: EmbeddedPostgres | undefined;
    try {
      const spool = await Spool.open({ dir: spoolDir, maxBytes: options.spoolMaxBytes });
      if (options.embedded) embedded = await EmbeddedPostgres.open({ ...options.embedded, log });
      const connectionString = embedded?.connectionString ?? options.connectionString;
      if (connectionString === undefined) throw new TypeError('neither a connection string nor an embedded database');
      const admin = embedded?.adminConnectionString ?? options.adminConnectionString;
      const pools = new Pools({ connectionString, tenantId, log });
      let away = false;
      try {
        const { assumeRole } = await ensureSchema({ connectionString, adminConnectionString: admin, log });
        pools.assume(assumeRole);
      } catch (error) {
        if (troubleOf(error) !== 'away') {
          await pools.close();
          throw error;
        }
        away = true;
        log.warn(describeSqlError(error), 'the database is away at start: rows go to the spool');
      }
      const store = new PostgresStore(options, { connectionString, admin, embedded }, { lock, spool, pools, away });
      await store.#begin(away);
      return store;
    } catch (error) {
      await embedded?.close();
      await lock.release();
      throw error;
    }
  }

  /** For /ready: whether Postgres answers, and whether rows wait in the spool. */
  async health(): Promise<{ ok: boolean; detail?: string; latencyMs: number }> {
    const started = monotonicNow();
    const waiting = this.#spool.isEmpty ? '' : `, ${this.#spool.bytes} bytes wait in the spool`;
    try {
      await this.#pools.reads.transaction((tx) => tx.query('SELECT 1'), { timeoutMs: 900, readOnly: true });
      const latencyMs = monotonicNow() - started;
      if (this.#writeBehind.mode === 'direct') return { ok: true, latencyMs };
      return { ok: true, latencyMs, detail: `catching up${waiting}` };
    } catch (error) {
      const { reason, sqlstate } = describeSqlError(error);
      return { ok: false, latencyMs: monotonicNow() - started, detail: `${reason ?? sqlstate ?? 'away'}${waiting}` };
    }
  }

  metrics(): StoreMetrics {
    return {
      ...this.#writeBehind.counters(),
      queued: this.#writeBehind.queued,
      spoolBytes: this.#spool.bytes,
      spoolSegments: this.#spool.segments,
      away: this.#writeBehind.mode === 'spooling' ? 1 : 0,
    };
  }

  /** Resolves when everything appended so far is in Postgres (flush of the journal is content with the spool). */
  stored(): Promise<void> {
    return this.#writeBehind.stored();
  }

  /** Deletes contexts that expired before `now` and closes what dead instances left open; quiet while Postgres is away. */
  async cleanUp(now: Date): Promise<{ contexts: number; sessions: number; transactions: number }> {
    const done = { contexts: 0, sessions: 0, transactions: 0 };
    if (this.#writeBehind.mode !== 'direct') return done;
    try {
      done.contexts = await deleteExpiredContexts(this.#pools.writes, now);
      await this.#dials.cleanUp();
      return { ...done, ...(await this.#upkeep.repair()) };
    } catch (error) {
      this.#options.log.warn(describeSqlError(error), 'the clean-up did not get through');
      return done;
    }
  }

  /** Deletes what the policy no longer allows to be kept, with proof; quiet while Postgres is away. */
  async retain(policy: RetentionPolicy, now: Date): Promise<{ recordings: number; contents: number }> {
    const { recordings, log } = this.#options;
    if (recordings === undefined || this.#writeBehind.mode !== 'direct') return { recordings: 0, contents: 0 };
    try {
      const deleted = await new Retention({ database: this.#pools.writes, ...recordings }).run(policy, now);
      if (deleted.recordings + deleted.contents > 0) log.info(deleted, 'deleted by retention policy');
      return deleted;
    } catch (error) {
      log.warn({ ...describeSqlError(error), err: error }, 'retention did not get through');
      return { recordings: 0, contents: 0 };
    }
  }

  recording(sessionId: string): Promise<RecordingRecord | undefined> {
    return this.archive.recording(sessionId);
  }

  /** @throws Failure while Postgres is away */
  async recordingBecomes(recording: RecordingRecord, { path, format, bytes }: EncodedRecording): Promise<boolean> {
    const { recordingId, path: before } = recording;
    const sql = `UPDATE recordings SET path = $3, format = $4, bytes = $5
      WHERE recording_id = $1 AND path = $2 AND deleting IS NULL`;
    const done = await this.#pools.writes.transaction(
      (tx) => tx.query(sql, [recordingId, before, path, format, bytes]),
      {
        timeoutMs: 5000,
      },
    );
    return done.rowCount === 1;
  }

  hold(sessionId: string, hold: boolean, reason: string | undefined): Promise<boolean> {
    return holdCall(this.#pools.writes, sessionId, hold, reason);
  }

  deletions(after: number, limit: number): Promise<{ deletions: DeletionRecord[]; intact: boolean }> {
    return this.#pools.reads.transaction((tx) => readDeletions(tx, after, limit), { timeoutMs: 5000, readOnly: true });
  }

  /** Makes everything durable and lets go: connections, database of our own, folders. Bounded, idempotent. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#upkeep.stop();
      await this.#writeBehind.close(CLOSE_LIMIT_MS);
      await this.#upkeep.done;
      await this.#dials.close();
      await this.#pools.close();
      await this.embedded?.close();
      await this.#lock.release();
    })();
    return this.#closed;
  }

  async #begin(away: boolean): Promise<void> {
    this.#upkeep.start();
    const afterSpool = this.#writeBehind.earlierRunsWritten.then(() => this.#upkeep.beat());
    // Nothing of earlier runs to wait for: what they left open is closed before the first call.
    if (!away && this.#writeBehind.mode === 'direct') await afterSpool;
  }

  #prepare(parts: { connectionString: string; admin: string | undefined }): Promise<void> {
    this.#prepared ??= ensureSchema({
      connectionString: parts.connectionString,
      adminConnectionString: parts.admin,
      log: this.#options.log,
    }).then(
      ({ assumeRole }) => {
        this.#pools.assume(assumeRole);
      },
      (error) => {
        this.#prepared = undefined;
        throw error;
      },
    );
    return this.#prepared;
  }
}
