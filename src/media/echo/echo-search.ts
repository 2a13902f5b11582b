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
 * `to - from` is a multiple of four. Lags at which `x` is more than `maxGain` (power) weaker than `y` are no candidates: an echo is not louder than that.
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
  const yy = dot(y, from, y, from, to - from);
  let xx = dot(x, from - minLag, x, from - minLag, to - from);
  let best = 0;
  let lag = 0;
  for (let l = minLag; l <= maxLag; l++) {
    if (xx * maxGain > yy) {
      const sum = dot(y, from, x, from - l, to - from);
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

/** Sum of products of `length` samples, a multiple of four: four sums at once, since each addition waits for the last. */
export function dot(a: Float32Array, atA: number, b: Float32Array, atB: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = 0; i < length; i += 4) {
    s0 += a[atA + i]! * b[atB + i]!;
    s1 += a[atA + i + 1]! * b[atB + i + 1]!;
    s2 += a[atA + i + 2]! * b[atB + i + 2]!;
    s3 += a[atA + i + 3]! * b[atB + i + 3]!;
  }
  return s0 + s1 + (s2 + s3);
}

/**
 * What all calls of a worker may search together between two ticks: a search takes a fifth of a millisecond, and many
 * bots may begin to speak at once. Who gets none now asks again with the next frame.
 */
export class SearchBudget {
  readonly #perTick: number;
  #left: number;

  constructor(perTick = 4) {
    this.#perTick = perTick;
    this.#left = perTick;
  }

  /** Once per tick. */
  refill(): void {
    this.#left = this.#perTick;
  }

  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}
