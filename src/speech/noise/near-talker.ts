import { type Pcm, SAMPLE_RATE } from '../../media/audio.ts';
import { backgroundDb, LEVEL_WINDOW, levelsOf } from './levels.ts';

/** Whoever speaks into the phone is so much louder than the room is on average. */
const NEAR_DB = 7;
/** For at least so many windows of 10 ms in a row; a shorter burst is somebody else's vowel. */
const LEAST_WINDOWS = 4;
/** Quiet sounds at the edges of words: the f of "five", the t of "agent". */
const BEFORE_WINDOWS = 12;
const BEHIND_WINDOWS = 15;
/** The rest is turned down so far, which leaves it on the level of a quiet line. */
const TURNED_DOWN = 10 ** (-20 / 20);
/** Samples in which the gain goes most of the way, so that nothing clicks. */
const GLIDE = SAMPLE_RATE / 200;

/**
 * Turns down what is not the near talker's in a room full of voices: the seconds before, between and behind their words, which
 * a recogniser would explain as "um", "please" or one more digit, or for which it would take the whole sentence for
 * nothing it knows. Takes a whole segment that begins with at least a quarter of a second of the room. Pure.
 */
export function nearTalker(pcm: Pcm): Pcm {
  const near = nearWindows(levelsOf(pcm));
  const out = new Int16Array(pcm.length);
  let gain = TURNED_DOWN;
  for (let i = 0; i < pcm.length; i++) {
    const wanted = near[Math.min(near.length - 1, Math.floor(i / LEVEL_WINDOW))] === true ? 1 : TURNED_DOWN;
    gain += (wanted - gain) / GLIDE;
    out[i] = Math.round(pcm[i]! * gain);
  }
  return out;
}

function nearWindows(levels: readonly number[]): boolean[] {
  const least = 10 ** ((backgroundDb(levels) + NEAR_DB) / 10);
  const powers = levels.map((db) => 10 ** (db / 10));
  const loud = powers.map((_, i) => {
    const around = powers.slice(Math.max(0, i - 1), i + 2);
    return around.reduce((sum, power) => sum + power, 0) > least * around.length;
  });
  const near: boolean[] = new Array(levels.length).fill(false);
  for (let from = 0; from < loud.length; from++) {
    if (!loud[from]) continue;
    let to = from;
    while (loud[to] === true) to++;
    if (to - from >= LEAST_WINDOWS) near.fill(true, Math.max(0, from - BEFORE_WINDOWS), to + BEHIND_WINDOWS);
    from = to;
  }
  return near;
}
