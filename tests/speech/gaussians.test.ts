import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModels } from '../../src/speech/soundswallower/acoustic-model.ts';
import { GrammarDecoder } from '../../src/speech/soundswallower/decoder.ts';
import { Dictionary } from '../../src/speech/soundswallower/dictionary.ts';
import { FastGaussians } from '../../src/speech/soundswallower/gaussians/fast-gaussians.ts';
import { kernelCode } from '../../src/speech/soundswallower/gaussians/kernel.ts';
import {
  BEST,
  CODEBOOK_OF,
  CODEBOOKS,
  constantAt,
  DENSITIES,
  LOG_ADD,
  MIXTURES,
  meanAt,
  RUNS,
  SENONES,
  SHARED_BYTES,
  STREAMS,
  TABLE_BYTES,
  weightAt,
} from '../../src/speech/soundswallower/gaussians/layout.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';
import { BANKING, digits } from './support/listener.ts';
import { Caller, inNoise } from './support/telephone.ts';

const MODELS = `${dirname(createRequire(import.meta.url).resolve('soundswallower'))}/model/`;
const ALL_STREAMS = CODEBOOKS * STREAMS;
const COEFFICIENTS = 13;
const SENONES_IN_RUN = 50;
const LOG_ADD_TABLE = [7, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, ...Array(12).fill(1), 0, 0];

interface Entry {
  density: number;
  score: number;
}

/** The kernel with two random models, and an engine that is nothing but memory. */
class Bench {
  static readonly SECOND = 777;
  static readonly LISTS = [4096, 4096 + ALL_STREAMS * BEST * 8] as const;
  static readonly FEATURES = 16;
  static readonly OBSERVATION = 64;
  static readonly ACTIVES = 16_384;
  static readonly SCORES = 32_768;
  readonly shared = new WebAssembly.Memory({ initial: Math.ceil(SHARED_BYTES / 65_536) });
  readonly engine = new WebAssembly.Memory({ initial: 1 });
  readonly engineAsked: number[][] = [];
  readonly codebookOf = Uint8Array.from(
    { length: SENONES },
    (_, s) => (7 * Math.floor(s / SENONES_IN_RUN)) % CODEBOOKS,
  );
  readonly #evaluate: (...parameters: number[]) => number;

