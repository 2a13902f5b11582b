import type { Ms } from '../../core/clock.ts';

export interface VadGateOptions {
  /** A window speaks from this probability on. Default 0.5. */
  startThreshold?: number;
  /** A window is silent below this. Default 0.35. */
  endThreshold?: number;
  /** Speech must last this long to start. Default 60 ms: two windows of Silero. */
  minSpeechMs?: Ms;
  /** Silence that lasts this long within speech may become its end. Default 90 ms: three windows of Silero. */
  lullMs?: Ms;
  /** Silence must last this long to end speech. Default 150 ms. */
  hangoverMs?: Ms;
  /** Windows below this level are silent whatever the engine thinks. Default -55 dBFS. */
  floorDb?: number;
}

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
  readonly #start: number;
  readonly #end: number;
  readonly #minSpeech: Ms;
  readonly #lull: Ms;
  readonly #hangover: Ms;
  readonly #floor: number;
  #state: 'silent' | 'maybe' | 'speaking' = 'silent';
  #firstVoicedAt: Ms = 0;
  #voicedMs: Ms = 0;
  #silentMs: Ms = 0;
  #lastVoicedEnd: Ms = 0;

  constructor(options: VadGateOptions = {}) {
    this.#start = options.startThreshold ?? 0.5;
    this.#end = options.endThreshold ?? 0.35;
    this.#minSpeech = options.minSpeechMs ?? 60;
    this.#lull = options.lullMs ?? 90;
    this.#hangover = options.hangoverMs ?? 150;
    this.#floor = options.floorDb ?? -55;
  }

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
    const p = levelDb < this.#floor ? 0 : probability;
    if (this.#state === 'speaking') return this.#whileSpeaking(p, at, ms);
    if (p >= this.#start) {
      if (this.#state === 'silent') {
        this.#state = 'maybe';
        this.#firstVoicedAt = at;
        this.#voicedMs = 0;
      }
      this.#voicedMs += ms;
      this.#lastVoicedEnd = at + ms;
      if (this.#voicedMs < this.#minSpeech) return undefined;
      this.#state = 'speaking';
      this.#silentMs = 0;
      return { type: 'start', at: this.#firstVoicedAt };
    }
    // Between the thresholds the question stays open; below, it was a click.
    if (p < this.#end) this.#state = 'silent';
    return undefined;
  }

  /** Back to silence, whatever was heard; speech that goes on must prove itself again. */
  reset(): void {
    this.#state = 'silent';
  }

  #whileSpeaking(p: number, at: Ms, ms: Ms): VadGateEvent | undefined {
    if (p >= this.#end) {
      this.#silentMs = 0;
      this.#lastVoicedEnd = at + ms;
      return undefined;
    }
    const before = this.#silentMs;
    this.#silentMs += ms;
    if (this.#silentMs >= this.#hangover) {
      this.#state = 'silent';
      return { type: 'end', at: this.#lastVoicedEnd };
    }
    const lulls = before < this.#lull && this.#silentMs >= this.#lull;
    return lulls ? { type: 'lull', at: this.#lastVoicedEnd } : undefined;
  }
}
