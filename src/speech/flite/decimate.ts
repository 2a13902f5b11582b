/**
 * 16 kHz to 8 kHz: a linear-phase low-pass FIR, then every second sample. 95 taps, Kaiser window (beta 7, about 70 dB):
 * flat to 3.4 kHz, down by 70 dB from 4.0 kHz on, so nothing folds back into the telephone band.
 */
const TAPS = 95;
const HALF = (TAPS - 1) / 2;
const CUTOFF = 3700 / 16000;
const BETA = 7;

/** Modified Bessel function of the first kind, order zero, by its series. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const COEFFICIENTS: Float64Array = (() => {
  const taps = new Float64Array(TAPS);
  let sum = 0;
  for (let i = 0; i < TAPS; i++) {
    const n = i - HALF;
    const sinc = n === 0 ? 2 * CUTOFF : Math.sin(2 * Math.PI * CUTOFF * n) / (Math.PI * n);
    taps[i] = (sinc * besselI0(BETA * Math.sqrt(1 - (n / HALF) ** 2))) / besselI0(BETA);
    sum += taps[i]!;
  }
  return taps.map((tap) => tap / sum);
})();

/** Samples at 8 kHz from samples at 16 kHz, without delay (sample n is at the time of sample 2n), times `gain`. */
export function decimateByTwo(input: Int16Array, gain = 1): Int16Array {
  const output = new Int16Array(Math.ceil(input.length / 2));
  // With silence around it no tap needs to look whether there is a sample: all fixed words pass here at every start.
  const padded = new Float64Array(input.length + 2 * HALF);
  padded.set(input, HALF);
  for (let n = 0; n < output.length; n++) {
    const centre = 2 * n + HALF;
    let sum = COEFFICIENTS[HALF]! * padded[centre]!;
    // symmetric taps: one multiplication for two samples
    for (let k = 1; k <= HALF; k++) sum += COEFFICIENTS[HALF + k]! * (padded[centre - k]! + padded[centre + k]!);
    output[n] = clip(sum * gain);
  }
  return output;
}

/** The same samples times `gain`, limited to 16 bits. */
export function amplify(input: Int16Array, gain: number): Int16Array {
  return input.map((sample) => clip(sample * gain));
}

function clip(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}
