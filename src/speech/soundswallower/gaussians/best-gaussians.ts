import { CEPSTRA } from '../engine-memory.ts';
import {
  call,
  F32,
  f32,
  f32x4,
  get,
  I32,
  i32,
  leave,
  repeat,
  set,
  several,
  tee,
  V128,
  v128,
  type WasmFunction,
  when,
} from './assembler.ts';
import {
  BEST,
  COLD_BLOCK,
  DENSITIES,
  ENGINE,
  ENTRY,
  HOT_BLOCK,
  LANES,
  SCORE,
  SHARED,
  SURE_AFTER,
  VECTOR,
} from './layout.ts';

const WORST = (BEST - 1) * ENTRY + SCORE;

/** Offset of a coefficient's means in its block. */
const meansIn = (coefficient: number) =>
  coefficient < SURE_AFTER ? VECTOR * (1 + 2 * coefficient) : VECTOR * 2 * (coefficient - SURE_AFTER);

/** (hot, cold, observation, density) -> log-likelihood, as the engine rounds it. */
function likelihood(): WasmFunction {
  const [hot, cold, observation, density, block, lane, result, difference] = [0, 1, 2, 3, 4, 5, 6, 7];
  const coefficients = Array.from({ length: CEPSTRA }, (_, i) => {
    const address = get(i < SURE_AFTER ? hot : cold);
    const mean = f32.load(SHARED, address, meansIn(i));
    const weight = f32.load(SHARED, address, meansIn(i) + VECTOR);
    const apart = tee(difference, f32.sub(f32.load(ENGINE, get(observation), 4 * i), mean));
    return set(result, f32.sub(get(result), f32.mul(f32.mul(apart, get(difference)), weight)));
  });
  const own = (size: number) => i32.add(i32.mul(get(block), i32.const(size)), get(lane));
  return {
    parameters: [I32, I32, I32, I32],
    results: [I32],
    locals: [I32, I32, F32, F32],
    body: [
      set(block, i32.shiftRight(get(density), i32.const(2))),
      set(lane, i32.shl(i32.and(get(density), i32.const(3)), i32.const(2))),
      set(hot, i32.add(get(hot), own(HOT_BLOCK))),
      set(cold, i32.add(get(cold), own(COLD_BLOCK))),
      set(result, f32.load(SHARED, get(hot))),
      coefficients,
      i32.fromF32(get(result)),
    ],
  };
}

/** (list, place, density, score, beats): puts it at that place or before all that are less than `beats`. */
function place(): WasmFunction {
  const [list, at, density, score, beats, address] = [0, 1, 2, 3, 4, 5];
  const scoreBefore = i32.load(ENGINE, i32.sub(get(address), i32.const(ENTRY)), SCORE);
  const move = [
    set(address, i32.sub(get(address), i32.const(ENTRY))),
    i32.store(ENGINE, get(address), i32.load(ENGINE, get(address)), ENTRY),
    i32.store(ENGINE, get(address), i32.load(ENGINE, get(address), SCORE), ENTRY + SCORE),
  ];
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
  };
}

/** (list, density, likelihood): into the list, unless it is worse than all of it or stands there already. */
function offer(functionPlace: number): WasmFunction {
  const [list, density, value, score] = [0, 1, 2, 3];
  const worst = f32.fromI32(i32.load(ENGINE, get(list), WORST));
  const known = Array.from({ length: BEST }, (_, k) => i32.eq(i32.load(ENGINE, get(list), k * ENTRY), get(density)));
  const beats = i32.add(get(score), i32.const(1));
  return {
    parameters: [I32, I32, F32],
    results: [],
    locals: [I32],
    body: [
      leave(f32.less(get(value), worst)),
      leave(known.reduce((any, one) => i32.or(any, one))),
      set(score, i32.fromF32(get(value))),
      call(functionPlace, get(list), i32.const(BEST - 1), get(density), get(score), beats),
    ],
  };
}

/**
 * (hot, cold, observation, list): the list holds the best of a frame before, whose likelihoods now are a good guess of what
 * the best will reach; then those of this frame.
 */
function bestOf(functionLikelihood: number, functionPlace: number, functionOffer: number): WasmFunction {
  const [hot, cold, observation, list, density, score] = [0, 1, 2, 3, 4, 5];
  const [values, worst, apart, first] = [6, 7, 8, 9];
  const reorder = Array.from({ length: BEST }, (_, k) => [
    set(density, i32.load(ENGINE, get(list), k * ENTRY)),
    set(score, call(functionLikelihood, get(hot), get(cold), get(observation), get(density))),
    call(functionPlace, get(list), i32.const(k), get(density), get(score), get(score)),
  ]);
  const coefficients = Array.from({ length: CEPSTRA }, (_, i) => {
    const address = get(i < SURE_AFTER ? hot : cold);
    const mean = f32x4.load(SHARED, address, meansIn(i));
    const weight = f32x4.load(SHARED, address, meansIn(i) + VECTOR);
    const difference = tee(apart, f32x4.sub(get(first + i), mean));
    return set(values, f32x4.sub(get(values), f32x4.mul(f32x4.mul(difference, get(apart)), weight)));
  });
  const hope = v128.anyTrue(f32x4.notLess(get(values), get(worst)));
  const setWorst = set(worst, f32x4.splat(f32.fromI32(i32.load(ENGINE, get(list), WORST))));
  const offers = Array.from({ length: LANES }, (_, lane) =>
    call(functionOffer, get(list), i32.add(get(density), i32.const(lane)), f32x4.lane(get(values), lane)),
  );
  return {
    parameters: [I32, I32, I32, I32],
    results: [],
    locals: [I32, I32, V128, V128, V128, ...several(CEPSTRA, V128)],
    body: [
      reorder,
      Array.from({ length: CEPSTRA }, (_, i) => set(first + i, f32x4.loadSplat(ENGINE, get(observation), 4 * i))),
      setWorst,
      set(density, i32.const(0)),
      repeat(
        set(values, f32x4.load(SHARED, get(hot))),
        coefficients.slice(0, SURE_AFTER),
        // each coefficient can only take something off
        when(hope, coefficients.slice(SURE_AFTER), when(hope, offers, setWorst)),
        set(hot, i32.add(get(hot), i32.const(HOT_BLOCK))),
        set(cold, i32.add(get(cold), i32.const(COLD_BLOCK))),
        i32.less(tee(density, i32.add(get(density), i32.const(LANES))), i32.const(DENSITIES)),
      ),
    ],
  };
}

/**
 * The functions that find the best Gaussians of one stream of one codebook, as eval_topn and eval_cb of ptm_mgau.c do.
 * `from`: number of the first of them; the last one is the one to call.
 */
export function bestGaussians(from: number): WasmFunction[] {
  return [likelihood(), place(), offer(from + 1), bestOf(from, from + 1, from + 2)];
}
