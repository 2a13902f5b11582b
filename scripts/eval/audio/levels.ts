import { isVoiced, levelDbfs, WINDOW } from '../../../tests/support/phone/level.ts';

/** Audio helpers of the corpus; 8 kHz, 16 bit throughout. */

/** Speech of the corpus has this level, measured as `speechLevel` does. */
export const SPEECH_DBFS = -20;
/** Windows quieter than this are pauses and say nothing of how loud somebody speaks. */
const ACTIVE_DBFS = -45;
const PEAK = 32_000;

/** RMS of the active 10 ms windows, dBFS; undefined when there are none (after ITU-T P.56's idea of active speech level). */
export function speechLevel(pcm: Int16Array): number | undefined {
  let power = 0;
  let windows = 0;
  for (let at = 0; at + WINDOW <= pcm.length; at += WINDOW) {
    const level = levelDbfs(pcm, at, at + WINDOW);
    if (level <= ACTIVE_DBFS) continue;
    power += 10 ** (level / 10);
    windows++;
  }
  return windows === 0 ? undefined : 10 * Math.log10(power / windows);
}

export function amplified(pcm: Int16Array, db: number): Int16Array {
  const gain = 10 ** (db / 20);
  return Int16Array.from(pcm, (sample) => clip(sample * gain));
}

/** Scaled so that its active part has this level; silence stays as it is. */
export function levelled(pcm: Int16Array, dbfs = SPEECH_DBFS): Int16Array {
  const level = speechLevel(pcm);
  return level === undefined ? pcm : amplified(pcm, dbfs - level);
}

export function clip(sample: number): number {
  return Math.max(-PEAK, Math.min(PEAK, Math.round(sample)));
}

/** First and behind the last voiced 10 ms window, in samples; undefined when nothing is voiced. */
export function voicedSpan(pcm: Int16Array): { from: number; to: number } | undefined {
  let from = -1;
  let to = -1;
  for (let at = 0; at < pcm.length; at += WINDOW) {
    if (!isVoiced(levelDbfs(pcm, at, Math.min(at + WINDOW, pcm.length)))) continue;
    if (from < 0) from = at;
    to = Math.min(at + WINDOW, pcm.length);
  }
  return from < 0 ? undefined : { from, to };
}
