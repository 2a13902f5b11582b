import type { Ms } from '../../core/clock.ts';

/** Voice this long without a word from the VAD is suspicious. */
const SUSPICIOUS_MS = 2000;
/** A pause longer than this ends the stretch. */
const PAUSE_MS = 600;
/** Clearly above the floor, and no fainter than a quiet talker. */
const OVER_NOISE_DB = 15;
const QUIETEST_DB = -45;
/** The floor falls at once and rises by 1 dB per second. */
const RISE_DB_PER_MS = 0.001;
const LOUDEST_FLOOR_DB = -40;
/** Speech is loud for at least this share of a stretch ... */
const LOUD_SHARE = 0.5;
/** ... and swings: the levels of syllables and gaps spread this far. Hum, hiss and tones spread by 1-2 dB. */
const SPREAD_DB = 4.5;

/**
 * Notices voice that the VAD does not: a level clearly above the noise floor, swinging as speech does, for two seconds
 * in which the VAD found nothing. Pure: windows carry their durations.
 */
export class VoiceWatch {
  #floorDb = -60;
  #stretchMs: Ms = 0;
  #loudMs: Ms = 0;
  #quietMs: Ms = 0;
  #windows = 0;
  #sum = 0;
  #squares = 0;

  /** One window of `ms` with its level. True when voice has gone unnoticed for too long; then the count starts anew. */
  push(levelDb: number, ms: Ms): boolean {
    this.#floorDb = Math.max(-75, Math.min(levelDb, this.#floorDb + RISE_DB_PER_MS * ms, LOUDEST_FLOOR_DB));
    const loud = levelDb > Math.max(QUIETEST_DB, this.#floorDb + OVER_NOISE_DB);
    if (this.#stretchMs === 0 && !loud) return false;
    this.#quietMs = loud ? 0 : this.#quietMs + ms;
    if (this.#quietMs > PAUSE_MS) {
      this.noticed();
      return false;
    }
    this.#stretchMs += ms;
    if (loud) this.#loudMs += ms;
    // Silence between words counts as the floor of the swing, not as its depth.
    const level = Math.max(levelDb, QUIETEST_DB - 10);
    this.#windows++;
    this.#sum += level;
    this.#squares += level * level;
    if (this.#stretchMs < SUSPICIOUS_MS) return false;
    const mean = this.#sum / this.#windows;
    const spread = Math.sqrt(Math.max(0, this.#squares / this.#windows - mean * mean));
    const voice = this.#loudMs >= LOUD_SHARE * this.#stretchMs && spread >= SPREAD_DB;
    this.noticed();
    return voice;
  }

  /** The VAD has heard the voice, or there is none: the stretch is over. */
  noticed(): void {
    this.#stretchMs = 0;
    this.#loudMs = 0;
    this.#quietMs = 0;
    this.#windows = 0;
    this.#sum = 0;
    this.#squares = 0;
  }
}
