import { doneWithin, rest } from '../../core/abortable.ts';
import type { Clock, Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Spool } from '../spool.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type PackedEntry, pack, type StoreEntry, toLine } from './entries.ts';
import { EntryQueue } from './entry-queue.ts';
import { Milestones } from './milestones.ts';
import { Outage } from './outage.ts';
import { SpoolDrain } from './spool-drain.ts';

export interface WriteBehindOptions {
  writer: Pick<BatchWriter, 'write'>;
  spool: Pick<Spool, 'isEmpty' | 'newest' | 'oldest' | 'append' | 'next' | 'close'>;
  deadLetters: Pick<DeadLetters, 'add'>;
  /** Makes sure that the database is there and has our schema; called before the first write and after each outage. */
  prepare: () => Promise<void>;
  /** UUID of this run of the process. */
  run: string;
  /** Start by spooling: the database did not answer when the store was opened. */
  away: boolean;
  log: Logger;
  clock: Clock;
  maxEntries?: number;
  maxBytes?: number;
}

export interface WriteBehindCounters {
  appended: number;
  /** Rows in Postgres, straight or out of the spool. */
  written: number;
  spooled: number;
  drained: number;
  /** Refused by Postgres and set aside. */
  dead: number;
  /** Neither in Postgres nor on disk. */
  lost: number;
}

const BATCH = 200;
/** To disk, where many lines cost one sync. */
const SPOOL_BATCH = 2000;
const DISK_PAUSE_MS: Ms = 250;
/**
 * From one batch to the next at least, unless somebody waits for it or it is full: rows of calls come a few at a time, and a
 * transaction costs as much as ten rows. The first row after a quiet moment goes at once.
 */
const GATHER_MS: Ms = 100;

/**
 * The one ordered way of rows to Postgres. `direct`: queue -> Postgres. When that fails, or rows come faster than it takes
 * them, `spooling`: queue -> disk, while the drain takes the oldest lines from disk to Postgres as soon as it answers; once the spool is empty, direct
 * again. So every row is written after those appended before it, and rows whose fate an outage left open are written
 * again, which upserts make harmless.
 */
export class WriteBehind {
  readonly #options: WriteBehindOptions;
  readonly #queue: EntryQueue;
  readonly #counters: WriteBehindCounters = { appended: 0, written: 0, spooled: 0, drained: 0, dead: 0, lost: 0 };
  readonly #durable = new Milestones();
  readonly #stored = new Milestones();
  readonly #stop = new AbortController();
  readonly #lastOfEarlierRuns: number;
  /** Resolves when everything that earlier runs left in the spool is in Postgres. */
  readonly earlierRunsWritten: Promise<void>;
  #earlierWritten: () => void = () => undefined;
  #mode: 'direct' | 'spooling';
  readonly #outage: Outage;
  #diskFailing = false;
  #lossLoggedAt = Number.NEGATIVE_INFINITY;
  #closing = false;
  #wakeIntake: () => void = () => undefined;
  /** Ends the wait for more rows. */
  #hurry: () => void = () => undefined;
  /** Somebody waits for what is in the queue. */
  #pressed = false;
  #lastBatchAt = Number.NEGATIVE_INFINITY;
  readonly #drain: SpoolDrain;
  readonly #loops: Promise<void>[];
  #closed: Promise<void> | undefined;

  constructor(options: WriteBehindOptions) {
    this.#options = options;
    this.#queue = new EntryQueue(options.maxEntries ?? 20_000, options.maxBytes ?? 64 << 20);
    this.#lastOfEarlierRuns = options.spool.newest;
    this.earlierRunsWritten = new Promise((resolve) => {
      this.#earlierWritten = resolve;
    });
    this.#mode = options.away || !options.spool.isEmpty ? 'spooling' : 'direct';
    this.#outage = new Outage(options);
    this.#drain = new SpoolDrain({
      ...options,
      isDraining: () => this.#mode === 'spooling',
      onWritten: ({ written, drained, dead }) => {
        this.#counters.written += written;
        this.#counters.drained += drained;
        this.#counters.dead += dead;
        if (options.spool.oldest > this.#lastOfEarlierRuns) this.#earlierWritten();
      },
      onEmpty: () => this.#caughtUp(),
      onTrouble: (error) => this.#outage.begins(error),
    });
    if (this.#mode === 'direct') this.#earlierWritten();
    this.#loops = [this.#intake(), this.#drain.run(this.#stop.signal)];
  }

  get mode(): 'direct' | 'spooling' {
    return this.#mode;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get awaySince(): Ms | undefined {
    return this.#outage.since;
  }

  get diskFailing(): boolean {
    return this.#diskFailing;
  }

