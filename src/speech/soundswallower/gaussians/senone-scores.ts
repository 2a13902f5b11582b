import {
  type Code,
  choose,
  get,
  I32,
  i8x16,
  i16x8,
  i32,
  leave,
  repeat,
  set,
  several,
  tee,
  V128,
  v128,
  type WasmFunction,
} from './assembler.ts';
import {
  BEST,
  CODEBOOK_OF,
  DENSITIES,
  ENGINE,
  ENTRY,
  IN_USE,
  LIST,
  LOG_ADD,
  MIXTURES,
  SCORE,
  SCORES,
  SENONES,
  SHARED,
  STREAMS,
} from './layout.ts';

/** Log-likelihoods are divided by 2 to this power before they are scores (SENSCR_SHIFT). */
export const SCORE_SHIFT = 10;
/** A Gaussian is no further behind the best one than this (MAX_NEG_ASCR). */
const FURTHEST = 96;
const GROUP = 8;

/** (actives, count): marks the codebooks of the senones that are wanted, each named by how far it is behind the one before. */
function codebooksInUse(): WasmFunction {
  const [actives, count, senone] = [0, 1, 2];
  const zero = i16x8.splat(i32.const(0));
  return {
    parameters: [I32, I32],
    results: [],
    locals: [I32],
    body: [
      [0, 16, 32].map((at) => v128.store(SHARED, i32.const(IN_USE + at), zero)),
      leave(i32.eq(get(count), i32.const(0))),
      set(count, i32.add(get(count), get(actives))),
      repeat(
        set(senone, i32.add(get(senone), i32.loadByte(ENGINE, get(actives)))),
        i32.storeByte(SHARED, i32.loadByte(SHARED, get(senone), CODEBOOK_OF), i32.const(1), IN_USE),
        i32.less(tee(actives, i32.add(get(actives), i32.const(1))), get(count)),
      ),
    ],
  };
}

/**
 * (codebook, first, count, lists, norm, norm, norm): scores of so many senones of a codebook. That of a stream is the sum,
 * as negated logarithms, of its best Gaussians' likelihoods (behind the stream's norm) times the senone's weights.
 */
function scoreRun(): WasmFunction {
  const [codebook, first, end, lists, norms] = [0, 1, 2, 3, 4];
  const [value, rows, offsets] = [7, 8, 8 + STREAMS * BEST];
  const [near, far, sum, x, y, apart] = Array.from({ length: 6 }, (_, i) => offsets + STREAMS * BEST + i) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const each = <T>(make: (stream: number, k: number) => T) =>
    Array.from({ length: STREAMS * BEST }, (_, i) => make(Math.floor(i / BEST), i % BEST));
  const entry = (stream: number, k: number, field: number) =>
    i32.load(ENGINE, get(lists), stream * LIST + k * ENTRY + field);
  const prepare = each((stream, k) => {
    const behind = i32.sub(get(norms + stream), i32.shiftRightSigned(entry(stream, k, SCORE), i32.const(SCORE_SHIFT)));
    const row = i32.mul(i32.add(entry(stream, k, 0), i32.const(stream * DENSITIES)), i32.const(SENONES));
    return [
      set(value, behind),
      set(
        offsets + stream * BEST + k,
        i16x8.splat(choose(i32.less(get(value), i32.const(FURTHEST)), get(value), i32.const(FURTHEST))),
      ),
      set(rows + stream * BEST + k, row),
    ];
  });
  const term = (stream: number, k: number) => {
    const weights = i16x8.loadBytes(SHARED, i32.add(get(rows + stream * BEST + k), get(first)), MIXTURES);
    return i16x8.add(weights, get(offsets + stream * BEST + k));
  };
  const lowBytes = (low: number, high: number) =>
    i8x16.const(Array.from({ length: 16 }, (_, i) => (i % 2 ? high : low)));
  // x becomes the sum of x and y; a byte that names no place of the table reads as 0, and so do the upper ones
  const addY: Code = [
    set(
      apart,
      v128.or(i16x8.least(i16x8.abs(i16x8.sub(get(x), get(y))), i16x8.splat(i32.const(255))), lowBytes(0, 255)),
    ),
    set(
      x,
      i16x8.sub(
        i16x8.least(get(x), get(y)),
        v128.or(i8x16.pick(get(near), get(apart)), i8x16.pick(get(far), i8x16.sub(get(apart), lowBytes(16, 0)))),
      ),
    ),
  ];
  const streamScore = (stream: number) => [
    set(x, term(stream, 0)),
    [1, 2, 3].map((k) => [set(y, term(stream, k)), addY]),
    set(sum, stream === 0 ? get(x) : i16x8.add(get(sum), get(x))),
  ];
  return {
    parameters: [I32, I32, I32, I32, I32, I32, I32],
    results: [],
    locals: [...several(1 + STREAMS * BEST, I32), ...several(STREAMS * BEST + 6, V128)],
    body: [
      set(lists, i32.add(get(lists), i32.mul(get(codebook), i32.const(STREAMS * LIST)))),
      prepare,
      set(near, v128.load(SHARED, i32.const(LOG_ADD))),
      set(far, v128.load(SHARED, i32.const(LOG_ADD + 16))),
      set(end, i32.add(get(first), get(end))),
      repeat(
        Array.from({ length: STREAMS }, (_, stream) => streamScore(stream)),
        // behind the run it writes what the next run, or nobody, reads
        v128.store(SHARED, i32.shl(get(first), i32.const(1)), get(sum), SCORES),
        i32.less(tee(first, i32.add(get(first), i32.const(GROUP))), get(end)),
      ),
    ],
  };
}

/** (scores, actives, count): gives the engine all scores, less the best of those that are wanted. */
function giveScores(): WasmFunction {
  const [scores, actives, count, senone, best, value, off] = [0, 1, 2, 3, 4, 5, 6];
  const group = (at: Code, offset = 0) =>
    v128.store(ENGINE, i32.add(get(scores), at), i16x8.sub(v128.load(SHARED, at, SCORES + offset), get(off)), offset);
  const last = 2 * (SENONES - GROUP);
  return {
    parameters: [I32, I32, I32],
    results: [],
    locals: [I32, I32, I32, V128],
    body: [
      leave(i32.eq(get(count), i32.const(0))),
      set(best, i32.const(0x7fff)),
      set(count, i32.add(get(count), get(actives))),
      repeat(
        set(senone, i32.add(get(senone), i32.loadByte(ENGINE, get(actives)))),
        set(value, i32.loadShort(SHARED, i32.shl(get(senone), i32.const(1)), SCORES)),
        set(best, choose(i32.less(get(value), get(best)), get(value), get(best))),
        i32.less(tee(actives, i32.add(get(actives), i32.const(1))), get(count)),
      ),
      set(off, i16x8.splat(get(best))),
      set(senone, i32.const(0)),
      repeat(group(get(senone)), i32.less(tee(senone, i32.add(get(senone), i32.const(16))), i32.const(last))),
      group(i32.const(last)),
    ],
  };
}

/**
 * The functions that make scores of senones of the best Gaussians, as ptm_mgau_codebook_norm and ptm_mgau_senone_eval of
 * ptm_mgau.c do, in the order: codebooks in use, score of a run, give the scores. (The engine takes one senone after the
 * other; here they go by eight, wanted or not.)
 */
export function senoneScores(): WasmFunction[] {
  return [codebooksInUse(), scoreRun(), giveScores()];
}
