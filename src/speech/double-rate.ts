/** Half-band interpolator: windowed sinc, 31 taps to either side of a new sample, every second one of them. */
const SIDE = 16;
const TAPS = Float64Array.from({ length: SIDE }, (_, i) => {
  const x = i + 0.5;
  const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / SIDE);
  return (Math.sin(Math.PI * x) / (Math.PI * x)) * window;
});

/** Twice the sampling rate, without delay: sample n stands at 2n. */
export function doubled(samples: Float32Array): Float32Array {
  const { length } = samples;
  const padded = new Float32Array(length + 2 * SIDE);
  padded.set(samples, SIDE);
  const out = new Float32Array(2 * length);
  for (let n = 0; n < length; n++) {
    let sum = 0;
    const left = n + SIDE;
    for (let i = 0; i < SIDE; i++) sum += TAPS[i]! * (padded[left - i]! + padded[left + 1 + i]!);
    out[2 * n] = samples[n]!;
    out[2 * n + 1] = sum;
  }
  return out;
}
