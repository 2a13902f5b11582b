import type { Pcm } from './audio.ts';

/** Mean power of samples; full scale is 32768 squared. */
export function meanSquare(pcm: Pcm, from = 0, length = pcm.length - from): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) {
    const sample = pcm[i]!;
    sum += sample * sample;
  }
  return sum / length;
}

/** Mean level of samples in dBFS (0 = full-scale square wave); -100 for digital silence. */
export function levelDb(pcm: Pcm, from = 0, length = pcm.length - from): number {
  const power = length === 0 ? 0 : meanSquare(pcm, from, length);
  return power === 0 ? -100 : Math.max(-100, 10 * Math.log10(power / (32768 * 32768)));
}
