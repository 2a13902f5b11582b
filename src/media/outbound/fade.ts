import { type Pcm, SAMPLE_RATE } from '../audio.ts';

/** Long enough that speech broken off does not click, too short to carry a syllable. */
const FADE_MS = 5;
export const FADE_SAMPLES = (SAMPLE_RATE * FADE_MS) / 1000;

/** Half a cosine from 0 to 1, so that neither end has a corner. */
const RISE = Float64Array.from(
  { length: FADE_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / FADE_SAMPLES),
);

/** Lets `pcm` rise from silence over its first 5 ms, in place. */
export function fadeIn(pcm: Pcm): void {
  const length = Math.min(FADE_SAMPLES, pcm.length);
  for (let i = 0; i < length; i++) pcm[i] = Math.round(pcm[i]! * RISE[i]!);
}

/** Lets the first `samples` (at most 5 ms) of `pcm` sink to silence, in place; zeros behind. */
export function fadeOut(pcm: Pcm, samples: number): void {
  const length = Math.min(FADE_SAMPLES, samples, pcm.length);
  for (let i = 0; i < length; i++) pcm[i] = Math.round(pcm[i]! * RISE[FADE_SAMPLES - 1 - i]!);
  pcm.fill(0, length);
}
