/** Where the loudest copy of one signal in another lies. */
export interface EchoMatch {
  /** Samples by which the copy is late. */
  lag: number;
  /** Normalised cross-correlation there, 0..1. */
  correlation: number;
}

/**
 * Looks for `y[from .. to)` in the past of `x`: the lag between `minLag` and `maxLag` with the largest normalised
 * cross-correlation of either sign. Both arrays run on one time line and hold `maxLag` samples before `from`.
 * Lags at which `x` is more than `maxGain` (power) weaker than `y` are no candidates: an echo is not louder than that.
 */
export function findEcho(
  y: Float32Array,
  x: Float32Array,
  from: number,
  to: number,
  minLag: number,
  maxLag: number,
  maxGain: number,
): EchoMatch {
  let yy = 0;
  for (let i = from; i < to; i++) yy += y[i]! * y[i]!;
  let xx = 0;
  for (let i = from - minLag; i < to - minLag; i++) xx += x[i]! * x[i]!;
  let best = 0;
  let lag = 0;
  for (let l = minLag; l <= maxLag; l++) {
    if (xx * maxGain > yy) {
      let sum = 0;
      for (let i = from; i < to; i++) sum += y[i]! * x[i - l]!;
      const score = (sum * sum) / xx;
      if (score > best) {
        best = score;
        lag = l;
      }
    }
    const enters = x[from - l - 1] ?? 0;
    const leaves = x[to - l - 1]!;
    xx = Math.max(0, xx + enters * enters - leaves * leaves);
  }
  return { lag, correlation: yy > 0 ? Math.sqrt(best / yy) : 0 };
}
