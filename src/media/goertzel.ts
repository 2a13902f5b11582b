import { type Pcm, SAMPLE_RATE } from './audio.ts';

/**
 * Power of one frequency in all of `pcm` (Goertzel): (A n / 2) squared for a sine of amplitude A in n samples, so twice
 * the power by n times the sum of squares is its share of the energy.
 */
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

export function energyOf(pcm: Pcm): number {
  let energy = 0;
  for (let i = 0; i < pcm.length; i++) energy += pcm[i]! * pcm[i]!;
  return energy;
}
