import { type Pcm, SAMPLE_RATE } from '../../media/audio.ts';
import { levelDb } from '../../media/level.ts';

/** Samples of 10 ms. */
export const LEVEL_WINDOW = SAMPLE_RATE / 100;
/** Windows of a segment before anybody speaks: most of the pre-roll. */
const BEFORE_SPEECH = 25;
/** The quieter of them: the first sounds of a word may lie there already. */
const QUIETER = 20;
const SILENCE_DB = -100;

/** The level of each whole window, dBFS. */
export function levelsOf(pcm: Pcm): number[] {
  return Array.from({ length: Math.floor(pcm.length / LEVEL_WINDOW) }, (_, i) =>
    levelDb(pcm, i * LEVEL_WINDOW, LEVEL_WINDOW),
  );
}

/** How loud it is on average behind a segment's voice, from its levels before the voice. */
export function backgroundDb(levels: readonly number[]): number {
  const before = levels
    .slice(0, BEFORE_SPEECH)
    .sort((a, b) => a - b)
    .slice(0, QUIETER);
  if (before.length === 0) return SILENCE_DB;
  return 10 * Math.log10(before.reduce((sum, db) => sum + 10 ** (db / 10), 0) / before.length);
}
