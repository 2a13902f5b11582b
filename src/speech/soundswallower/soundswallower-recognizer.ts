import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { AsrStream, Recognizer, RecognizerStreamOptions } from '../ports.ts';
import { SupervisedWorker } from '../supervised-worker.ts';
import { type FromWorker, NO_WORK, type ToWorker, type WorkerStats } from './protocol.ts';
import type { WorkerSettings } from './worker.ts';

export interface SoundswallowerOptions {
  /** Threads. Default 2: one keeps up with about ten callers who speak at the same moment (6 % of a core each). */
  workers?: number;
  /** Decoders made at start in each thread, about 18 MB each. Default 4. */
  decodersPerWorker?: number;
  /** More are made when all are in use, up to so many. Default 12. */
  mostDecodersPerWorker?: number;
  log: Logger;
}

interface Seat {
  worker: SupervisedWorker;
  streams: Map<number, RecognizerStreamOptions>;
  stats: Map<number, (stats: WorkerStats) => void>;
}

/** Grammar recognition by soundswallower (PocketSphinx in WebAssembly) in worker threads; nothing leaves the machine. */
export class SoundswallowerRecognizer implements Recognizer {
  readonly name = 'soundswallower';
  readonly local = true;
  readonly #seats: Seat[] = [];
  readonly #log: Logger;
  #nextId = 1;
  #closed = false;

  private constructor(log: Logger) {
    this.#log = log;
  }

  /** Rejects with Failure asr-unavailable when the engine does not start. */
  static async start(options: SoundswallowerOptions): Promise<SoundswallowerRecognizer> {
    const { workers = 2, decodersPerWorker = 4, mostDecodersPerWorker = 12, log } = options;
    const recognizer = new SoundswallowerRecognizer(log);
    const library = dirname(createRequire(import.meta.url).resolve('soundswallower'));
    const settings: WorkerSettings = {
      modelBase: `${library}/model/`,
      decoders: decodersPerWorker,
      mostDecoders: Math.max(decodersPerWorker, mostDecodersPerWorker),
    };
    const starts = Array.from({ length: workers }, (_, index) => recognizer.#startSeat(index, settings));
    const failed = (await Promise.allSettled(starts)).find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await recognizer.close();
      const facts = { code: 'asr-unavailable', blame: 'engine', cause: failed.reason } as const;
      throw new Failure('soundswallower does not start', facts);
    }
    return recognizer;
  }

  /** A stream in the thread with the fewest. When no thread is up, `onFailure` is told at once (retryable). */
  open(options: RecognizerStreamOptions): AsrStream {
    const { port1: inner, port2: audio } = new MessageChannel();
    const stream = this.#nextId++;
    const seat = this.#seats.filter(({ worker }) => worker.ready).sort((a, b) => a.streams.size - b.streams.size)[0];
    if (seat === undefined || this.#closed) {
      inner.close();
      const facts = { code: 'asr-unavailable', blame: 'engine', retryable: !this.#closed } as const;
      queueMicrotask(() => options.onFailure(new Failure('no recogniser is up', facts)));
      return { audio, hint: () => undefined, close: () => audio.close() };
    }
    seat.streams.set(stream, options);
    this.#post(seat, { type: 'open', stream, port: inner, hints: options.hints });
    return {
      audio,
      hint: (hints) => {
        if (seat.streams.has(stream)) this.#post(seat, { type: 'hint', stream, hints });
      },
      close: () => {
        // where the media worker has it by now, this is without effect
        audio.close();
        if (seat.streams.delete(stream)) this.#post(seat, { type: 'close', stream });
      },
    };
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    const up = this.#seats.filter(({ worker }) => worker.ready).length;
    const last = this.#seats.map(({ worker }) => worker.lastError).find((error) => error !== undefined);
    const detail = `${up} of ${this.#seats.length} threads ready`;
    return { ok: up > 0, detail: last === undefined ? detail : `${detail}; last: ${last.message}` };
  }

  /** Sums over the threads that are up. */
  async stats(): Promise<WorkerStats> {
    const each = await Promise.all(
      this.#seats
        .filter(({ worker }) => worker.ready)
        .map(
          (seat) =>
            new Promise<WorkerStats | undefined>((resolve) => {
              const id = this.#nextId++;
              seat.stats.set(id, resolve);
              if (!this.#post(seat, { type: 'stats', id })) resolve(undefined);
            }),
        ),
    );
    const sum = { ...NO_WORK };
    for (const stats of each) {
      for (const key of Object.keys(sum) as (keyof WorkerStats)[]) sum[key] += stats?.[key] ?? 0;
    }
    return sum;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#seats.map((seat) => {
        seat.streams.clear();
        this.#answerStats(seat);
        return seat.worker.close();
      }),
    );
  }

  /** Kills one thread as a crash would; for tests of the recovery. */
  killWorker(index: number): void {
    this.#seats[index]?.worker.kill();
  }

  async #startSeat(index: number, settings: WorkerSettings): Promise<void> {
    const streams: Seat['streams'] = new Map();
    const stats: Seat['stats'] = new Map();
    const worker = await SupervisedWorker.start({
      name: `soundswallower-${index}`,
      module: new URL('./worker.ts', import.meta.url),
      workerData: settings,
      log: this.#log,
      onMessage: (message) => this.#onMessage({ streams, stats }, message as FromWorker),
      onDown: (error) => {
        this.#answerStats({ stats });
        const lost = [...streams.values()];
        streams.clear();
        for (const { onFailure } of lost) onFailure(error);
      },
    });
    this.#seats[index] = { worker, streams, stats };
    if (this.#closed) await worker.close();
  }

  #onMessage({ streams, stats }: Pick<Seat, 'streams' | 'stats'>, message: FromWorker): void {
    switch (message.type) {
      case 'result':
        streams.get(message.stream)?.onResult(message.result);
        return;
      case 'failure': {
        const options = streams.get(message.stream);
        streams.delete(message.stream);
        const blame = message.code === 'bad-grammar' || message.code === 'unpronounceable-word' ? 'us' : 'engine';
        const facts = { code: message.code, blame, retryable: blame === 'engine' } as const;
        options?.onFailure(new Failure(message.message, facts));
        return;
      }
      case 'stats':
        stats.get(message.id)?.(message.stats);
        stats.delete(message.id);
        return;
      case 'trouble':
        this.#log.error({ reason: message.message }, 'a speech decoder does not start');
    }
  }

  #post(seat: Seat, message: ToWorker): boolean {
    return seat.worker.post(message, message.type === 'open' ? [message.port] : []);
  }

  #answerStats({ stats }: Pick<Seat, 'stats'>): void {
    for (const answer of stats.values()) answer(NO_WORK);
    stats.clear();
  }
}
