import type { Ms } from '../core/clock.ts';

/** Whoever speaks to us is this much louder than the people around. */
const MARGIN_DB = 8;
/** ... and is never taken for the room when less than this below how loud they have spoken. */
const HEADROOM_DB = 8;
/** The level of the room is smoothed, faster downwards. */
const RISING_MS: Ms = 160;
const FALLING_MS: Ms = 100;
/** At first whatever is heard is the room. */
const FIRST_MS: Ms = 320;
/** The room's level falls at once, and rises slowly: slower while somebody speaks over it. */
const RISE_DB_PER_MS = 0.003;
const RISE_UNDER_SPEECH_DB_PER_MS = 0.001;
/** The loudest level is forgotten by half a decibel per second, and approached by this share per window. */
const PEAK_FALL_DB_PER_MS = 0.0005;
const PEAK_RISE = 0.3;
/** A room in which so much of what is faint sounds like speech is full of voices. Memory of the share. */
const VOICES_SHARE = 0.2;
const SHARE_MS: Ms = 1500;
/** Fainter than this, a room says nothing. */
const FAINTEST_DB = -60;
const SILENCE_DB = -100;

/**
 * Other people in the room: to a VAD their babble is speech, which neither starts nor ends. Follows how loud the room
 * is (a minimum that rises slowly) and whether what is that faint sounds like speech; if so, only what stands out of it
 * is the caller's. In a quiet room, or in noise without voices, nothing is asked of the caller. Pure.
 */
export class RoomLevel {
  #smooth = SILENCE_DB;
  #room = SILENCE_DB;
  #peak = SILENCE_DB;
  #voices = 0;
  #ms: Ms = 0;

  /** One window of `ms` with its level (dBFS); `speech`: the VAD takes it for speech. The least level of the caller's voice now. */
  push(levelDb: number, speech: boolean, ms: Ms): number {
    if (this.#ms === 0) this.#smooth = levelDb;
    const share = Math.min(1, ms / (levelDb > this.#smooth ? RISING_MS : FALLING_MS));
    this.#smooth = decibels(power(this.#smooth) + share * (power(levelDb) - power(this.#smooth)));
    const faint = levelDb <= this.#limit;
    this.#follow(speech && !faint, ms);
    if (faint && levelDb > FAINTEST_DB) this.#voices += Math.min(1, ms / SHARE_MS) * ((speech ? 1 : 0) - this.#voices);
    if (levelDb > this.#peak) this.#peak += PEAK_RISE * (levelDb - this.#peak);
    else this.#peak -= PEAK_FALL_DB_PER_MS * ms;
    return this.#voices >= VOICES_SHARE ? this.#limit : SILENCE_DB;
  }

  get #limit(): number {
    return Math.min(this.#room + MARGIN_DB, this.#peak - HEADROOM_DB);
  }

  #follow(underSpeech: boolean, ms: Ms): void {
    this.#ms += ms;
    if (this.#ms <= FIRST_MS) this.#room = Math.max(this.#room, this.#smooth);
    else {
      const rise = (underSpeech ? RISE_UNDER_SPEECH_DB_PER_MS : RISE_DB_PER_MS) * ms;
      this.#room = Math.min(this.#smooth, this.#room + rise);
    }
  }
}

const power = (db: number): number => 10 ** (db / 10);
const decibels = (power: number): number => 10 * Math.log10(power);
