import type { Pcm } from '../../media/audio.ts';
import { backgroundDb, LEVEL_WINDOW } from '../noise/levels.ts';

/** Of the loudest windows one in so many is taken for the segment's level: a click is louder than any voice. */
const LOUDEST = 0.05;
/** Vowels and most consonants lie within so many dB below that. */
const RANGE_DB = 22;
const FLOOR_DBFS = -50;
/** Among other voices only what is so much louder than they are on average. */
const OVER_VOICES_DB = 8;

/** Which moments of a segment are loud enough to be speech. Takes 8 kHz audio as it comes, in pieces of any length. */
export class Loudness {
  readonly #levels: number[] = [];
  #power = 0;
  #samples = 0;

  push(pcm: Pcm): void {
    for (const sample of pcm) {
      this.#power += sample * sample;
      if (++this.#samples < LEVEL_WINDOW) continue;
      this.#levels.push(10 * Math.log10(this.#power / LEVEL_WINDOW / 32768 ** 2 + 1e-12));
      this.#power = 0;
      this.#samples = 0;
    }
  }

  /** One for each 10 ms from the beginning. `amongVoices`: those of others do not count. */
  loud(amongVoices = false): boolean[] {
    const sorted = [...this.#levels].sort((a, b) => b - a);
    const level = sorted[Math.floor(sorted.length * LOUDEST)] ?? FLOOR_DBFS;
    const least = Math.max(
      FLOOR_DBFS,
      level - RANGE_DB,
      amongVoices ? backgroundDb(this.#levels) + OVER_VOICES_DB : FLOOR_DBFS,
    );
    return this.#levels.map((each) => each > least);
  }
}
