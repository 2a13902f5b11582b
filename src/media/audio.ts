/** Samples per second of everything inside the pipeline: linear 16-bit mono at the telephone's rate. */
export const SAMPLE_RATE = 8000;
/** One packet's worth of time on the wire and one step of the pacer. */
export const FRAME_MS = 20;
export const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1000;

/** Linear PCM, 16 bit, mono, 8 kHz. */
export type Pcm = Int16Array;
