import type { CallJournal, RecordingRecord } from '../../call/record/records.ts';
import type { RecordedCall } from '../../call/recording/recordings.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from './database.ts';
import { adoptLostRecordings } from './lost-recordings.ts';
import { heartbeat, type Repaired, repair } from './maintenance.ts';
import { describeSqlError } from './sql-errors.ts';

export interface UpkeepOptions {
  database: Database;
  journal: CallJournal;
  /** Finds the recording of a call that a crash ended; undefined: nothing is recorded here. */
  recordings: { find(call: RecordedCall): Promise<RecordingRecord | undefined> } | undefined;
  instanceId: string;
  /** UUID of this run of the process. */
  run: string;
  everyMs: Ms;
  /** Does Postgres answer, and is everything of earlier runs in it? */
  mayWrite(): boolean;
  log: Logger;
}

/** Says in the database that this connector lives, and closes there what connectors that died have left open. */
export class Upkeep {
  readonly #o: UpkeepOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #beats: Promise<void> = Promise.resolve();
  /** Recordings that crashes left are looked for at the start, and when a crash was repaired. */
  #looked = false;

  constructor(options: UpkeepOptions) {
    this.#o = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (this.#o.mayWrite()) void this.beat();
    }, this.#o.everyMs).unref();
  }

  /** No beat begins any more. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Resolves when the last beat is over. */
  get done(): Promise<void> {
    return this.#beats;
  }

  /** One sign of life and one look around, behind those before it. Never rejects. */
  beat(): Promise<void> {
    if (!this.#stopped) this.#beats = this.#beats.then(() => this.#beat());
    return this.#beats;
  }

  /** @throws Failure while Postgres is away */
  async repair(): Promise<Repaired> {
    const { database, instanceId, run, log } = this.#o;
    const repaired = await repair(database, instanceId, run);
    if (repaired.sessions + repaired.transactions > 0) log.warn(repaired, 'closed what a crash had left open');
    if (!this.#looked || repaired.sessions > 0) await this.#adoptRecordings();
    return repaired;
  }

  async #beat(): Promise<void> {
    const { database, instanceId, run, log } = this.#o;
    try {
      await heartbeat(database, instanceId, run);
      await this.repair();
    } catch (error) {
      log.debug(describeSqlError(error), 'heartbeat or repair did not get through');
    }
  }

  async #adoptRecordings(): Promise<void> {
    const { recordings, log } = this.#o;
    if (recordings === undefined) return;
    const found = await adoptLostRecordings(this.#o, (call) => recordings.find(call));
    this.#looked = true;
    if (found > 0) log.warn({ recordings: found }, 'found recordings of calls that a crash had ended');
  }
}
