import type { Ms } from '../core/clock.ts';
import { interjectionOf } from './interjections.ts';

export interface BargeInOptions {
  /** Speech over the bot for this long is an interruption, understood or not. */
  confirmMs: Ms;
  /** Words that are no mere "mhm" must last this long: the first partial result is often wrong. */
  wordsMs: Ms;
  /** After shorter speech, or a backchannel, the bot goes on this long after it ended. */
  resumeAfterMs: Ms;
  /** The bot asked something that "yes" or "okay" answers: nothing is a backchannel. */
  anyWordAnswers: boolean;
}

export const DEFAULT_BARGE_IN: BargeInOptions = {
  confirmMs: 700,
  wordsMs: 260,
  resumeAfterMs: 220,
  anyWordAnswers: false,
};

export type BargeInVerdict = 'undecided' | 'interrupt' | 'resume';

/**
 * The media worker has paused the bot because the caller made a sound; was it an interruption? The bot is silent
 * already, so there is time to tell: "stop" cuts at once, words do after a moment, a backchannel, a cough or a door lets
 * the bot go on from the very sample. Pure, time passed in. One instance per pause.
 */
export class BargeIn {
  readonly #options: BargeInOptions;
  readonly #startedAt: Ms;
  #endedAt: Ms | undefined;
  #text = '';

  constructor(options: BargeInOptions, startedAt: Ms) {
    this.#options = options;
    this.#startedAt = startedAt;
  }

  speechStart(): void {
    this.#endedAt = undefined;
  }

  speechEnd(at: Ms): void {
    this.#endedAt = at;
  }

  partial(text: string): void {
    this.#text = text;
  }

  verdict(now: Ms): BargeInVerdict {
    const spokenFor = (this.#endedAt ?? now) - this.#startedAt;
    const meaning = this.#text === '' ? 'silent' : interjectionOf(this.#text);
    if (meaning === 'halt') return 'interrupt';
    if (meaning === 'none' && spokenFor >= this.#options.wordsMs) return 'interrupt';
    if (meaning === 'backchannel' && this.#options.anyWordAnswers) return 'interrupt';
    if (spokenFor >= this.#options.confirmMs && meaning !== 'backchannel') return 'interrupt';
    if (this.#endedAt !== undefined && now >= this.#endedAt + this.#options.resumeAfterMs) return 'resume';
    return 'undecided';
  }

  /** When the verdict may change if nothing else happens, monotonic ms. */
  deadline(): Ms {
    if (this.#endedAt !== undefined) return this.#endedAt + this.#options.resumeAfterMs;
    const words = this.#text !== '' && interjectionOf(this.#text) === 'none';
    return this.#startedAt + (words ? this.#options.wordsMs : this.#options.confirmMs);
  }
}
