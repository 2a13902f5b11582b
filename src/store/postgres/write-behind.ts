import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Spool } from '../spool.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { DeadLetters } from './dead-letters.ts';
import { fromLine, type PackedEntry, pack, type StoreEntry, toLine } from './entries.ts';
import { EntryQueue } from './entry-queue.ts';
import { Milestones } from './milestones.ts';
import { describeSqlError, troubleOf } from './sql-errors.ts';

export interface WriteBehindOptions {
  writer: BatchWriter;
  spool: Spool;
  deadLetters: DeadLetters;
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
const DRAIN_BATCH = 500;
const FIRST_PAUSE_MS: Ms = 50;
const LONGEST_PAUSE_MS: Ms = 2000;
const DISK_PAUSE_MS: Ms = 250;
/**
 * From one batch to the next at least, unless somebody waits for it or it is full: rows of calls come a few at a time, and a
 * transaction costs as much as ten rows. The first row after a quiet moment goes at once.
 */
const GATHER_MS: Ms = 100;

/**
 * The one ordered way of rows to Postgres. `direct`: queue -> Postgres. When that fails, `spooling`: queue -> disk,
 * while the drain takes the oldest lines from disk to Postgres as soon as it answers; once the spool is empty, direct
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
  /** On the monotonic clock. */
  #awaySince: Ms | undefined;
  #diskFailing = false;
  #lossLoggedAt = Number.NEGATIVE_INFINITY;
  #closing = false;
  #wakeIntake: () => void = () => undefined;
  /** Ends the wait for more rows. */
  #hurry: () => void = () => undefined;
  /** Somebody waits for what is in the queue. */
  #pressed = false;
  #lastBatchAt = Number.NEGATIVE_INFINITY;
  #wakeDrain: () => void = () => undefined;
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
    if (options.away) this.#awaySince = options.clock.now();
    if (this.#mode === 'direct') this.#earlierWritten();
    this.#loops = [this.#intake(), this.#drain()];
  }

  get mode(): 'direct' | 'spooling' {
    return this.#mode;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get awaySince(): Ms | undefined {
    return this.#awaySince;
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
    const limit = new AbortController();
    await Promise.race([this.stored(), sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
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
    const [intake] = this.#loops;
    const limit = new AbortController();
    await Promise.race([intake, sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
    this.#stop.abort();
    this.#wakeIntake();
    this.#wakeDrain();
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
      if (this.#mode === 'direct' && (await this.#writeDirectly(batch))) continue;
      await this.#spool(batch);
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

  async #writeDirectly(batch: PackedEntry[]): Promise<boolean> {
    try {
      const { written, dead } = await this.#options.writer.write(batch);
      this.#counters.written += written;
      this.#counters.dead += dead;
      this.#queue.settled(batch.length);
      this.#durable.advance(batch.length);
      this.#stored.advance(batch.length);
      // Whether the disk takes rows again is not known, nor asked until the next outage.
      this.#diskFailing = false;
      if (this.#awaySince !== undefined) this.#isBack();
      return true;
    } catch (error) {
      this.#mode = 'spooling';
      this.#wentAway(error);
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
      this.#wakeDrain();
    } catch (error) {
      if (!this.#diskFailing) {
        this.#options.log.fatal(
          { err: error, queued: this.#queue.length },
          'neither database nor spool can be written',
        );
      }
      this.#diskFailing = true;
      await this.#pause(DISK_PAUSE_MS);
      // Nothing on disk has to go first, so Postgres may be tried again straight from memory.
      if (this.#options.spool.isEmpty) this.#mode = 'direct';
    }
  }

  async #drain(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stop.signal.aborted) {
      if (this.#mode === 'direct') {
        await new Promise<void>((resolve) => {
          this.#wakeDrain = resolve;
        });
        continue;
      }
      try {
        await this.#options.prepare();
        if (!(await this.#drainChunk())) this.#caughtUp();
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#wentAway(error);
        await this.#pause(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** False when the spool is empty. */
  async #drainChunk(): Promise<boolean> {
    const { spool, writer } = this.#options;
    if (spool.isEmpty) return false;
    const chunk = await spool.next(DRAIN_BATCH);
    if (!chunk) {
      // A batch is on its way to the disk at this moment.
      if (!spool.isEmpty) await this.#pause(2);
      return !spool.isEmpty;
    }
    const entries: PackedEntry[] = [];
    for (const line of chunk.lines) {
      const entry = fromLine(line);
      if (entry) entries.push(entry);
      else await this.#damaged(line);
    }
    const { written, dead } = await writer.write(entries);
    await chunk.done();
    this.#counters.written += written;
    this.#counters.drained += entries.length;
    this.#counters.dead += dead;
    if (spool.oldest > this.#lastOfEarlierRuns) this.#earlierWritten();
    return true;
  }

  #caughtUp(): void {
    if (!this.#options.spool.isEmpty) return;
    this.#mode = 'direct';
    // While the disk takes nothing the spool is empty for that reason: only a row that is written says that it is back.
    if (!this.#diskFailing) this.#isBack();
    this.#earlierWritten();
    this.#stored.advanceTo(this.#durable);
    this.#wakeIntake();
  }

  #isBack(): void {
    const { log, clock } = this.#options;
    if (this.#awaySince === undefined) return;
    const seconds = Math.round((clock.now() - this.#awaySince) / 1000);
    log.info({ seconds, drained: this.#counters.drained }, 'the database is back and has everything');
    this.#awaySince = undefined;
  }

  /** A torn tail is normal after a crash: those lines were never promised to anybody. Kept aside all the same. */
  async #damaged(line: string): Promise<void> {
    this.#options.log.warn({ bytes: line.length }, 'damaged line in the spool, set aside');
    await this.#options.deadLetters.add({ reason: 'damaged' }, line, this.#options.clock.wall());
  }

  #wentAway(error: unknown): void {
    this.#wakeDrain();
    if (this.#awaySince !== undefined) return;
    const { log, clock } = this.#options;
    this.#awaySince = clock.now();
    const facts = describeSqlError(error);
    if (troubleOf(error) === 'schema')
      log.error(facts, 'the database refuses us: rows go to the spool until it is put right');
    else log.warn(facts, 'the database is away: rows go to the spool');
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

  async #pause(ms: Ms): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
