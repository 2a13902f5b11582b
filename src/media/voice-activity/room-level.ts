import type { Ms } from '../../core/clock.ts';

/** Whoever speaks to us is this much louder than the people around: than their faintest moments, and than they are on average. */
const MARGIN_DB = 8;
/** The average of voices lies no further above their faintest moments; what does is no room but somebody who pauses. */
const SWING_DB = 9;
/** Who has spoken that loudly is never taken for the room when less than this below it, nor while they speak ... */
const HEADROOM_DB = 6;
/** ... which ends a little lower than it begins, so that it is not chopped up. */
const HYSTERESIS_DB = 3;
/** The level of the room is smoothed, faster downwards. */
const RISING_MS: Ms = 160;
const FALLING_MS: Ms = 100;
/** Nobody speaks at once: what is heard at first, most of the time, is the room ... */
const FIRST_WINDOWS = 10;
/** ... unless it is louder than any room; then it is somebody who has been speaking already. */
const LOUDEST_ROOM_DB = -26;
/** The room's level falls at once, and rises slowly: slower while somebody speaks over it. */
const RISE_DB_PER_MS = 0.003;
const RISE_UNDER_SPEECH_DB_PER_MS = 0.001;
/** Where nothing is sent, it is forgotten. */
const FALL_IN_SILENCE_DB_PER_MS = 0.003;
/** The loudest level is forgotten by half a decibel per second, and approached by this share per window. */
const PEAK_FALL_DB_PER_MS = 0.0005;
const PEAK_RISE = 0.3;
/** A room in which so much of what is faint sounds like speech is full of voices. Memory of the share. */
const VOICES_SHARE = 0.2;
const SHARE_MS: Ms = 1500;
/** Memory of how loud the room is on average. */
const MEAN_MS: Ms = 1500;
/** So much louder than on average, a moment is still the room's alone, not the end of a caller's word. */
const USUAL_DB = 3;
/** Fainter than this, a room says nothing. */
const FAINTEST_DB = -60;
const SILENCE_DB = -100;

/**
 * Other people in the room: to a VAD their babble is speech, which neither starts nor ends. Follows how loud the room
 * is (a minimum that rises slowly, and the average of what is no louder than the room) and whether what is that faint
 * sounds like speech; if so, only what stands out of it is the caller's. In a quiet room, or in noise without voices,
 * nothing is asked of the caller. Pure.
 */
export class RoomLevel {
  #smooth = SILENCE_DB;
  #least = SILENCE_DB;
  #mean = SILENCE_DB;
  #peak = SILENCE_DB;
  #voices = 0;
  #ms: Ms = 0;
  /** Levels of the first windows. */
  readonly #first: number[] = [];

  /**
   * One window of `ms` with its level (dBFS); `speech`: the VAD takes it for speech; `speaking`: the caller has been
   * speaking until now. The least level of the caller's voice now.
   */
  push(levelDb: number, speech: boolean, ms: Ms, speaking = false): number {
    if (levelDb <= FAINTEST_DB && this.#first.length === FIRST_WINDOWS) return this.#silent(ms, speaking);
    if (this.#first.length === 0) this.#smooth = levelDb;
    this.#smooth = towards(this.#smooth, levelDb, ms / (levelDb > this.#smooth ? RISING_MS : FALLING_MS));
    const faint = levelDb <= this.#limit;
    this.#follow(levelDb, speech, faint, ms);
    const usual = levelDb <= Math.min(this.#mean + USUAL_DB, this.#limit);
    if (usual && levelDb > FAINTEST_DB) this.#voices += this.#share(ms, SHARE_MS) * ((speech ? 1 : 0) - this.#voices);
    if (levelDb <= this.#peak) this.#peak -= PEAK_FALL_DB_PER_MS * ms;
    else if (!faint) this.#peak += PEAK_RISE * (levelDb - this.#peak);
    return this.#wanted(speaking);
  }

  #wanted(speaking: boolean): number {
    if (this.#voices < VOICES_SHARE) return SILENCE_DB;
    return this.#limit - (speaking ? HYSTERESIS_DB : 0);
  }

  /** Nothing is sent, while a key is pressed or the microphone is shut: the room is as it was, for a while. */
  #silent(ms: Ms, speaking: boolean): number {
    if (this.#least > FAINTEST_DB) this.#least -= FALL_IN_SILENCE_DB_PER_MS * ms;
    return this.#wanted(speaking);
  }

  /** What a window counts in an average with this memory, which begins with the first. */
  #share(ms: Ms, memory: Ms): number {
    return ms / Math.min(this.#ms, memory);
  }

  get #limit(): number {
    const faintest = this.#least + MARGIN_DB;
    const limit = Math.max(faintest, Math.min(this.#mean, this.#least + SWING_DB) + MARGIN_DB);
    const below = this.#peak - HEADROOM_DB;
    // somebody has stood out of the room
    return this.#peak > faintest ? Math.min(limit, Math.max(below, this.#least + HEADROOM_DB)) : limit;
  }

  #follow(levelDb: number, speech: boolean, faint: boolean, ms: Ms): void {
    this.#ms += ms;
    if (this.#first.length < FIRST_WINDOWS) {
      this.#first.push(levelDb);
      const usual = this.#first.toSorted((a, b) => a - b)[(this.#first.length - 1) >> 1]!;
      this.#least = usual > LOUDEST_ROOM_DB ? FAINTEST_DB : usual;
      this.#mean = this.#least;
      return;
    }
    const rise = (speech && !faint ? RISE_UNDER_SPEECH_DB_PER_MS : RISE_DB_PER_MS) * ms;
    this.#least = Math.min(this.#smooth, this.#least + rise);
    if (faint) this.#mean = towards(this.#mean, levelDb, this.#share(ms, MEAN_MS));
  }
}

/** From one level towards another by this share of the power between them. */
function towards(from: number, to: number, share: number): number {
  return decibels(power(from) + Math.min(1, share) * (power(to) - power(from)));
}

const power = (db: number): number => 10 ** (db / 10);
const decibels = (power: number): number => 10 * Math.log10(power);
