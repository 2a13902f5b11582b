import type { Ms } from '../../core/clock.ts';

/** A window speaks from this probability on, and is silent below the other. */
export const START_THRESHOLD = 0.5;
export const END_THRESHOLD = 0.35;
/** Speech must last this long to start: two windows of Silero. */
const MIN_SPEECH_MS: Ms = 60;
/** Silence that lasts this long within speech may become its end: three windows of Silero. */
const LULL_MS: Ms = 90;
/** Silence must last this long to end speech. */
const HANGOVER_MS: Ms = 150;
/** Windows below this level, in dBFS, are silent whatever the engine thinks. */
const FLOOR_DB = -55;

export type VadGateEvent =
  /** `at`: start of the first speaking window. */
  | { type: 'start'; at: Ms }
  /** Speech may be over: `at` is the end of the last window that was not silent. Speech goes on, or `end` follows. */
  | { type: 'lull'; at: Ms }
  /** `at`: end of the last window that was not silent. */
  | { type: 'end'; at: Ms };

/**
 * Turns speech probabilities into speech start and end with hysteresis in level and time. Legal moves:
 * silent -> maybe -> speaking -> silent, maybe -> silent. Pure: windows carry their own times.
 */
export class VadGate {
  #state: 'silent' | 'maybe' | 'speaking' = 'silent';
  #firstVoicedAt: Ms = 0;
  #voicedMs: Ms = 0;
  #silentMs: Ms = 0;
  #lastVoicedEnd: Ms = 0;

  get speaking(): boolean {
    return this.#state === 'speaking';
  }

  /** Voiced windows have come, too few yet to be sure. */
  get suspecting(): boolean {
    return this.#state === 'maybe';
  }

  /** Start of the first voiced window of what is suspected or spoken. */
  get firstVoicedAt(): Ms {
    return this.#firstVoicedAt;
  }

  /** End of the last voiced window. */
  get lastVoicedEnd(): Ms {
    return this.#lastVoicedEnd;
  }

  /** One window from `at` (ms) lasting `ms`, with its speech probability and level. */
  push(probability: number, levelDb: number, at: Ms, ms: Ms): VadGateEvent | undefined {
    const p = levelDb < FLOOR_DB ? 0 : probability;
    if (this.#state === 'speaking') return this.#whileSpeaking(p, at, ms);
    if (p >= START_THRESHOLD) {
      if (this.#state === 'silent') {
        this.#state = 'maybe';
        this.#firstVoicedAt = at;
        this.#voicedMs = 0;
      }
      this.#voicedMs += ms;
      this.#lastVoicedEnd = at + ms;
      if (this.#voicedMs < MIN_SPEECH_MS) return undefined;
      this.#state = 'speaking';
      this.#silentMs = 0;
      return { type: 'start', at: this.#firstVoicedAt };
    }
    // Between the thresholds the question stays open; below, it was a click.
    if (p < END_THRESHOLD) this.#state = 'silent';
    return undefined;
  }

  /** Back to silence, whatever was heard; speech that goes on must prove itself again. */
  reset(): void {
    this.#state = 'silent';
  }

  #whileSpeaking(p: number, at: Ms, ms: Ms): VadGateEvent | undefined {
    if (p >= END_THRESHOLD) {
      this.#silentMs = 0;
      this.#lastVoicedEnd = at + ms;
      return undefined;
    }
    const before = this.#silentMs;
    this.#silentMs += ms;
    if (this.#silentMs >= HANGOVER_MS) {
      this.#state = 'silent';
      return { type: 'end', at: this.#lastVoicedEnd };
    }
    const lulls = before < LULL_MS && this.#silentMs >= LULL_MS;
    return lulls ? { type: 'lull', at: this.#lastVoicedEnd } : undefined;
  }
}
