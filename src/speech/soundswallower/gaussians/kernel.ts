import {
  assemble,
  call,
  choose,
  get,
  global,
  I32,
  i32,
  leaveWith,
  repeat,
  set,
  several,
  tee,
  type WasmFunction,
  when,
} from './assembler.ts';
import { bestGaussians } from './best-gaussians.ts';
import {
  CODEBOOKS,
  COLD_STREAM,
  COLD_TABLE,
  ENGINE,
  HOT_STREAM,
  IN_USE,
  LIST,
  RUN,
  RUNS,
  SCORE,
  SHARED,
  STREAMS,
  TABLE_BYTES,
} from './layout.ts';
import { SCORE_SHIFT, senoneScores } from './senone-scores.ts';

/** Numbers of functions and globals. */
const ENGINES_OWN = 0;
const BEST_OF = 4;
const [CODEBOOKS_IN_USE, SCORE_RUN, GIVE_SCORES, EVALUATE] = [5, 6, 7, 8];
const [SECOND_MODEL, FIRST_LISTS, SECOND_LISTS, RUN_COUNT] = [0, 1, 2, 3];

/** The engine's frame_eval(model, scores, actives, count, features, frame, all). */
function evaluate(): WasmFunction {
  const [model, scores, actives, count, features, all] = [0, 1, 2, 3, 4, 6];
  const [second, hot, cold, list, codebook, value, end, observation, norm] = [7, 8, 9, 10, 11, 12, 13, 14, 17];
  const inUse = (index: number) => i32.loadByte(SHARED, get(index), IN_USE);
  const streams = Array.from({ length: STREAMS }, (_, stream) => {
    const in_ = (address: number, size: number) => i32.add(get(address), i32.const(stream * size));
    return [
      call(BEST_OF, in_(hot, HOT_STREAM), in_(cold, COLD_STREAM), get(observation + stream), in_(list, LIST)),
      set(value, i32.shiftRightSigned(i32.load(ENGINE, get(list), stream * LIST + SCORE), i32.const(SCORE_SHIFT))),
      set(norm + stream, choose(i32.less(get(norm + stream), get(value)), get(value), get(norm + stream))),
    ];
  });
  const field = (number: number) => i32.load(SHARED, get(value), RUNS + 4 * number);
  const runOf = [field(0), field(1), field(2), get(list)];
  const lists = choose(get(second), global(SECOND_LISTS), global(FIRST_LISTS));
  const step = (local: number, size: number) => set(local, i32.add(get(local), i32.const(size)));
  return {
    parameters: [I32, I32, I32, I32, I32, I32, I32],
    results: [I32],
    locals: several(13, I32),
    body: [
      leaveWith(get(all), call(ENGINES_OWN, ...Array.from({ length: 7 }, (_, i) => get(i)))),
      call(CODEBOOKS_IN_USE, get(actives), get(count)),
      set(second, i32.eq(get(model), global(SECOND_MODEL))),
      set(hot, choose(get(second), i32.const(TABLE_BYTES), i32.const(0))),
      set(cold, i32.add(get(hot), i32.const(COLD_TABLE))),
      set(list, lists),
      Array.from({ length: STREAMS }, (_, i) => [
        set(observation + i, i32.load(ENGINE, get(features), 4 * i)),
        set(norm + i, i32.const(-0x8000_0000)),
      ]),
      repeat(
        when(inUse(codebook), streams),
        step(hot, STREAMS * HOT_STREAM),
        step(cold, STREAMS * COLD_STREAM),
        step(list, STREAMS * LIST),
        i32.less(tee(codebook, i32.add(get(codebook), i32.const(1))), i32.const(CODEBOOKS)),
      ),
      set(list, lists),
      set(value, i32.const(0)),
      set(end, i32.mul(global(RUN_COUNT), i32.const(RUN))),
      repeat(
        set(codebook, field(0)),
        when(inUse(codebook), call(SCORE_RUN, ...runOf, ...Array.from({ length: STREAMS }, (_, i) => get(norm + i)))),
        i32.less(tee(value, i32.add(get(value), i32.const(RUN))), get(end)),
      ),
      call(GIVE_SCORES, get(scores), get(actives), get(count)),
      i32.const(0),
    ],
  };
}

/** Imports of the kernel, all by the name `host`. */
export interface KernelImports {
  engine: WebAssembly.Memory;
  shared: WebAssembly.Memory;
  /** The engine's own function, for what the kernel does not do. */
  evaluate: (...parameters: number[]) => number;
  /** Address of the model whose table is the second one. */
  secondModel: number;
  /** Addresses of the lists of the best Gaussians, of each model. */
  firstLists: number;
  secondLists: number;
  /** Runs of senones in the shared memory. */
  runs: number;
}

/**
 * WebAssembly that scores one frame of speech: finds the best Gaussians of each codebook, four Gaussians at a time, and
 * makes scores of them, eight senones at a time. Operation by operation it computes what the engine's
 * ptm_mgau_frame_eval (ptm_mgau.c) does, so that the results are the same to the bit. There this takes more than half of
 * the time of recognition, because the engine is compiled for size and without SIMD.
 */
export function kernelCode(): Uint8Array<ArrayBuffer> {
  return assemble({
    importedFunctions: [{ name: 'evaluate', parameters: [I32, I32, I32, I32, I32, I32, I32], results: [I32] }],
    importedMemories: ['shared', 'engine'],
    importedGlobals: ['secondModel', 'firstLists', 'secondLists', 'runs'],
    functions: [...bestGaussians(ENGINES_OWN + 1), ...senoneScores(), evaluate()],
    exports: [['evaluate', EVALUATE]],
  });
}
