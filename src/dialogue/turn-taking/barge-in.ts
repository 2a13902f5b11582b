import type { Ms } from '../../core/clock.ts';
import { interjectionOf, isDistinctHalt, isRemark } from './interjections.ts';

export interface BargeInOptions {
  /** Speech over the bot for this long is an interruption, understood or not. Longer than a drawn-out "mm-hm". */
  confirmMs: Ms;
  /** "Stop" must stay heard this long, or be the last word: what becomes of a first sound is often another word. */
  haltMs: Ms;
  /** Words that are no mere "mhm" must last this long: the first partial result of a grunt is often a word. */
  wordsMs: Ms;
  /** After a noise or a backchannel the bot goes on this long after it ended. */
  resumeAfterMs: Ms;
  /** After shorter words the recogniser's final result decides; without one the bot goes on after this. */
  finalWithinMs: Ms;
  /** The bot asked something that "yes" or "okay" answers: nothing is a backchannel. */
  anyWordAnswers: boolean;
  /** The bot has just gone on over a sound of which nothing was understood, and here is another: "Stop. STOP!" */
  insists: boolean;
}

export const DEFAULT_BARGE_IN: BargeInOptions = {
  confirmMs: 1100,
  haltMs: 120,
  wordsMs: 900,
  resumeAfterMs: 220,
  finalWithinMs: 1100,
  anyWordAnswers: false,
  insists: false,
};

export type BargeInVerdict = 'undecided' | 'interrupt' | 'resume';

/**
 * The media worker has paused the bot because the caller made a sound; was it an interruption? The bot is silent
 * already, so there is time to tell: "stop" cuts almost at once, words do after a moment, a backchannel, a cough or a door lets
 * the bot go on from the very sample. Pure, time passed in. One instance per pause.
 */
export class BargeIn {
  readonly #options: BargeInOptions;
  readonly #startedAt: Ms;
  #endedAt: Ms | undefined;
  #text = '';
  /** Since when the words mean "be quiet". */
  #haltSince: Ms | undefined;
  #halted = false;

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

  partial(text: string, now: Ms): void {
    this.#text = text;
    this.#halted ||= isDistinctHalt(text);
    this.#haltSince = this.#meaning() === 'halt' ? (this.#haltSince ?? now) : undefined;
  }

  get anyWordAnswers(): boolean {
    return this.#options.anyWordAnswers;
  }

  get insists(): boolean {
    return this.#options.insists;
  }

  /** The words so far are those of somebody who listens. */
  get listening(): boolean {
    return this.#meaning() === 'backchannel';
  }

  /** A "stop" or "wait" was among the words at some moment, whatever became of them. */
  get halted(): boolean {
    return this.#halted;
  }

  verdict(now: Ms): BargeInVerdict {
    const spokenFor = (this.#endedAt ?? now) - this.#startedAt;
    const meaning = this.#meaning();
    if (meaning === 'halt' && now >= this.#haltSince! + this.#options.haltMs) return 'interrupt';
    if (meaning === 'words' && spokenFor >= this.#options.wordsMs) return 'interrupt';
    if (meaning === 'noise' && spokenFor >= this.#options.confirmMs) return 'interrupt';
    if (this.#endedAt === undefined || now < this.#endedAt + this.#patience(meaning)) return 'undecided';
    return this.insists && meaning !== 'backchannel' ? 'interrupt' : 'resume';
  }

  /** When the verdict may change if nothing else happens, monotonic ms. */
  deadline(): Ms {
    const meaning = this.#meaning();
    if (this.#haltSince !== undefined) return this.#haltSince + this.#options.haltMs;
    if (this.#endedAt !== undefined) return this.#endedAt + this.#patience(meaning);
    return this.#startedAt + (meaning === 'words' ? this.#options.wordsMs : this.#options.confirmMs);
  }

  #meaning(): 'halt' | 'words' | 'backchannel' | 'noise' {
    // Worth waiting for what the recogniser makes of it in the end.
    if (this.#text === '') return this.#halted ? 'words' : 'noise';
    const meaning = isRemark(this.#text) ? 'backchannel' : interjectionOf(this.#text);
    if (meaning === 'none') return 'words';
    return meaning === 'backchannel' && this.#options.anyWordAnswers ? 'words' : meaning;
  }

  #patience(meaning: 'words' | 'backchannel' | 'noise' | 'halt'): Ms {
    const worthIt = meaning === 'words' || meaning === 'halt' || (meaning === 'noise' && this.insists);
    return worthIt ? this.#options.finalWithinMs : this.#options.resumeAfterMs;
  }
}
