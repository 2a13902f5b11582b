/** measures.md: a 10 ms window is voiced when its RMS is above this, relative to a full-scale square wave. */
export const VOICED_DBFS = -38;
/** Samples in one window at 8 kHz. */
export const WINDOW = 80;

const FLOOR_DBFS = -120;

/** RMS of `pcm[from, to)` in dBFS; -120 for digital silence. */
export function levelDbfs(pcm: Int16Array, from = 0, to = pcm.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += pcm[i]! * pcm[i]!;
  if (sum === 0 || to <= from) return FLOOR_DBFS;
  return Math.max(FLOOR_DBFS, 10 * Math.log10(sum / (to - from) / (32768 * 32768)));
}

/** Loudest 10 ms window of a packet's worth of audio, in dBFS. */
export function loudestWindow(pcm: Int16Array): number {
  let loudest = FLOOR_DBFS;
  for (let at = 0; at < pcm.length; at += WINDOW) {
    loudest = Math.max(loudest, levelDbfs(pcm, at, Math.min(at + WINDOW, pcm.length)));
  }
  return loudest;
}

export function isVoiced(dbfs: number): boolean {
  return dbfs > VOICED_DBFS;
}

/** Cuts silence at both ends, leaving 20 ms at each; undefined when nothing in it is voiced. */
export function trimSilence(pcm: Int16Array): Int16Array | undefined {
  let first = -1;
  let last = -1;
  for (let at = 0; at < pcm.length; at += WINDOW) {
    if (!isVoiced(levelDbfs(pcm, at, Math.min(at + WINDOW, pcm.length)))) continue;
    if (first < 0) first = at;
    last = at + WINDOW;
  }
  if (first < 0) return undefined;
  return pcm.slice(Math.max(0, first - 2 * WINDOW), Math.min(pcm.length, last + 2 * WINDOW));
}
