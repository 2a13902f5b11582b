import { GAUSSIANS, MEAN_STEP, PARAMETERS, VARIANCE_STEP } from '../../../src/speech/soundswallower/acoustic-model.ts';
import { CEPSTRA } from '../../../src/speech/soundswallower/engine-memory.ts';

const STREAMS = 3;
const DENSITIES = 128;
const CODEBOOKS = GAUSSIANS / STREAMS / DENSITIES;
/** Sounds of one frame that are less likely than this say nothing of a Gaussian. */
const LEAST_CODEBOOK = 1e-3;
const LEAST_GAUSSIAN = 1e-4;
/** How many frames what all Gaussians have in common weighs against what one has seen itself. */
const PRIOR_MEAN_FRAMES = 15;
const PRIOR_VARIANCE_FRAMES = 10;
const VARIANCE_RANGE = [0.7, 4] as const;
const LEAST_VARIANCE = 1e-4;

/**
 * What noise does to each Gaussian of the model, from the same speech with it and without (single-pass retraining, Gales
 * 1995): the clean frame tells to which Gaussians it belongs, the noisy one what they should look like.
 */
export class Statistics {
  readonly #means: Float32Array;
  readonly #variances: Float32Array;
  readonly #precisions: Float64Array;
  readonly #peaks = new Float64Array(GAUSSIANS);
  readonly #count = new Float64Array(GAUSSIANS);
  readonly #clean = new Float64Array(PARAMETERS);
  readonly #cleanSquares = new Float64Array(PARAMETERS);
  readonly #noisy = new Float64Array(PARAMETERS);
  readonly #noisySquares = new Float64Array(PARAMETERS);
  readonly #common = Array.from({ length: STREAMS }, () => new Regression());
  readonly #shares = new Float64Array(GAUSSIANS);

  constructor(means: Float32Array, variances: Float32Array) {
    this.#means = means;
    this.#variances = variances.map((value) => Math.max(LEAST_VARIANCE, value));
    this.#precisions = Float64Array.from(this.#variances, (value) => 0.5 / value);
    for (let i = 0; i < PARAMETERS; i++) {
      const gaussian = Math.floor(i / CEPSTRA);
      this.#peaks[gaussian] = this.#peaks[gaussian]! - 0.5 * Math.log(2 * Math.PI * this.#variances[i]!);
    }
  }

  /** One moment, clean and noisy; frames as framesOf makes them. */
  add(clean: Float64Array, noisy: Float64Array): void {
    for (let s = 0; s < STREAMS; s++) {
      const from = s * CEPSTRA;
      this.#common[s]!.add(clean.subarray(from, from + CEPSTRA), noisy.subarray(from, from + CEPSTRA));
    }
    const codebooks = this.#belongs(clean);
    for (let codebook = 0; codebook < CODEBOOKS; codebook++) {
      if (codebooks[codebook]! < LEAST_CODEBOOK) continue;
      for (let g = 0; g < STREAMS * DENSITIES; g++) {
        const gaussian = codebook * STREAMS * DENSITIES + g;
        const share = codebooks[codebook]! * this.#shares[gaussian]!;
        if (share >= LEAST_GAUSSIAN)
          this.#accumulate(gaussian, share, Math.floor(g / DENSITIES) * CEPSTRA, clean, noisy);
      }
    }
  }

