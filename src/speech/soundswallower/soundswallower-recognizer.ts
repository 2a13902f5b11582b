import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { AsrStream, Recognizer, RecognizerStreamOptions, SpeechHints } from '../ports.ts';
import { SupervisedWorker } from '../supervised-worker.ts';
import { CompiledOnce } from './compiled-once.ts';
import { roomForImage } from './engine-image.ts';
import { engineMadeBy } from './engine-makers.ts';
import { type FromWorker, NO_WORK, type ToWorker, type WorkerStats } from './protocol.ts';
import type { WorkerSettings } from './worker.ts';

export interface SoundswallowerOptions {
  /** Threads for callers who wait for an answer, at most. Default 2. */
  workers?: number;
  /**
   * The next of them is started when those there are have this many streams each: until then callers do not wait for each other,
   * and who has few calls pays for one. Nobody waits for it. Default 0: all are there from the start.
   */
  streamsToFill?: number;
  /** Threads for speech that is only taken down; they come behind all others. Default 0: the others do it between. */
  recordWorkers?: number;
  /** Decoders made at start in each thread, about 18 MB each. Default 2. */
  decodersPerWorker?: number;
  /** Folder in which compiled grammars and the started engine are kept for the next start. Default: nowhere. */
  keepIn?: string;
  log: Logger;
}

interface Seat {
  /** Of its thread, from 0. */
  index: number;
  hurried: boolean;
  worker: SupervisedWorker;
  streams: Map<number, RecognizerStreamOptions>;
  stats: Map<number, (stats: WorkerStats) => void>;
}

/** More are made when all of a thread are in use, up to so many. */
const MOST_DECODERS_PER_WORKER = 12;
/** Of threads whose words nobody waits for: with everything else at 0 they get a tenth of what there is (sched(7)). */
const BEHIND_OTHERS = 10;
/** What takes a second when there is time takes much longer behind others. */
const BEHIND_OTHERS_START_MS = 5 * 60_000;
/** Grammars that a new thread is given at once; further ones it compiles when they are wanted. */
const MOST_EXPECTED = 40;

/** Grammar recognition by soundswallower (PocketSphinx in WebAssembly) in worker threads; nothing leaves the machine. */
export class SoundswallowerRecognizer implements Recognizer {
  readonly name = 'soundswallower';
  readonly local = true;
  readonly #seats: Seat[] = [];
  readonly #log: Logger;
  readonly #toFill: number;
  /** Threads for callers that may still be started, one at a time. */
  #more: { count: number; isComing: boolean; settings: WorkerSettings } | undefined;
  #nextIndex = 0;
  /** By key and manner. */
  readonly #expected = new Map<string, SpeechHints>();
  readonly #compiled = new CompiledOnce<Seat>();
  #nextId = 1;
  #closed = false;
  /** Threads that are still to come, which nobody waits for. */
  readonly #coming = new Set<Promise<void>>();
  readonly #giveUp = new AbortController();

  private constructor(log: Logger, toFill: number) {
    this.#log = log;
    this.#toFill = toFill;
  }

  /** Rejects with Failure asr-unavailable when the engine does not start. */
  static async start(options: SoundswallowerOptions): Promise<SoundswallowerRecognizer> {
    const { workers = 2, streamsToFill = 0, recordWorkers = 0, decodersPerWorker = 2, keepIn, log } = options;
    const recognizer = new SoundswallowerRecognizer(log, streamsToFill);
    const library = dirname(createRequire(import.meta.url).resolve('soundswallower'));
    const modelBase = `${library}/model/`;
    const settings: WorkerSettings = {
      modelBase,
      kept:
        keepIn === undefined
          ? undefined
          : { grammars: join(keepIn, 'grammars'), engine: join(keepIn, 'engine'), madeBy: engineMadeBy(library) },
      code: await WebAssembly.compile(await readFile(`${library}/soundswallower.node.wasm`)),
      image: roomForImage(),
      decoders: decodersPerWorker,
      mostDecoders: Math.max(decodersPerWorker, MOST_DECODERS_PER_WORKER),
      niceness: 0,
    };
    // it listens to one segment after the other
    const forRecord = { ...settings, decoders: 1, mostDecoders: 1, niceness: BEHIND_OTHERS };
    const first = streamsToFill > 0 ? 1 : workers;
    const starts = Array.from({ length: first }, () => recognizer.#startSeat(true, settings));
    const failed = (await Promise.allSettled(starts)).find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await recognizer.close();
      const facts = { code: 'asr-unavailable', blame: 'engine', cause: failed.reason } as const;
      throw new Failure('soundswallower does not start', facts);
    }
    recognizer.#more = { count: workers - first, isComing: false, settings };
    for (let i = 0; i < recordWorkers; i++) void recognizer.#startBehind(false, forRecord);
    return recognizer;
  }

