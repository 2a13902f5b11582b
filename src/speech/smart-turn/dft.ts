/**
 * Discrete Fourier transform of a length that is no power of two (400 = 4·4·5·5), by the mixed-radix Cooley-Tukey
 * recursion. Two real signals go through one complex transform.
 */
export class MixedRadixDft {
  readonly size: number;
  readonly #factors: readonly number[];
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #outRe: Float64Array;
  readonly #outIm: Float64Array;
  readonly #partRe: Float64Array;
  readonly #partIm: Float64Array;

  /** `size`: a product of 2, 3, 4, 5 and other small primes; the cost is size times the sum of its factors. */
  constructor(size: number) {
    this.size = size;
    this.#factors = factorsOf(size);
    this.#cos = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.#sin = Float64Array.from({ length: size }, (_, i) => Math.sin((2 * Math.PI * i) / size));
    this.#re = new Float64Array(size);
    this.#im = new Float64Array(size);
    this.#outRe = new Float64Array(size);
    this.#outIm = new Float64Array(size);
    this.#partRe = new Float64Array(Math.max(...this.#factors));
    this.#partIm = new Float64Array(Math.max(...this.#factors));
  }

  /** Power |X(k)|² of two real signals of `size` samples, for k = 0 … size/2, into `powerA` and `powerB`. */
  powers(a: Float64Array, b: Float64Array, powerA: Float64Array, powerB: Float64Array): void {
    const n = this.size;
    this.#re.set(a);
    this.#im.set(b);
    this.#transform(0, 1, 0, 0);
    const re = this.#outRe;
    const im = this.#outIm;
    for (let k = 0; k <= n / 2; k++) {
      const m = k === 0 ? 0 : n - k;
      // The even part of the spectrum is the first signal's, the odd part the second's.
      const aRe = (re[k]! + re[m]!) / 2;
      const aIm = (im[k]! - im[m]!) / 2;
      const bRe = (im[k]! + im[m]!) / 2;
      const bIm = (re[m]! - re[k]!) / 2;
      powerA[k] = aRe * aRe + aIm * aIm;
      powerB[k] = bRe * bRe + bIm * bIm;
    }
  }

  /** Transforms the samples from, from + stride, …; the result stands in order from `to` on. */
  #transform(from: number, stride: number, to: number, level: number): void {
    const n = this.size / stride;
    if (n === 1) {
      this.#outRe[to] = this.#re[from]!;
      this.#outIm[to] = this.#im[from]!;
      return;
    }
    const radix = this.#factors[level]!;
    const part = n / radix;
    for (let r = 0; r < radix; r++) this.#transform(from + r * stride, stride * radix, to + r * part, level + 1);
    const re = this.#partRe;
    const im = this.#partIm;
    for (let k = 0; k < part; k++) {
      for (let r = 0; r < radix; r++) {
        re[r] = this.#outRe[to + r * part + k]!;
        im[r] = this.#outIm[to + r * part + k]!;
      }
      for (let q = 0; q < radix; q++) {
        let sumRe = 0;
        let sumIm = 0;
        const out = k + q * part;
        for (let r = 0; r < radix; r++) {
          const turn = (out * r * stride) % this.size;
          const c = this.#cos[turn]!;
          const s = this.#sin[turn]!;
          sumRe += re[r]! * c + im[r]! * s;
          sumIm += im[r]! * c - re[r]! * s;
        }
        this.#outRe[to + out] = sumRe;
        this.#outIm[to + out] = sumIm;
      }
    }
  }
}

function factorsOf(size: number): number[] {
  const factors: number[] = [];
  let rest = size;
  for (const factor of [4, 2, 3, 5, 7, 11, 13]) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor);
  }
  if (rest !== 1) throw new RangeError(`${size} has a large prime factor`);
  return factors;
}
