import { rm } from 'node:fs/promises';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { KeyRing } from '../../media/recording/key-ring.ts';
import { OPUS_CHUNK_BYTES, unfinishedPath } from '../../media/recording/opus-file.ts';
import type { OpusJob } from '../../media/recording/opus-worker.ts';
import { peaksPath } from '../../media/recording/peaks.ts';
import { SEALED_SUFFIX } from '../../media/recording/recording-reader.ts';
import { newSeal } from '../../media/recording/sealed-file.ts';
import { JobPool } from '../../speech/job-pool.ts';

/** Recordings that may wait; one for which there is no room stays WAV. */
const QUEUE = 1000;
/** A call of hours takes a minute. */
const LONGEST_MS: Ms = 600_000;

/** Makes Ogg Opus of recordings, one after the other, in a thread that gives way to calls. */
export class RecordingEncoder {
  readonly #pool: JobPool<OpusJob, number>;
  readonly #keys: KeyRing | undefined;
  readonly #running = new Set<Promise<number>>();
  #stopped: Promise<void> | undefined;

  private constructor(pool: JobPool<OpusJob, number>, keys: KeyRing | undefined) {
    this.#pool = pool;
    this.#keys = keys;
  }

  static async start(keys: KeyRing | undefined, log: Logger): Promise<RecordingEncoder> {
    const pool = await JobPool.start<OpusJob, number>({
      name: 'opus',
      module: new URL('../../media/recording/opus-worker.ts', import.meta.url),
      workerData: { keys: keys?.keys ?? [] },
      workers: 1,
      queueLimit: QUEUE,
      jobTimeoutMs: LONGEST_MS,
      log,
    });
    return new RecordingEncoder(pool, keys);
  }

  /**
   * Writes `target` and its waveform beside `source`; resolves with its bytes as they are played. @throws Failure; nothing is left then but,
   * after `close`, what is unfinished
   */
  encode(source: string, target: string): Promise<number> {
    const running = this.#encode(source, target).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  async #encode(source: string, target: string): Promise<number> {
    const sealed = target.endsWith(SEALED_SUFFIX);
    const seal = sealed && this.#keys ? newSeal(this.#keys, 'ogg', OPUS_CHUNK_BYTES) : undefined;
    try {
      return await this.#pool.run({ source, target, seal }, 0);
    } catch (error) {
      // Of a thread that was ended in the middle: when it is gone, or it would write on.
      await this.#stopped;
      const left = this.#stopped === undefined ? [unfinishedPath(target), target] : [target];
      for (const path of [...left, peaksPath(target)]) await rm(path, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** What waits, and what is half done, stays WAV until the next start. Idempotent. */
  async close(): Promise<void> {
    this.#stopped ??= this.#pool.close();
    await this.#stopped;
    await Promise.allSettled(this.#running);
  }
}