  /** What callers will say: made ready once in all threads that will hear it, and again in one that has died. */
  prepare(hints: SpeechHints): void {
    const name = `${hints.unhurried === true} ${hints.key}`;
    if (this.#expected.has(name)) return;
    if (this.#expected.size < MOST_EXPECTED) this.#expected.set(name, hints);
    for (const seat of this.#seats) this.#prepareSeat(seat, hints);
  }

  /** Compiled by one thread, for the others. */
  #prepareOthers(maker: Seat, key: string): void {
    const wanted = [...this.#expected.values()].filter((hints) => hints.key === key);
    for (const seat of this.#seats) {
      if (seat !== maker) for (const hints of wanted) this.#prepareSeat(seat, hints);
    }
  }

  /** A stream in the thread with the fewest. When no thread is up, `onFailure` is told at once (retryable). */
  open(options: RecognizerStreamOptions): AsrStream {
    const { port1: inner, port2: audio } = new MessageChannel();
    const stream = this.#nextId++;
    const seat = this.#seatFor(options.hints.unhurried !== true);
    if (seat === undefined || this.#closed) {
      inner.close();
      const facts = { code: 'asr-unavailable', blame: 'engine', retryable: !this.#closed } as const;
      queueMicrotask(() => options.onFailure(new Failure('no recogniser is up', facts)));
      return { audio, hint: () => undefined, close: () => audio.close() };
    }
    seat.streams.set(stream, options);
    this.#post(seat, { type: 'open', stream, port: inner, hints: sendable(options.hints) });
    this.#startAhead();
    return {
      audio,
      hint: (hints) => {
        if (seat.streams.has(stream)) this.#post(seat, { type: 'hint', stream, hints: sendable(hints) });
      },
      close: () => {
        // where the media worker has it by now, this is without effect
        audio.close();
        if (seat.streams.delete(stream)) this.#post(seat, { type: 'close', stream });
      },
    };
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    const hurried = this.#seats.filter((seat) => seat.hurried);
    const up = hurried.filter(({ worker }) => worker.ready).length;
    const last = this.#seats.map(({ worker }) => worker.lastError).find((error) => error !== undefined);
    const detail = `${up} of ${hurried.length} threads ready`;
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

  /** Streams that are open fail with asr-closed: what was said and not yet understood is known to be lost. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#giveUp.abort();
    await Promise.all(
      this.#seats.map((seat) => {
        const open = [...seat.streams.values()];
        seat.streams.clear();
        const closed = new Failure('the recogniser is closed', { code: 'asr-closed', blame: 'us' });
        for (const { onFailure } of open) onFailure(closed);
        this.#answerStats(seat);
        return seat.worker.close();
      }),
    );
    await Promise.all(this.#coming);
  }

  /** Kills one thread as a crash would; for tests of the recovery. */
  killWorker(index: number): void {
    this.#seatAt(index)?.worker.kill();
  }

  /** The one with the fewest streams of those that are for this, else of all. */
  #seatFor(hurried: boolean): Seat | undefined {
    const ready = this.#seats.filter(({ worker }) => worker.ready).sort((a, b) => a.streams.size - b.streams.size);
    return ready.find((seat) => seat.hurried === hurried) ?? ready.find((seat) => seat.hurried);
  }

  #seatAt(index: number): Seat | undefined {
    return this.#seats.find((seat) => seat.index === index);
  }

  /** The next thread is to be there before callers wait for each other in those there are. */
  #startAhead(): void {
    const more = this.#more;
    if (more === undefined || more.count === 0 || more.isComing) return;
    if (this.#seats.some(({ hurried, streams }) => hurried && streams.size < this.#toFill)) return;
    more.count--;
    more.isComing = true;
    void this.#startBehind(true, more.settings).then(() => {
      more.isComing = false;
    });
  }

  /** Nobody waits: on a busy machine it is long in coming, and the others stand in for it. */
  #startBehind(hurried: boolean, settings: WorkerSettings): Promise<void> {
    const started: Promise<void> = this.#startSeat(hurried, settings)
      .catch((error: unknown) => {
        if (!this.#closed) this.#log.error({ err: error }, 'another thread of the recogniser does not start');
      })
      .finally(() => this.#coming.delete(started));
    this.#coming.add(started);
    return started;
  }

  #prepareSeat(seat: Seat, hints: SpeechHints): void {
    if (seat.hurried !== (hints.unhurried !== true) || !seat.worker.ready) return;
    if (!this.#compiled.mayAsk(hints.key, seat)) return;
    this.#post(seat, { type: 'prepare', hints: sendable(hints), compiled: this.#compiled.get(hints.key) });
  }

  async #startSeat(hurried: boolean, settings: WorkerSettings): Promise<void> {
    const index = this.#nextIndex++;
    const streams: Seat['streams'] = new Map();
    const stats: Seat['stats'] = new Map();
    const worker = await SupervisedWorker.start({
      name: `soundswallower-${index}`,
      module: new URL('./worker.ts', import.meta.url),
      workerData: settings,
      log: this.#log,
      startTimeoutMs: hurried ? undefined : BEHIND_OTHERS_START_MS,
      signal: this.#giveUp.signal,
      onMessage: (message) => this.#onMessage(index, { streams, stats }, message as FromWorker),
      onReady: () => {
        const seat = this.#seatAt(index);
        if (seat) for (const hints of this.#expected.values()) this.#prepareSeat(seat, hints);
      },
      onDown: (error) => {
        const seat = this.#seatAt(index);
        if (seat) this.#compiled.forget(seat);
        this.#answerStats({ stats });
        const lost = [...streams.values()];
        streams.clear();
        for (const { onFailure } of lost) onFailure(error);
      },
    });
    const seat = { index, hurried, worker, streams, stats };
    this.#seats.push(seat);
    if (this.#closed) await worker.close();
    else for (const hints of this.#expected.values()) this.#prepareSeat(seat, hints);
  }

  #onMessage(index: number, { streams, stats }: Pick<Seat, 'streams' | 'stats'>, message: FromWorker): void {
    switch (message.type) {
      case 'compiled': {
        this.#compiled.put(message.key, message.compiled);
        const seat = this.#seatAt(index);
        if (seat) this.#prepareOthers(seat, message.key);
        return;
      }
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

/** A function goes to no thread; and it is the second ear's. */
function sendable({ mayHaveBeen: _, ...hints }: SpeechHints): SpeechHints {
  return hints;
}
