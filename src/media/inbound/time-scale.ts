import type { Pcm } from '../audio.ts';

/** Pitch periods between 200 and 66 Hz, as concealment looks for. */
const MIN_LAG = 40;
const MAX_LAG = 120;
/** Of 20 ms no more than half goes: the rest is what the ends are blended over. */
const MAX_SHARE = 2;
/** Below this likeness of two periods, leaving one out would be heard. */
const ALIKE = 0.85;

/**
 * Leaves one pitch period out of `pcm[from .. from + length)`, in place; the new length. Both ends stay as they are, in
 * between the sound is blended into itself one period later, so neither click nor change of pitch is heard. Unchanged
 * when the sound does not repeat itself, but for `anyway`: it is quiet, or something has to go.
 */
export function shorten(pcm: Pcm, from: number, length: number, anyway: boolean): number {
  const lag = period(pcm, from, length, anyway);
  if (lag === 0) return length;
  const rest = length - lag;
  for (let i = 0; i < rest; i++) {
    const weight = i / rest;
    pcm[from + i] = Math.round(pcm[from + i]! * (1 - weight) + pcm[from + i + lag]! * weight);
  }
  return rest;
}

/** Puts one pitch period in, as `shorten` leaves one out; `pcm` has room for MAX_LAG more. */
export function lengthen(pcm: Pcm, from: number, length: number, anyway: boolean): number {
  const lag = period(pcm, from, length, anyway);
  if (lag === 0) return length;
  pcm.copyWithin(from + length, from + length - lag, from + length);
  const span = length - lag;
  // From the end: the samples one period earlier must still be what they were.
  for (let i = length - 1; i >= lag; i--) {
    const weight = (i - lag) / span;
    pcm[from + i] = Math.round(pcm[from + i]! * (1 - weight) + pcm[from + i - lag]! * weight);
  }
  return length + lag;
}

/** The lag at which the sound is most like itself; 0 when it is not enough so. */
function period(pcm: Pcm, from: number, length: number, anyway: boolean): number {
  const longest = Math.min(MAX_LAG, Math.floor(length / MAX_SHARE));
  let best = 0;
  let bestLike = anyway ? Number.NEGATIVE_INFINITY : ALIKE;
  for (let lag = MIN_LAG; lag <= longest; lag++) {
    let cross = 0;
    let own = 1;
    let other = 1;
    for (let i = 0; i < length - lag; i += 2) {
      const a = pcm[from + i]!;
      const b = pcm[from + i + lag]!;
      cross += a * b;
      own += a * a;
      other += b * b;
    }
    const like = cross / Math.sqrt(own * other);
    if (like > bestLike) {
      bestLike = like;
      best = lag;
    }
  }
  return best;
}
