import { FRAME_MS } from '../audio.ts';

/** A sound is loud from here on, and when it stands this far out of the line's noise. dBFS of a frame. */
const LOUD_DB = -40;
const OVER_NOISE_DB = 20;
/** The noise floor falls at once and rises by 1 dB per second. */
const RISE_DB = 0.001 * FRAME_MS;
const FAINTEST_DB = -75;
/** Frames without a loud one before a sound counts as a beginning. */
const GAP_FRAMES = 3;
/** What has begun goes on in what is much fainter, as the breath behind the "wh" of "what" ... */
const FAINT_DB = -58;
const FAINT_OVER_NOISE_DB = 12;
/** ... and through so many frames of nothing: a closed "t" or "p". */
const END_FRAMES = 5;
/** The line is known to be free of echo when the bot has spoken for a second and nothing came back. */
const FREE_FRAMES = 1000 / FRAME_MS;

/**
 * Notices the first frame of a sound on a quiet line, 50 to 200 ms before a VAD is sure that it is a voice: "stop" begins
 * with a hiss that sounds like nothing. Only on lines on which the bot does not hear itself. Pure: frame by frame.
 */
export class Onset {
  #floorDb = 0;
  /** Frames since the last loud one, in all and while the bot was speaking. */
  #quiet = 0;
  #quietUnderBot = 0;
  #free = false;
  #lasts = false;
  /** Frames since the last that was at least faint. */
  #silent = 0;

  /** The sound that began has not ended yet. */
  get lasts(): boolean {
    return this.#lasts;
  }

  /** One frame with its level; `botSpeaks`: the bot is being sent at this moment. True when a sound begins with it. */
  push(levelDb: number, botSpeaks: boolean): boolean {
    this.#floorDb = Math.max(FAINTEST_DB, Math.min(levelDb, this.#floorDb + RISE_DB));
    const faint = levelDb > Math.max(FAINT_DB, this.#floorDb + FAINT_OVER_NOISE_DB);
    this.#silent = faint ? 0 : this.#silent + 1;
    if (this.#silent >= END_FRAMES) this.#lasts = false;
    if (levelDb <= Math.max(LOUD_DB, this.#floorDb + OVER_NOISE_DB)) {
      this.#quiet++;
      if (botSpeaks && ++this.#quietUnderBot >= FREE_FRAMES) this.#free = true;
      return false;
    }
    const begins = this.#free && this.#quiet >= GAP_FRAMES;
    this.#lasts ||= begins;
    this.#quiet = 0;
    this.#quietUnderBot = 0;
    return begins;
  }

  /** The bot hears itself after all. */
  echoes(): void {
    this.#free = false;
    this.#lasts = false;
    this.#quietUnderBot = 0;
  }
}
