import { untilAborted } from '../../core/abortable.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { JobPool } from '../job-pool.ts';
import type { Transcriber, Transcript } from '../ports.ts';
import type { ToFit, ToTranscribe } from './worker.ts';

export interface MoonshineOptions {
  /** Folder with the model's two files (scripts/setup.mjs brings it to dist/models/moonshine-tiny). */
  readonly folder: string;
  /** Of the threads; what nobody waits for comes behind all else with 19. Default 0. */
  readonly niceness?: number;
  /** Each with a model of its own, some 120 MB. Default 1. */
  readonly threads?: number;
  readonly log: Logger;
}

type Pool = JobPool<ToTranscribe | ToFit, Transcript | readonly number[]>;

/** So much may wait; what is least urgent gives way. */
const WAITING = 64;
/** Minutes of speech take seconds; whatever takes longer hangs. */
const HUNG_MS = 60_000;

/** English of any words, by Moonshine tiny in threads of its own. One takes about 120 MB, so they are started when first asked. */
export class MoonshineTranscriber implements Transcriber {
  readonly name = 'moonshine-tiny';
  readonly #options: MoonshineOptions;
  #pool: Promise<Pool> | undefined;
  /** By which the thread knows that it has heard this already. */
  readonly #ids = new WeakMap<Int16Array, number>();
  #nextId = 1;
  /** What was last asked of it. */
  readonly #asked = new WeakMap<Int16Array, { job: ToTranscribe | ToFit; urgency: number }>();
  #closed = false;

  constructor(options: MoonshineOptions) {
    this.#options = options;
  }

  prepare(): Promise<void> {
    return this.#started().then(() => undefined);
  }

  async transcribe(pcm: Int16Array, urgency: number, signal?: AbortSignal): Promise<Transcript> {
    return (await this.#run({ pcm, id: this.#idOf(pcm) }, urgency, signal)) as Transcript;
  }

  async fit(
    pcm: Int16Array,
    sentences: readonly string[],
    urgency: number,
    signal?: AbortSignal,
  ): Promise<readonly number[]> {
    if (sentences.length === 0) return [];
    return (await this.#run({ pcm, id: this.#idOf(pcm), sentences }, urgency, signal)) as readonly number[];
  }

  hurry(pcm: Int16Array, urgency: number): void {
    const asked = this.#asked.get(pcm);
    if (asked === undefined) return;
    // It may not be in the pool yet.
    asked.urgency = Math.min(asked.urgency, urgency);
    void this.#pool?.then(
      (pool) => pool.hurry(asked.job, urgency),
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.then(
      (pool) => pool.close(),
      () => undefined,
    );
  }

  /** Kills the thread as a crash would; for tests of the recovery. */
  async killWorker(): Promise<void> {
    (await this.#pool)?.killWorker(0);
  }

  async #run(
    job: ToTranscribe | ToFit,
    urgency: number,
    signal?: AbortSignal,
  ): Promise<Transcript | readonly number[]> {
    const asked = { job, urgency };
    this.#asked.set(job.pcm, asked);
    const started = this.#started();
    const pool = signal === undefined ? await started : await untilAborted(started, signal);
    if (pool === undefined) throw signal!.reason;
    return pool.run(job, asked.urgency, signal);
  }

  #idOf(pcm: Int16Array): number {
    const id = this.#ids.get(pcm) ?? this.#nextId++;
    this.#ids.set(pcm, id);
    return id;
  }

  #started(): Promise<Pool> {
    if (this.#closed) return Promise.reject(new Failure('free speech is closed', { code: 'pool-closed', blame: 'us' }));
    this.#pool ??= this.#start();
    return this.#pool;
  }

  async #start(): Promise<Pool> {
    const { folder, niceness = 0, threads = 1, log } = this.#options;
    try {
      return await JobPool.start<ToTranscribe | ToFit, Transcript | readonly number[]>({
        ...{ name: 'moonshine', module: new URL('./worker.ts', import.meta.url), workerData: { folder, niceness } },
        ...{ workers: threads, queueLimit: WAITING, jobTimeoutMs: HUNG_MS, log },
      });
    } catch (error) {
      // The next one who asks tries again.
      this.#pool = undefined;
      throw error;
    }
  }
}
