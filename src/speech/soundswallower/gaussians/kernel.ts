import { CEPSTRA } from '../engine-memory.ts';
import {
  assemble,
  type Code,
  call,
  choose,
  F32,
  f32,
  f32x4,
  get,
  global,
  I32,
  i32,
  leave,
  repeat,
  set,
  tee,
  V128,
  v128,
  when,
} from './assembler.ts';

/** Of soundswallower's en-us model: a codebook for each phone, in it Gaussians for each of three streams of cepstra. */
export const CODEBOOKS = 42;
export const STREAMS = 3;
export const DENSITIES = 128;
/** The best so many of each codebook and stream count (the engine's default `topn`). */
export const BEST = 4;

/**
 * Gaussians stand in the table four by four: their four constants, then for each coefficient four means and four
 * weights, so that four are computed at once, in the order in which memory is read the fastest.
 */
const LANES = 4;
const VECTOR = 4 * LANES;
const BLOCK = VECTOR * (1 + 2 * CEPSTRA);
export const STREAM_BYTES = (DENSITIES / LANES) * BLOCK;
export const TABLE_BYTES = CODEBOOKS * STREAMS * STREAM_BYTES;
/** Offsets within a table, in floats. */
export const constantAt = (density: number): number => ((density >> 2) * BLOCK) / 4 + (density & 3);
export const meanAt = (density: number, coefficient: number): number =>
  constantAt(density) + LANES * (1 + 2 * coefficient);
export const weightAt = (density: number, coefficient: number): number => meanAt(density, coefficient) + LANES;

/** An entry of the engine's lists (ptm_topn_t): number of the Gaussian, its log-likelihood. */
const ENTRY = 8;
const SCORE = 4;
const LIST = BEST * ENTRY;
/** After so many coefficients most Gaussians are out of the question. */
const SURE_AFTER = 5;

const ENGINE = 0;
const TABLES = 1;

/** Numbers of functions. */
const ENGINES_OWN = 0;
const LIKELIHOOD = 1;
const PLACE = 2;
const OFFER = 3;
const BEST_OF = 4;
const EVALUATE = 5;

/** (table, observation, density) -> log-likelihood, as the engine rounds it. */
const likelihood = () => {
  const [table, observation, density, at, result, difference] = [0, 1, 2, 3, 4, 5];
  const block = i32.mul(i32.shiftRight(get(density), i32.const(2)), i32.const(BLOCK));
  const lane = i32.shl(i32.and(get(density), i32.const(3)), i32.const(2));
  const coefficients = Array.from({ length: CEPSTRA }, (_, i) => {
    const mean = f32.load(TABLES, get(at), VECTOR * (1 + 2 * i));
    const weight = f32.load(TABLES, get(at), VECTOR * (2 + 2 * i));
    const apart = tee(difference, f32.sub(f32.load(ENGINE, get(observation), 4 * i), mean));
    return set(result, f32.sub(get(result), f32.mul(f32.mul(apart, get(difference)), weight)));
  });
  return {
    parameters: [I32, I32, I32],
    results: [I32],
    locals: [I32, F32, F32],
    body: [
      set(at, i32.add(get(table), i32.add(block, lane))),
      set(result, f32.load(TABLES, get(at))),
      coefficients,
      i32.fromF32(get(result)),
    ],
  } as const;
};

/** (list, place, density, score, beats): puts it at that place or before all that are less than `beats`. */
const place = () => {
  const [list, at, density, score, beats, address] = [0, 1, 2, 3, 4, 5];
  const move = [
    set(address, i32.sub(get(address), i32.const(ENTRY))),
    i32.store(ENGINE, get(address), i32.load(ENGINE, get(address)), ENTRY),
    i32.store(ENGINE, get(address), i32.load(ENGINE, get(address), SCORE), ENTRY + SCORE),
  ];
  const scoreBefore = i32.load(ENGINE, i32.sub(get(address), i32.const(ENTRY)), SCORE);
  const put = [i32.store(ENGINE, get(address), get(density)), i32.store(ENGINE, get(address), get(score), SCORE)];
  return {
    parameters: [I32, I32, I32, I32, I32],
    results: [],
    locals: [I32],
    body: [
      set(address, i32.add(get(list), i32.mul(get(at), i32.const(ENTRY)))),
      repeat(
        when(i32.eq(get(address), get(list)), put, [0x0f]),
        when(i32.less(scoreBefore, get(beats)), move, [0x0c, 1]),
        put,
        i32.const(0),
      ),
    ],
  } as const;
};

/** (list, density, likelihood): into the list, unless it is worse than all of it or stands there already. */
const offer = () => {
  const [list, density, value, score] = [0, 1, 2, 3];
  const worst = f32.fromI32(i32.load(ENGINE, get(list), (BEST - 1) * ENTRY + SCORE));
  const known = Array.from({ length: BEST }, (_, k) => i32.eq(i32.load(ENGINE, get(list), k * ENTRY), get(density)));
  return {
    parameters: [I32, I32, F32],
    results: [],
    locals: [I32],
    body: [
      leave(f32.less(get(value), worst)),
      leave(known.reduce((any, one) => i32.or(any, one))),
      set(score, i32.fromF32(get(value))),
      call(PLACE, get(list), i32.const(BEST - 1), get(density), get(score), i32.add(get(score), i32.const(1))),
    ],
  } as const;
};