  /** Steps as acoustic-model.ts reads them: all means, then all variances. */
  weights(): Int8Array {
    const steps = new Int8Array(2 * PARAMETERS);
    for (let s = 0; s < STREAMS; s++) {
      const common = this.#common[s]!.solved();
      const gaussians = Array.from({ length: CODEBOOKS * DENSITIES }, (_, n) => {
        return (Math.floor(n / DENSITIES) * STREAMS + s) * DENSITIES + (n % DENSITIES);
      });
      const widening = this.#widening(gaussians);
      for (const gaussian of gaussians) {
        const count = this.#count[gaussian]!;
        const at = gaussian * CEPSTRA;
        const expected = common(this.#means.subarray(at, at + CEPSTRA));
        for (let i = 0; i < CEPSTRA; i++) {
          const moved = this.#noisy[at + i]! - this.#clean[at + i]!;
          const shift = (moved + PRIOR_MEAN_FRAMES * expected[i]!) / (count + PRIOR_MEAN_FRAMES);
          const excess =
            (this.#excess(gaussian, i) + PRIOR_VARIANCE_FRAMES * widening) / (count + PRIOR_VARIANCE_FRAMES);
          const ratio = Math.max(VARIANCE_RANGE[0], Math.min(VARIANCE_RANGE[1], 1 + excess));
          steps[at + i] = step(shift / Math.sqrt(this.#variances[at + i]!), MEAN_STEP);
          steps[PARAMETERS + at + i] = step(Math.log2(ratio), VARIANCE_STEP);
        }
      }
    }
    return steps;
  }

  /** How likely the frame is of each codebook; within it, of each density (in #shares). */
  #belongs(frame: Float64Array): Float64Array {
    const codebooks = new Float64Array(CODEBOOKS);
    for (let codebook = 0; codebook < CODEBOOKS; codebook++) {
      for (let s = 0; s < STREAMS; s++) {
        codebooks[codebook] =
          codebooks[codebook]! + this.#share((codebook * STREAMS + s) * DENSITIES, frame, s * CEPSTRA);
      }
    }
    // Halved: the streams say much the same.
    const top = codebooks.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const likely = codebooks.map((value) => Math.exp(0.5 * (value - top)));
    const sum = likely.reduce((total, value) => total + value, 0);
    return likely.map((value) => value / sum);
  }

  /** Shares of the densities from `first` on; returns the log-likelihood of them together. */
  #share(first: number, frame: Float64Array, from: number): number {
    let most = Number.NEGATIVE_INFINITY;
    for (let g = first; g < first + DENSITIES; g++) {
      let likelihood = this.#peaks[g]!;
      for (let i = 0, at = g * CEPSTRA; i < CEPSTRA; i++, at++) {
        const off = frame[from + i]! - this.#means[at]!;
        likelihood -= off * off * this.#precisions[at]!;
      }
      this.#shares[g] = likelihood;
      most = Math.max(most, likelihood);
    }
    let sum = 0;
    for (let g = first; g < first + DENSITIES; g++) {
      this.#shares[g] = Math.exp(this.#shares[g]! - most);
      sum += this.#shares[g]!;
    }
    for (let g = first; g < first + DENSITIES; g++) this.#shares[g] = this.#shares[g]! / sum;
    return most + Math.log(sum);
  }

  #accumulate(gaussian: number, share: number, from: number, clean: Float64Array, noisy: Float64Array): void {
    this.#count[gaussian] = this.#count[gaussian]! + share;
    for (let i = 0, at = gaussian * CEPSTRA; i < CEPSTRA; i++, at++) {
      const [c, n] = [clean[from + i]!, noisy[from + i]!];
      this.#clean[at] = this.#clean[at]! + share * c;
      this.#cleanSquares[at] = this.#cleanSquares[at]! + share * c * c;
      this.#noisy[at] = this.#noisy[at]! + share * n;
      this.#noisySquares[at] = this.#noisySquares[at]! + share * n * n;
    }
  }

  /** How much wider the noisy frames lie than the clean ones, in variances of the model, times their number. */
  #excess(gaussian: number, i: number): number {
    const count = this.#count[gaussian]!;
    const at = gaussian * CEPSTRA + i;
    if (count < 0.5) return 0;
    const noisy = this.#noisySquares[at]! - this.#noisy[at]! ** 2 / count;
    const clean = this.#cleanSquares[at]! - this.#clean[at]! ** 2 / count;
    return (Math.max(0, noisy) - Math.max(0, clean)) / this.#variances[at]!;
  }

  /** The same on average, over what was seen often enough. */
  #widening(gaussians: readonly number[]): number {
    let excess = 0;
    let count = 0;
    for (const gaussian of gaussians) {
      count += this.#count[gaussian]!;
      if (this.#count[gaussian]! < 5) continue;
      for (let i = 0; i < CEPSTRA; i++) excess += this.#excess(gaussian, i);
    }
    return excess / count / CEPSTRA;
  }
}

function step(value: number, size: number): number {
  return Math.max(-127, Math.min(127, Math.round(value / size)));
}

/** How far noise moves a frame, as a linear function of the frame: for Gaussians of which little was heard. */
class Regression {
  readonly #products = Array.from({ length: CEPSTRA + 1 }, () => new Float64Array(2 * CEPSTRA + 1));
  #count = 0;

  add(clean: Float64Array, noisy: Float64Array): void {
    this.#count++;
    for (let i = 0; i <= CEPSTRA; i++) {
      const row = this.#products[i]!;
      const factor = i < CEPSTRA ? clean[i]! : 1;
      for (let j = 0; j < CEPSTRA; j++) {
        row[j] = row[j]! + factor * clean[j]!;
        row[CEPSTRA + 1 + j] = row[CEPSTRA + 1 + j]! + factor * (noisy[j]! - clean[j]!);
      }
      row[CEPSTRA] = row[CEPSTRA]! + factor;
    }
  }

  solved(): (mean: Float32Array) => number[] {
    const rows = this.#products.map((row, i) => row.map((value, j) => value + (i === j ? 1e-3 * this.#count : 0)));
    for (let pivot = 0; pivot <= CEPSTRA; pivot++) {
      // the matrix is positive definite: no need to look for a better one
      const by = rows[pivot]!;
      rows.forEach((row, i) => {
        if (i === pivot) return;
        const times = row[pivot]! / by[pivot]!;
        for (let j = pivot; j < row.length; j++) row[j] = row[j]! - times * by[j]!;
      });
    }
    const weights = rows.map((row, i) => row.subarray(CEPSTRA + 1).map((value) => value / row[i]!));
    return (mean) =>
      Array.from({ length: CEPSTRA }, (_, j) =>
        mean.reduce((sum, value, i) => sum + value * weights[i]![j]!, weights[CEPSTRA]![j]!),
      );
  }
}