  constructor() {
    const random = fc.sample(fc.float({ min: -30, max: 30, noNaN: true }), { numRuns: 997, seed: 1 });
    const { buffer } = this.shared;
    for (let table = 0; table < 2; table++) {
      const floats = new Float32Array(buffer, table * TABLE_BYTES, TABLE_BYTES / 4);
      for (let i = 0; i < ALL_STREAMS * DENSITIES; i++) {
        const [stream, density] = [Math.floor(i / DENSITIES), i % DENSITIES];
        const any = (k: number) => random[(table * 333 + i * 17 + k * 29) % random.length]!;
        floats[constantAt(stream, density)] = -20_000 + 500 * any(0);
        for (let c = 0; c < COEFFICIENTS; c++) {
          floats[meanAt(stream, density, c)] = any(2 * c + 1);
          floats[weightAt(stream, density, c)] = Math.abs(any(2 * c + 2)) + 0.01;
        }
      }
    }
    const mixtures = new Uint8Array(buffer, MIXTURES, STREAMS * DENSITIES * SENONES);
    for (let i = 0; i < mixtures.length; i++) mixtures[i] = Math.abs(random[(i * 31) % random.length]! * 5.3);
    new Uint8Array(buffer, CODEBOOK_OF).set(this.codebookOf);
    new Uint8Array(buffer, LOG_ADD).set(LOG_ADD_TABLE);
    const runs = Math.ceil(SENONES / SENONES_IN_RUN);
    const run = (i: number) => [this.codebookOf[i * SENONES_IN_RUN]!, i * SENONES_IN_RUN, SENONES_IN_RUN];
    const ends = SENONES - (runs - 1) * SENONES_IN_RUN;
    const all = Array.from({ length: runs }, (_, i) => run(i));
    all[runs - 1]![2] = ends;
    new Int32Array(buffer, RUNS).set(all.flat());
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernelCode()), {
      host: {
        engine: this.engine,
        shared: this.shared,
        evaluate: (...parameters: number[]) => this.engineAsked.push(parameters),
        secondModel: Bench.SECOND,
        firstLists: Bench.LISTS[0],
        secondLists: Bench.LISTS[1],
        runs,
      },
    });
    this.#evaluate = exports.evaluate as (...parameters: number[]) => number;
  }

  /** `actives`: senones in order, less than 256 apart. Returns their scores. */
  evaluate(
    model: 0 | 1,
    observation: readonly number[],
    guess: readonly number[],
    actives: readonly number[],
  ): number[] {
    const { buffer } = this.engine;
    const words = new Int32Array(buffer);
    words.set(
      [0, 1, 2].map((i) => Bench.OBSERVATION + i * COEFFICIENTS * 4),
      Bench.FEATURES / 4,
    );
    new Float32Array(buffer, Bench.OBSERVATION).set(observation);
    for (const lists of Bench.LISTS) {
      for (let i = 0; i < ALL_STREAMS * BEST; i++) words.set([guess[i % BEST]!, -2_147_483_648], lists / 4 + 2 * i);
    }
    new Uint8Array(buffer, Bench.ACTIVES).set(actives.map((senone, i) => senone - (actives[i - 1] ?? 0)));
    const address = model === 0 ? 1 : Bench.SECOND;
    this.#evaluate(address, Bench.SCORES, Bench.ACTIVES, actives.length, Bench.FEATURES, 3, 0);
    const scores = new Int16Array(buffer, Bench.SCORES, SENONES);
    return actives.map((senone) => scores[senone]!);
  }

  evaluateAll(): void {
    this.#evaluate(1, 2, 3, 4, 5, 6, 1);
  }

  list(model: 0 | 1, stream: number): Entry[] {
    const words = new Int32Array(this.engine.buffer, Bench.LISTS[model] + stream * BEST * 8, BEST * 2);
    return Array.from({ length: BEST }, (_, k) => ({ density: words[2 * k]!, score: words[2 * k + 1]! }));
  }

  /** As the engine's C would compute it, in single precision and in the same order. */
  likelihood(model: 0 | 1, stream: number, density: number, observation: readonly number[]): number {
    const floats = new Float32Array(this.shared.buffer, model * TABLE_BYTES, TABLE_BYTES / 4);
    let result = floats[constantAt(stream, density)]!;
    for (let c = 0; c < COEFFICIENTS; c++) {
      const seen = Math.fround(observation[(stream % STREAMS) * COEFFICIENTS + c]!);
      const apart = Math.fround(seen - floats[meanAt(stream, density, c)]!);
      result = Math.fround(result - Math.fround(Math.fround(apart * apart) * floats[weightAt(stream, density, c)]!));
    }
    return Math.trunc(result);
  }

  /** What ptm_mgau_senone_eval makes of the lists. */
  scores(model: 0 | 1, actives: readonly number[]): number[] {
    const inUse = new Set(actives.map((senone) => this.codebookOf[senone]!));
    const mixtures = new Uint8Array(this.shared.buffer, MIXTURES);
    const norms = [0, 1, 2].map((stream) =>
      Math.max(...Array.from(inUse, (codebook) => this.list(model, codebook * STREAMS + stream)[0]!.score >> 10)),
    );
    const sums = actives.map((senone) =>
      norms.reduce((sum, norm, stream) => {
        const terms = this.list(model, this.codebookOf[senone]! * STREAMS + stream).map(
          ({ density, score }) =>
            mixtures[(stream * DENSITIES + density) * SENONES + senone]! + Math.min(96, norm - (score >> 10)),
        );
        return sum + terms.reduce((x, y) => Math.min(x, y) - (LOG_ADD_TABLE[Math.abs(x - y)] ?? 0));
      }, 0),
    );
    const best = Math.min(...sums);
    return sums.map((sum) => sum - best);
  }
}

