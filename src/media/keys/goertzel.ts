import { type Pcm, SAMPLE_RATE } from '../audio.ts';

/** The mean square of a tone of -45 dBFS: in what is fainter none is looked for. */
export const FAINTEST_TONE = (32768 * 10 ** (-45 / 20)) ** 2 / 2;

/** Power of one frequency in all of `pcm` (Goertzel): (A n / 2) squared for a sine of amplitude A in n samples. */
export function powerAt(pcm: Pcm, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let before = 0;
  let beforeThat = 0;
  for (let i = 0; i < pcm.length; i++) {
    const now = pcm[i]! + coefficient * before - beforeThat;
    beforeThat = before;
    before = now;
  }
  return before * before + beforeThat * beforeThat - coefficient * before * beforeThat;
}

/** Of four frequencies in one pass, which takes a third of the time; `out` gets the powers. */
export class FourPowers {
  readonly #coefficients: Float64Array;
  readonly out = new Float64Array(4);

  constructor(hz: readonly [number, number, number, number]) {
    this.#coefficients = Float64Array.from(hz, (one) => 2 * Math.cos((2 * Math.PI * one) / SAMPLE_RATE));
  }

  of(pcm: Pcm): Float64Array {
    const coefficients = this.#coefficients;
    const a = coefficients[0]!;
    const b = coefficients[1]!;
    const c = coefficients[2]!;
    const d = coefficients[3]!;
    let a1 = 0;
    let a2 = 0;
    let b1 = 0;
    let b2 = 0;
    let c1 = 0;
    let c2 = 0;
    let d1 = 0;
    let d2 = 0;
    for (let i = 0; i < pcm.length; i++) {
      const sample = pcm[i]!;
      const a0 = sample + a * a1 - a2;
      const b0 = sample + b * b1 - b2;
      const c0 = sample + c * c1 - c2;
      const d0 = sample + d * d1 - d2;
      a2 = a1;
      a1 = a0;
      b2 = b1;
      b1 = b0;
      c2 = c1;
      c1 = c0;
      d2 = d1;
      d1 = d0;
    }
    const { out } = this;
    out[0] = a1 * a1 + a2 * a2 - a * a1 * a2;
    out[1] = b1 * b1 + b2 * b2 - b * b1 * b2;
    out[2] = c1 * c1 + c2 * c2 - c * c1 * c2;
    out[3] = d1 * d1 + d2 * d2 - d * d1 * d2;
    return out;
  }
}

/** What share of all is in frequencies of this power, in `samples` samples of this mean square. */
export function shareOf(power: number, meanSquare: number, samples: number): number {
  return (2 * power) / (meanSquare * samples * samples);
}

/**
 * Where a tone near `hz` really is, if it is within half of what `pcm` can tell apart: from the amplitudes half of that
 * below and above. Their ratio says it exactly, since the window is rectangular and its spectrum a sinc.
 */
export function peakNear(pcm: Pcm, hz: number): number {
  const half = SAMPLE_RATE / pcm.length / 2;
  const below = Math.sqrt(powerAt(pcm, hz - half));
  const above = Math.sqrt(powerAt(pcm, hz + half));
  return below + above === 0 ? hz : hz + (half * (above - below)) / (above + below);
}

/**
 * Powers of two frequencies as powerAt has them, each without what the other leaks into it: both tones are fitted at once
 * (least squares over their sines and cosines). Undefined where the two are too near each other to be told apart.
 */
export function powersOfPair(pcm: Pcm, firstHz: number, secondHz: number): readonly [number, number] | undefined {
  const steps = [firstHz, secondHz].map((hz) => (2 * Math.PI * hz) / SAMPLE_RATE);
  const rows = Array.from({ length: 4 }, () => new Float64Array(5));
  const wave = new Float64Array(4);
  for (let i = 0; i < pcm.length; i++) {
    for (let tone = 0; tone < 2; tone++) {
      wave[2 * tone] = Math.cos(steps[tone]! * i);
      wave[2 * tone + 1] = Math.sin(steps[tone]! * i);
    }
    for (let a = 0; a < 4; a++) {
      for (let b = a; b < 4; b++) rows[a]![b]! += wave[a]! * wave[b]!;
      rows[a]![4]! += wave[a]! * pcm[i]!;
    }
  }
  for (let a = 1; a < 4; a++) for (let b = 0; b < a; b++) rows[a]![b] = rows[b]![a]!;
  const amplitudes = solved(rows);
  if (amplitudes === undefined) return undefined;
  const scale = (pcm.length / 2) ** 2;
  const power = (cosine: number) => amplitudes[cosine]! * amplitudes[cosine]!;
  return [(power(0) + power(1)) * scale, (power(2) + power(3)) * scale];
}

/** Of a positive definite system, its right side in the last column; undefined when it is nearly none. */
function solved(rows: Float64Array[]): number[] | undefined {
  const n = rows.length;
  for (let pivot = 0; pivot < n; pivot++) {
    const row = rows[pivot]!;
    if (row[pivot]! < 1e-6) return undefined;
    for (let below = pivot + 1; below < n; below++) {
      const factor = rows[below]![pivot]! / row[pivot]!;
      for (let column = pivot; column <= n; column++) rows[below]![column]! -= factor * row[column]!;
    }
  }
  const result = new Array<number>(n).fill(0);
  for (let at = n - 1; at >= 0; at--) {
    let sum = rows[at]![n]!;
    for (let column = at + 1; column < n; column++) sum -= rows[at]![column]! * result[column]!;
    result[at] = sum / rows[at]![at]!;
  }
  return result;
}
