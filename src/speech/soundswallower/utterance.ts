import { type Pcm, SAMPLE_RATE } from '../../media/audio.ts';
import { Dither } from '../noise/dither.ts';
import { nearTalker } from '../noise/near-talker.ts';
import type { Background, NoiseReduction } from '../noise/noise-reduction.ts';
import type { Acoustics } from './acoustic-model.ts';
import { Loudness } from './loudness.ts';

/** A doubtful segment is looked at again as a whole, up to this length; longer ones are no requests. */
const SECOND_LOOK_LIMIT = 6 * SAMPLE_RATE;
/** Speech this little above its background loses its short words. */
const NOISY_SNR_DB = 20;

/**
 * The audio of one segment on its way to the decoder. On a quiet line and in steady noise the decoder gets it without its
 * noise; among other voices as it came, because what reduces noise takes words for voices and voices for words (offline,
 * in babble of 15 dB, 90 of 100 requests were right as they came and 69 without noise). Another way is kept for a second
 * look: with its noise, or among voices with what is not the caller's turned down. Which it is shows in the first quarter
 * of a second, until which nothing is given out.
 */
export class Utterance {
  readonly #reduction: NoiseReduction;
  readonly #dither = new Dither();
  readonly #loudness = new Loudness();
  /** With its noise. */
  readonly #loudnessAsHeard = new Loudness();
  #background: Background | undefined;
  /** Not given out yet. */
  #raw: Pcm[] = [];
  #reduced: Pcm[] = [];
  /** For the second look; nothing when too long. */
  #kept: Pcm[] = [];
  #samples = 0;

  /** `reduction` serves one utterance at a time. */
  constructor(reduction: NoiseReduction) {
    this.#reduction = reduction;
    reduction.begin();
  }

  push(pcm: Pcm): void {
    this.#samples += pcm.length;
    const heard = this.#dither.over(pcm);
    this.#raw.push(heard);
    this.#loudnessAsHeard.push(heard);
    this.#hear(this.#reduction.process(heard));
    this.#background ??= this.#reduction.background;
  }

  /** Nothing comes any more: the rest may be taken. */
  finish(): void {
    this.#hear(this.#reduction.finish());
    this.#background ??= 'quiet';
  }

  /** What the decoder gets next. */
  take(): Pcm[] {
    if (this.#background === undefined) return [];
    const [raw, reduced] = [this.#raw, this.#reduced];
    this.#raw = [];
    this.#reduced = [];
    if (this.#samples > SECOND_LOOK_LIMIT) this.#kept = [];
    // in steady noise the second look differs by its model, among voices by nearTalker()
    else this.#kept.push(...(this.#background === 'steady' ? reduced : raw));
    return this.#background === 'restless' ? raw : reduced;
  }

  /** Undefined while too little was heard. */
  get acoustics(): Acoustics | undefined {
    if (this.#background === undefined) return undefined;
    return this.#background === 'steady' ? 'steady-noise' : 'quiet';
  }

  get among(): Background {
    return this.#background ?? 'quiet';
  }

  /** Speech over noise, dB; undefined on a quiet line. */
  get snrDb(): number | undefined {
    return this.#reduction.snrDb;
  }

  /** What else is heard on the line is so loud that short words are easily lost. */
  get noisy(): boolean {
    const { snrDb, aboveRoomDb } = this.#reduction;
    return [snrDb, aboveRoomDb].some((above) => above !== undefined && above < NOISY_SNR_DB);
  }

  /** Which moments of 10 ms are loud enough to be speech. */
  loud(): boolean[] {
    return this.#background === 'restless' ? this.#loudnessAsHeard.loud(true) : this.#loudness.loud();
  }

  /** All that was taken so far, for a look by the model for quiet lines; undefined when too long. */
  otherwise(): Pcm | undefined {
    const whole = this.sound();
    return whole && this.#background === 'restless' ? nearTalker(whole) : whole;
  }

  /** All that was taken so far; in steady noise without it. Undefined when too long. */
  sound(): Pcm | undefined {
    if (this.#kept.length === 0) return undefined;
    const whole = new Int16Array(this.#kept.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#kept) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #hear(pcm: Pcm): void {
    this.#loudness.push(pcm);
    this.#reduced.push(pcm);
  }
}
