import type { Pcm } from './audio.ts';

/** Mean level of samples in dBFS (0 = full-scale square wave); -100 for digital silence. */
export function levelDb(pcm: Pcm, from = 0, length = pcm.length - from): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) {
    const sample = pcm[i]!;
    sum += sample * sample;
  }
  if (sum === 0 || length === 0) return -100;
  return Math.max(-100, 10 * Math.log10(sum / length / (32768 * 32768)));
}
