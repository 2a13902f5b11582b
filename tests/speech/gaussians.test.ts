import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModels } from '../../src/speech/soundswallower/acoustic-model.ts';
import { GrammarDecoder } from '../../src/speech/soundswallower/decoder.ts';
import { Dictionary } from '../../src/speech/soundswallower/dictionary.ts';
import { FastGaussians } from '../../src/speech/soundswallower/gaussians/fast-gaussians.ts';
import {
  BEST,
  CODEBOOKS,
  constantAt,
  DENSITIES,
  kernelCode,
  meanAt,
  STREAM_BYTES,
  STREAMS,
  TABLE_BYTES,
  weightAt,
} from '../../src/speech/soundswallower/gaussians/kernel.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';
import { BANKING, digits } from './support/listener.ts';
import { Caller, inNoise } from './support/telephone.ts';

const MODELS = `${dirname(createRequire(import.meta.url).resolve('soundswallower'))}/model/`;
const LISTS = CODEBOOKS * STREAMS;
const COEFFICIENTS = 13;

/** The kernel with tables of random Gaussians, and an engine that is nothing but memory. */
class Bench {
  static readonly EVEN = 4096;
  static readonly ODD = 4096 + LISTS * BEST * 8;
  readonly tables = new WebAssembly.Memory({ initial: Math.ceil((2 * TABLE_BYTES) / 65_536) });
  readonly engine = new WebAssembly.Memory({ initial: 1 });
  readonly calls: number[][] = [];
  readonly #evaluate: (...parameters: number[]) => number;

  constructor() {
    const random = fc.sample(fc.float({ min: -30, max: 30, noNaN: true }), { numRuns: 997, seed: 1 });
    const table = new Float32Array(this.tables.buffer);
    for (let i = 0; i < LISTS * 2; i++) {
      const stream = i * (STREAM_BYTES / 4);
      for (let density = 0; density < DENSITIES; density++) {
        const any = (k: number) => random[(i * 131 + density * 17 + k * 29) % random.length]!;
        table[stream + constantAt(density)] = -20_000 + 500 * any(0);
        for (let c = 0; c < COEFFICIENTS; c++) {
          table[stream + meanAt(density, c)] = any(2 * c + 1);
          table[stream + weightAt(density, c)] = Math.abs(any(2 * c + 2)) + 0.01;
        }
      }
    }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernelCode()), {
      host: {
        engine: this.engine,
        tables: this.tables,
        evaluate: (...parameters: number[]) => this.calls.push(parameters),
        secondModel: 777,
        firstEven: Bench.EVEN,
        firstOdd: Bench.ODD,
        secondEven: Bench.EVEN,
        secondOdd: Bench.ODD,
      },
    });
    this.#evaluate = exports.evaluate as (...parameters: number[]) => number;
  }

  evaluate(model: number, frame: number, observation: readonly number[], guess: readonly number[]): void {
    const words = new Int32Array(this.engine.buffer);
    words.set([64, 64 + 52, 64 + 104], 4);
    new Float32Array(this.engine.buffer, 64, 39).set(observation);
    for (const lists of [Bench.EVEN, Bench.ODD]) {
      for (let i = 0; i < LISTS * BEST; i++) words.set([guess[i % BEST]!, -2_147_483_648], lists / 4 + 2 * i);
    }
    this.#evaluate(model, 1, 2, 3, 16, frame, 6);
  }

  list(lists: number, index: number): { density: number; score: number }[] {
    const words = new Int32Array(this.engine.buffer, lists + index * BEST * 8, BEST * 2);
    return Array.from({ length: BEST }, (_, k) => ({ density: words[2 * k]!, score: words[2 * k + 1]! }));
  }

  /** As the engine's C would compute it, in single precision and in the same order. */
  likelihood(table: number, index: number, density: number, observation: readonly number[]): number {
    const floats = new Float32Array(this.tables.buffer, table * TABLE_BYTES + index * STREAM_BYTES, STREAM_BYTES / 4);
    let result = floats[constantAt(density)]!;
    for (let c = 0; c < COEFFICIENTS; c++) {
      const apart = Math.fround(Math.fround(observation[(index % STREAMS) * 13 + c]!) - floats[meanAt(density, c)]!);
      result = Math.fround(result - Math.fround(Math.fround(apart * apart) * floats[weightAt(density, c)]!));
    }
    return Math.trunc(result);
  }
}

describe('the kernel', () => {
  it('finds the four best Gaussians of each codebook, whatever it takes for the best at first', () => {
    const bench = new Bench();
    const numbers = fc.array(fc.float({ min: -40, max: 40, noNaN: true }), { minLength: 39, maxLength: 39 });
    const guesses = fc.uniqueArray(fc.integer({ min: 0, max: DENSITIES - 1 }), { minLength: BEST, maxLength: BEST });
    fc.assert(
      fc.property(numbers, guesses, fc.nat({ max: 99 }), fc.boolean(), (observation, guess, frame, second) => {
        bench.evaluate(second ? 777 : 1, frame, observation, guess);
        expect(bench.calls.at(-1)).toEqual([second ? 777 : 1, 1, 2, 3, 16, frame, 6]);
        for (const index of [0, 1, 2, 64, LISTS - 1]) {
          const all = Array.from({ length: DENSITIES }, (_, density) =>
            bench.likelihood(Number(second), index, density, observation),
          );
          const found = bench.list(frame % 2 === 0 ? Bench.EVEN : Bench.ODD, index);
          expect(found.map(({ score }) => score)).toEqual(all.toSorted((a, b) => b - a).slice(0, BEST));
          expect(found.map(({ density }) => all[density])).toEqual(found.map(({ score }) => score));
          expect(new Set(found.map(({ density }) => density)).size).toBe(BEST);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the lists of the other frames alone', () => {
    const bench = new Bench();
    bench.evaluate(1, 7, Array(39).fill(1), [5, 6, 7, 8]);
    expect(bench.list(Bench.EVEN, 3).map(({ density }) => density)).toEqual([5, 6, 7, 8]);
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
