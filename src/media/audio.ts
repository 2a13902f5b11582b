/** Samples per second of everything inside the pipeline: linear 16-bit mono at the telephone's rate. */
export const SAMPLE_RATE = 8000;
/** One packet's worth of time on the wire and one step of the pacer. */
export const FRAME_MS = 20;
export const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1000;

/** Linear PCM, 16 bit, mono, 8 kHz. */
export type Pcm = Int16Array;

/** A sum of samples as a sample: too loud is as loud as can be, not wrapped round. */
export function saturated(sum: number): number {
  return sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
}
