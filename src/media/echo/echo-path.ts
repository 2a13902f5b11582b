import { dot } from './echo-search.ts';

/**
 * Taps of the estimated path: 16 ms at 2 kHz, the first 3 ms of them ahead of the lag found. A small room's early
 * reflections: with 8 ms a third of the energy of some sounds stays unexplained, more than 16 ms gain nothing.
 */
const TAPS = 32;
const AHEAD = 6;
/** What was learned fades by this much per frame of 20 ms: a memory of about 0.6 s. */
const MEMORY = 0.967;
/** Keeps the solution calm where the bot's voice has little energy. */
const REGULARISATION = 0.02;

/**
 * The way from what the bot sends to what comes back of it, as a short filter at one lag. Least squares over
 * exponentially weighted frames (the covariance method; Haykin, Adaptive Filter Theory, ch. 9): unlike LMS it is right
 * after 100 ms of speech, however coloured. Frames with much that it cannot explain (the caller) weigh little, so
 * double-talk does not bend it.
 */
export class EchoPath {
  lag: number;
  #delay: number;
  /** Row by row, the lower half in use. */
  readonly #auto = new Float64Array(TAPS * TAPS);
  readonly #cross = new Float64Array(TAPS);
  readonly #taps = new Float64Array(TAPS);

  /** `lag` and `minLag` in samples; the filter never asks for what is less than `minLag` old. */
  constructor(lag: number, minLag: number) {
    this.lag = lag;
    this.#delay = Math.max(minLag, lag - AHEAD);
  }

  /** Oldest sample of `x` the path needs, relative to the sample predicted. */
  static reach(lag: number): number {
    return lag + TAPS;
  }

  /** The timelines have moved against each other: the same path at another lag. False when that is too short. */
  shift(samples: number, minLag: number): boolean {
    this.lag += samples;
    this.#delay += samples;
    return this.#delay >= minLag;
  }

  /**
   * Has the same path moved, as it does when the far end's jitter buffer or a gap in the network changes the delay?
   * Looks for the shift up to `most` samples either way at which the filter, as it is, leaves least of `y[from .. to)`
   * unexplained; `rest` is that share of the energy, `stay` the same where the path was. `to - from` is a multiple of
   * four.
   */
  moved(y: Float32Array, x: Float32Array, from: number, to: number, minLag: number, most: number): EchoShift {
    const length = to - from;
    const least = Math.max(-most, minLag - this.#delay);
    // The echo as it would be at the shifts from `most` down to `least`, one after the other on one line.
    const start = from - most;
    const end = to - least;
    for (let i = start; i < end; i++) predictedLine[i - start] = this.#at(x, i - this.#delay);
    const energy = dot(y, from, y, from, length);
    let echo = dot(predictedLine, 0, predictedLine, 0, length);
    let best = energy;
    let shift = 0;
    let stay = energy;
    for (let at = 0; at <= most - least; at++) {
      const rest = energy - 2 * dot(y, from, predictedLine, at, length) + echo;
      if (at === most) stay = rest;
      if (rest < best) {
        best = rest;
        shift = most - at;
      }
      echo += predictedLine[at + length]! ** 2 - predictedLine[at]! ** 2;
    }
    return { shift, rest: best / (energy + 1), stay: stay / (energy + 1) };
  }

  #at(x: Float32Array, at: number): number {
    let even = 0;
    let odd = 0;
    for (let k = 0; k < TAPS; k += 2) {
      even += this.#taps[k]! * x[at - k]!;
      odd += this.#taps[k + 1]! * x[at - k - 1]!;
    }
    return even + odd;
  }

  /** Power gain of the path for a white signal, dB. */
  get gainDb(): number {
    let sum = 0;
    for (const tap of this.#taps) sum += tap * tap;
    return 10 * Math.log10(sum + 1e-12);
  }

  /** Predicts `y[from .. to)`: energy of the prediction and of what remains. */
  predict(y: Float32Array, x: Float32Array, from: number, to: number): { echo: number; rest: number } {
    let echo = 0;
    let rest = 0;
    for (let i = from; i < to; i++) {
      const sum = this.#at(x, i - this.#delay);
      const error = y[i]! - sum;
      echo += sum * sum;
      rest += error * error;
    }
    predicted.echo = echo;
    predicted.rest = rest;
    return predicted;
  }

  /** Learns from `y[from .. to)`; `weight` is one over the power that was not explained. */
  learn(y: Float32Array, x: Float32Array, from: number, to: number, weight: number): void {
    const auto = this.#auto;
    const start = from - this.#delay;
    const length = to - from;
    for (let k = 0; k < TAPS; k++) {
      let first = dot(x, start, x, start - k, length);
      const cross = dot(y, from, x, start - k, length);
      this.#cross[k] = MEMORY * this.#cross[k]! + weight * cross;
      // Down the diagonal each sum differs from the one before by one sample at either end.
      for (let row = k, column = 0; row < TAPS; row++, column++) {
        const at = row * TAPS + column;
        auto[at] = MEMORY * auto[at]! + weight * first;
        first += x[start - row - 1]! * x[start - column - 1]!;
        first -= x[start + length - row - 1]! * x[start + length - column - 1]!;
      }
    }
  }

  /** Takes what was learned into use. */
  solve(): void {
    solveSymmetric(this.#auto, this.#cross, this.#taps);
  }
}

/** Where a path has gone, samples, and the shares of the energy that it leaves unexplained there and where it was. */
export interface EchoShift {
  shift: number;
  rest: number;
  stay: number;
}

/** Longest line that `moved` looks along. */
const LINE = 512;
const predictedLine = new Float32Array(LINE);
/** Reused: predict runs for every frame. */
const predicted = { echo: 0, rest: 0 };
const factor = new Float64Array(TAPS * TAPS);
const between = new Float64Array(TAPS);

/** Solves `a w = b` by Cholesky's decomposition, regularised by the mean of the diagonal; zeros when there is nothing. */
function solveSymmetric(a: Float64Array, b: Float64Array, w: Float64Array): void {
  let trace = 0;
  for (let i = 0; i < TAPS; i++) trace += a[i * TAPS + i]!;
  const load = (REGULARISATION * trace) / TAPS + 1e-9;
  for (let i = 0; i < TAPS; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * TAPS + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * TAPS + k]! * factor[j * TAPS + k]!;
      factor[i * TAPS + j] = i === j ? Math.sqrt(Math.max(sum + load, load)) : sum / factor[j * TAPS + j]!;
    }
  }
  for (let i = 0; i < TAPS; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * TAPS + k]! * between[k]!;
    between[i] = sum / factor[i * TAPS + i]!;
  }
  for (let i = TAPS - 1; i >= 0; i--) {
    let sum = between[i]!;
    for (let k = i + 1; k < TAPS; k++) sum -= factor[k * TAPS + i]! * w[k]!;
    w[i] = sum / factor[i * TAPS + i]!;
  }
}