/** (table, observation, list): the list holds the best of the frame before; then those of this one. */
const bestOf = () => {
  const [table, observation, list, density, at] = [0, 1, 2, 3, 4];
  const [values, worst, apart, first] = [5, 6, 7, 8];
  const reorder = Array.from({ length: BEST }, (_, k) => [
    set(density, i32.load(ENGINE, get(list), k * ENTRY)),
    set(at, call(LIKELIHOOD, get(table), get(observation), get(density))),
    call(PLACE, get(list), i32.const(k), get(density), get(at), get(at)),
  ]);
  const less = (i: number) => {
    const mean = f32x4.load(TABLES, get(at), VECTOR * (1 + 2 * i));
    const weight = f32x4.load(TABLES, get(at), VECTOR * (2 + 2 * i));
    const difference = tee(apart, f32x4.sub(get(first + i), mean));
    return set(values, f32x4.sub(get(values), f32x4.mul(f32x4.mul(difference, get(apart)), weight)));
  };
  const coefficients = Array.from({ length: CEPSTRA }, (_, i) => less(i));
  const hope = f32x4.notLess(get(values), get(worst));
  const newWorst = f32x4.splat(f32.fromI32(i32.load(ENGINE, get(list), (BEST - 1) * ENTRY + SCORE)));
  const offers = Array.from({ length: LANES }, (_, lane) =>
    call(OFFER, get(list), i32.add(get(density), i32.const(lane)), f32x4.lane(get(values), lane)),
  );
  return {
    parameters: [I32, I32, I32],
    results: [],
    locals: [I32, I32, V128, V128, V128, ...Array.from({ length: CEPSTRA }, () => V128 as typeof V128)],
    body: [
      reorder,
      Array.from({ length: CEPSTRA }, (_, i) => set(first + i, f32x4.loadSplat(ENGINE, get(observation), 4 * i))),
      set(worst, newWorst),
      set(density, i32.const(0)),
      set(at, get(table)),
      repeat(
        set(values, f32x4.load(TABLES, get(at))),
        coefficients.slice(0, SURE_AFTER),
        // each coefficient can only take something off
        when(
          v128.anyTrue(hope),
          coefficients.slice(SURE_AFTER),
          when(v128.anyTrue(hope), offers, set(worst, newWorst)),
        ),
        set(at, i32.add(get(at), i32.const(BLOCK))),
        i32.less(tee(density, i32.add(get(density), i32.const(LANES))), i32.const(DENSITIES)),
      ),
    ],
  } as const;
};

/** Numbers of globals. */
const SECOND_MODEL = 0;
const LISTS_FIRST = 1;
const LISTS_SECOND = 3;

/** The engine's frame_eval(model, scores, active, actives, features, frame, all). */
const evaluate = () => {
  const [model, features, frame] = [0, 4, 5];
  const [table, list, end, second, observation] = [7, 8, 9, 10, 11];
  // two sets of lists take turns, and the engine takes its first guess from that of the frame before
  const before = (lists: number) => choose(i32.and(get(frame), i32.const(1)), global(lists + 1), global(lists));
  return {
    parameters: [I32, I32, I32, I32, I32, I32, I32],
    results: [I32],
    locals: [I32, I32, I32, I32, I32, I32, I32],
    body: [
      set(second, i32.eq(get(model), global(SECOND_MODEL))),
      set(table, choose(get(second), i32.const(TABLE_BYTES), i32.const(0))),
      set(list, choose(get(second), before(LISTS_SECOND), before(LISTS_FIRST))),
      set(end, i32.add(get(list), i32.const(CODEBOOKS * STREAMS * LIST))),
      Array.from({ length: STREAMS }, (_, i) => set(observation + i, i32.load(ENGINE, get(features), 4 * i))),
      repeat(
        Array.from({ length: STREAMS }, (_, i) => [
          call(BEST_OF, get(table), get(observation + i), get(list)),
          set(table, i32.add(get(table), i32.const(STREAM_BYTES))),
          set(list, i32.add(get(list), i32.const(LIST))),
        ]),
        i32.less(get(list), get(end)),
      ),
      call(ENGINES_OWN, ...Array.from({ length: 7 }, (_, i) => get(i))),
    ],
  } as const;
};

/** Imports of the kernel, all by the name `host`. */
export interface KernelImports {
  engine: WebAssembly.Memory;
  tables: WebAssembly.Memory;
  /** The engine's own function, which does the rest. */
  evaluate: (...parameters: number[]) => number;
  /** Address of the model whose table is the second one. */
  secondModel: number;
  /** Addresses of the lists of each model that are those of the frame before in even and in odd frames. */
  firstEven: number;
  firstOdd: number;
  secondEven: number;
  secondOdd: number;
}

/**
 * WebAssembly that finds the best Gaussians of each codebook for one frame, four Gaussians at a time, and leaves them
 * where the engine looks for its first guess. Operation by operation it computes what the engine's eval_topn and eval_cb
 * (ptm_mgau.c) do, so that the results are the same to the bit; those take more than half of the time of recognition,
 * because the engine is compiled for size and without SIMD.
 */
export function kernelCode(): Uint8Array<ArrayBuffer> {
  return assemble({
    importedFunctions: [{ name: 'evaluate', parameters: [I32, I32, I32, I32, I32, I32, I32], results: [I32] }],
    importedMemories: ['engine', 'tables'],
    importedGlobals: ['secondModel', 'firstEven', 'firstOdd', 'secondEven', 'secondOdd'],
    functions: [likelihood(), place(), offer(), bestOf(), evaluate()],
    exports: [['evaluate', EVALUATE]],
  });
}