describe('the kernel', () => {
  const numbers = fc.array(fc.float({ min: -40, max: 40, noNaN: true }), { minLength: 39, maxLength: 39 });
  const guesses = fc.uniqueArray(fc.integer({ min: 0, max: DENSITIES - 1 }), { minLength: BEST, maxLength: BEST });
  const steps = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 60 });
  const sometimesAll = fc.option(steps, { freq: 3, nil: Array<number>(SENONES - 1).fill(1) });
  const bench = new Bench();

  it('finds the best Gaussians whatever it takes for the best at first, and makes the engine’s scores of them', () => {
    fc.assert(
      fc.property(
        numbers,
        guesses,
        sometimesAll,
        fc.constantFrom(0 as const, 1 as const),
        (seen, guess, step, model) => {
          let senone = 0;
          const actives = [0, ...step.map((by) => (senone += by))].filter((each) => each < SENONES);
          const scores = bench.evaluate(model, seen, guess, actives);
          const inUse = new Set(actives.map((senone) => bench.codebookOf[senone]!));
          for (const codebook of [...inUse].slice(0, 3)) {
            for (let stream = codebook * STREAMS; stream < (codebook + 1) * STREAMS; stream++) {
              const all = Array.from({ length: DENSITIES }, (_, density) =>
                bench.likelihood(model, stream, density, seen),
              );
              const found = bench.list(model, stream);
              expect(found.map(({ score }) => score)).toEqual(all.toSorted((a, b) => b - a).slice(0, BEST));
              expect(found.map(({ density }) => all[density])).toEqual(found.map(({ score }) => score));
              expect(new Set(found.map(({ density }) => density)).size).toBe(BEST);
            }
          }
          expect(scores).toEqual(bench.scores(model, actives));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leaves to the engine what it does not do itself', () => {
    bench.evaluateAll();
    expect(bench.engineAsked).toEqual([[1, 2, 3, 4, 5, 6, 1]]);
  });
});

describe('a decoder with the kernel', () => {
  let fast: GrammarDecoder;
  let plain: GrammarDecoder;
  let cache: GrammarCache;
  let awb: Caller;

  beforeAll(async () => {
    const files = await readModels(`${MODELS}en-us/`);
    cache = new GrammarCache(await Dictionary.load(`${MODELS}en-us/dict.txt`));
    const gaussians = new FastGaussians();
    // the second of its thread: both use the same tables
    await GrammarDecoder.create(MODELS, files, gaussians);
    fast = await GrammarDecoder.create(MODELS, files, gaussians);
    plain = await GrammarDecoder.create(MODELS, files);
    awb = await Caller.start('awb');
  });
  afterAll(() => awb.close());

  it('hears the same as without, to the last digit of every score, on quiet lines and in noise', async () => {
    const said = [
      [BANKING, 'what is my savings account balance'],
      [BANKING, 'the weather in paris is lovely today'],
      [digits(6), 'four seven one nine two zero'],
    ] as const;
    for (const [hints, text] of said) {
      const speech = await awb.says(text);
      for (const [acoustics, pcm] of [['quiet', speech] as const, ['steady-noise', inNoise(speech, 12)] as const]) {
        const [heard, expected] = [fast, plain].map((decoder) => {
          decoder.load(cache.get(hints));
          decoder.start({ acoustics });
          for (let at = 0; at < pcm.length; at += 160) decoder.write(pcm.subarray(at, at + 160));
          return [decoder.finish(), decoder.mean, decoder.again(pcm, acoustics)];
        });
        expect(heard).toEqual(expected);
      }
    }
  });
});