  counters(): Readonly<WriteBehindCounters> {
    return { ...this.#counters };
  }

  /** Never blocks, never throws. False when it could not be taken in; that has been logged and counted then. */
  append(entry: StoreEntry): boolean {
    this.#counters.appended++;
    try {
      const packed = pack(entry, this.#options.run);
      if (!this.#closing && this.#queue.push(packed)) {
        this.#durable.expect();
        this.#stored.expect();
        this.#wakeIntake();
        if (this.#queue.length >= BATCH) this.#hurry();
        return true;
      }
      this.#lose(1, this.#closing ? 'the store is closed' : 'the queue is full', packed);
    } catch (error) {
      this.#lose(1, error instanceof Error ? error.message : String(error), { kind: entry.kind, id: 'unknown' });
    }
    return false;
  }

  /** Resolves when everything appended so far is in Postgres or on disk. */
  durable(): Promise<void> {
    this.#press();
    return this.#durable.reached();
  }

  /** Resolves when everything appended so far is in Postgres. */
  stored(): Promise<void> {
    this.#press();
    return this.#stored.reached();
  }

  /**
   * Resolves when what waits in memory for other rows is in Postgres: for readers, who are to see what was there before they
   * asked. After `limitMs` at the latest, and at once while Postgres is away.
   */
  async gathered(limitMs: Ms): Promise<void> {
    if (this.#mode !== 'direct' || this.#queue.length === 0) return;
    await doneWithin(limitMs, this.stored());
  }

  /** Takes nothing more in and makes the rest durable, in `limitMs` at most. Idempotent. */
  close(limitMs: Ms): Promise<void> {
    this.#closed ??= this.#close(limitMs);
    return this.#closed;
  }

  async #close(limitMs: Ms): Promise<void> {
    this.#closing = true;
    this.#wakeIntake();
    this.#press();
    await doneWithin(limitMs, this.#loops[0]!);
    this.#stop.abort();
    this.#wakeIntake();
    this.#drain.wake();
    await Promise.all(this.#loops);
    if (this.#queue.length > 0) this.#lose(this.#queue.length, 'neither database nor disk took it before the end');
    await this.#options.spool.close();
  }

  async #intake(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const batch = this.#queue.peek(BATCH);
      if (batch.length === 0) {
        this.#pressed = false;
        if (this.#closing) return;
        await new Promise<void>((resolve) => {
          this.#wakeIntake = resolve;
        });
        continue;
      }
      const early = this.#lastBatchAt + GATHER_MS - this.#options.clock.now();
      if (early > 0 && batch.length < BATCH && !this.#pressed) {
        await this.#gather(early);
        continue;
      }
      this.#lastBatchAt = this.#options.clock.now();
      if (this.#queue.crowded && this.#mode === 'direct' && !this.#diskFailing) this.#fallBehind();
      if (this.#mode === 'direct' && (await this.#writeDirectly(batch))) continue;
      await this.#spool(this.#queue.peek(SPOOL_BATCH));
    }
  }

  #gather(ms: Ms): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #press(): void {
    this.#pressed = true;
    this.#hurry();
  }

  /** No outage: the database answers, but rows come faster. They wait on disk, where there is room, and not here. */
  #fallBehind(): void {
    this.#mode = 'spooling';
    this.#options.log.warn(
      { queued: this.#queue.length },
      'rows come faster than the database takes them: to the spool',
    );
  }

  async #writeDirectly(batch: PackedEntry[]): Promise<boolean> {
    try {
      const { written, dead } = await this.#options.writer.write(batch);
      this.#counters.written += written;
      this.#counters.dead += dead;
      this.#queue.settled(batch.length);
      this.#durable.advance(batch.length);
      this.#stored.advance(batch.length);
      // Whether the disk takes rows again is not known, nor asked until the next outage, or until rows come too fast again.
      if (!this.#queue.crowded) this.#diskFailing = false;
      this.#outage.over(this.#counters.drained);
      return true;
    } catch (error) {
      this.#mode = 'spooling';
      this.#drain.wake();
      this.#outage.begins(error);
      return false;
    }
  }

  async #spool(batch: PackedEntry[]): Promise<void> {
    try {
      await this.#options.spool.append(batch.map(toLine));
      this.#counters.spooled += batch.length;
      this.#queue.settled(batch.length);
      this.#durable.advance(batch.length);
      if (this.#diskFailing) this.#options.log.info('the spool can be written again');
      this.#diskFailing = false;
      this.#drain.wake();
    } catch (error) {
      if (!this.#diskFailing) {
        this.#options.log.fatal(
          { err: error, queued: this.#queue.length },
          'neither database nor spool can be written',
        );
      }
      this.#diskFailing = true;
      await rest(DISK_PAUSE_MS, this.#stop.signal);
      // Nothing on disk has to go first, so Postgres may be tried again straight from memory.
      if (this.#options.spool.isEmpty) this.#mode = 'direct';
    }
  }

  #caughtUp(): void {
    this.#mode = 'direct';
    // While the disk takes nothing the spool is empty for that reason: only a row that is written says that it is back.
    if (!this.#diskFailing) this.#outage.over(this.#counters.drained);
    this.#earlierWritten();
    this.#stored.advanceTo(this.#durable);
    this.#wakeIntake();
  }

  #lose(count: number, reason: string, entry?: { kind: string; id: string }): void {
    this.#counters.lost += count;
    // Loud, but the log must not become the next thing that fails.
    const now = this.#options.clock.now();
    if (now - this.#lossLoggedAt < 1000) return;
    this.#lossLoggedAt = now;
    this.#options.log.fatal(
      { count, reason, kind: entry?.kind, id: entry?.id, lost: this.#counters.lost },
      'rows lost: neither database nor spool took them',
    );
  }
}
