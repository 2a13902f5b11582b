import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { AsrResult, SpeechHints } from '../../../src/speech/ports.ts';
import { readModels } from '../../../src/speech/soundswallower/acoustic-model.ts';
import { GrammarDecoder } from '../../../src/speech/soundswallower/decoder.ts';
import { DecoderPool } from '../../../src/speech/soundswallower/decoder-pool.ts';
import { Dictionary } from '../../../src/speech/soundswallower/dictionary.ts';
import { FastGaussians } from '../../../src/speech/soundswallower/gaussians/fast-gaussians.ts';
import { type CompiledGrammar, GrammarCache } from '../../../src/speech/soundswallower/grammar-cache.ts';
import { Listening } from '../../../src/speech/soundswallower/listening.ts';
import { NO_WORK, type WorkerStats } from '../../../src/speech/soundswallower/protocol.ts';

const PACKET = 160;

export interface Heard {
  readonly result: AsrResult;
  /** CPU time spent while the caller spoke, and behind the end of the segment, ms. */
  readonly duringMs: number;
  readonly finalMs: number;
}

/** The recogniser's own parts in this thread, so that time and results do not depend on what else runs. */
export class Hearing {
  readonly #grammars: GrammarCache;
  readonly #pool: DecoderPool;

  private constructor(grammars: GrammarCache, pool: DecoderPool) {
    this.#grammars = grammars;
    this.#pool = pool;
  }

  static async start(): Promise<Hearing> {
    const modelBase = `${dirname(createRequire(import.meta.url).resolve('soundswallower'))}/model/`;
    const dictionary = await Dictionary.load(`${modelBase}en-us/dict.txt`);
    const models = await readModels(`${modelBase}en-us/`);
    const gaussians = new FastGaussians();
    const pool = new DecoderPool(
      () => GrammarDecoder.create(modelBase, models, gaussians),
      1,
      (error) => {
        throw error;
      },
    );
    await pool.fill(1);
    return new Hearing(new GrammarCache(dictionary), pool);
  }

  /** A stream of segments; the caller of this feeds it. */
  open(hints: SpeechHints, onResult: (result: AsrResult) => void): Listening {
    return new Listening({
      pool: this.#pool,
      grammar: this.#grammars.get(hints),
      counters: unhurriedCounters(),
      hurried: true,
      onResult,
      onFailure: (failure) => {
        throw failure;
      },
    });
  }

  grammar(hints: SpeechHints): CompiledGrammar {
    return this.#grammars.get(hints);
  }

  /** One call, whose segments are heard one after another. */
  call(): Ear {
    return new Ear(this);
  }
}

export class Ear {
  readonly #hearing: Hearing;
  #listening: Listening | undefined;
  #results: AsrResult[] = [];
  #segment = 0;
  #onResult: ((result: AsrResult) => void) | undefined;

  constructor(hearing: Hearing) {
    this.#hearing = hearing;
  }

  hear(pcm: Int16Array, hints: SpeechHints): Heard {
    const listening = this.#prepare(hints);
    const segment = ++this.#segment;
    this.#results = [];
    const started = cpuMs();
    listening.onMessage({ type: 'segment-start', segment, at: 0 });
    for (let at = 0; at < pcm.length; at += PACKET) {
      listening.onMessage({ type: 'audio', segment, at: 0, pcm: pcm.slice(at, at + PACKET) });
    }
    const spoken = cpuMs();
    listening.onMessage({ type: 'segment-end', segment, at: 0 });
    const ended = cpuMs();
    const result = this.#results.find(({ kind }) => kind === 'final');
    if (result === undefined) throw new Error('a segment without a final result');
    return { result, duringMs: spoken - started, finalMs: ended - spoken };
  }

  /** The same frame by frame: `onResult` is told what is understood so far. */
  begin(hints: SpeechHints, onResult: (result: AsrResult) => void): void {
    this.#onResult = onResult;
    this.#prepare(hints).onMessage({ type: 'segment-start', segment: ++this.#segment, at: 0 });
  }

  push(pcm: Int16Array): void {
    this.#listening?.onMessage({ type: 'audio', segment: this.#segment, at: 0, pcm });
  }

  close(): void {
    this.#listening?.close();
  }

  #prepare(hints: SpeechHints): Listening {
    this.#listening ??= this.#hearing.open(hints, (result) => {
      this.#results.push(result);
      this.#onResult?.(result);
    });
    this.#listening.grammar = this.#hearing.grammar(hints);
    this.#listening.besidesAtMs = hints.besidesAtMs ?? [];
    return this.#listening;
  }
}

/** What else runs on this machine must not decide whether there is time for a second look. */
function unhurriedCounters(): WorkerStats {
  const counters = { ...NO_WORK };
  return Object.defineProperty(counters, 'busyMs', { get: () => 0, set: () => undefined });
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
