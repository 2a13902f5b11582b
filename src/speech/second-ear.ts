import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Transcriber, Transcript } from './ports.ts';

/** What may have been said, by what was written; none: it is not asked how well anything fits. */
export type Likely = (written: string) => readonly string[];

const NONE: Likely = () => [];
/** Whoever does not ask for them waits no longer for fits that are being worked out. */
const REST_MS: Ms = 200;

/** How well sentences fit what was heard: told; wanted, but it was too late; wanted, but another caller waited for words. */
export interface FitCounts {
  told: number;
  late: number;
  leftOut: number;
}

/** Nobody waits for it yet: behind all for which somebody does. */
const AHEAD = 1;
/** A caller waits for it. */
const URGENCY = 0;
/** Half of the work is done. */
const URGENT = -1;

/** Hears stretches of speech in any words, for all calls with one thread. */
export class SecondEar {
  readonly transcriber: Transcriber;
  readonly fits: FitCounts = { told: 0, late: 0, leftOut: 0 };
  /** Stretches of which a caller waits for the words. */
  awaited = 0;
  readonly #log: Logger;
  #troubled = false;

  constructor(transcriber: Transcriber, log: Logger) {
    this.transcriber = transcriber;
    this.#log = log;
  }

  /** Begins at once; nobody waits for it yet. `closed`: nobody will. */
  hear(sound: Int16Array, closed: AbortSignal, likely: Likely = NONE): SecondHearing {
    return new SecondHearing(this, sound, closed, likely);
  }

  trouble(error: unknown): void {
    if (!this.#troubled) this.#log.error({ err: error }, 'free speech is not understood; the grammar alone decides');
    this.#troubled = true;
  }
}

/** One stretch of speech: first its words, then how well sentences fit. Nothing of it rejects. */
export class SecondHearing {
  readonly #ear: SecondEar;
  readonly #sound: Int16Array;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #heard: Promise<Transcript | undefined>;
  /** What is to be fitted when the words are there. */
  #likely: Likely;
  #written = false;
  /** A caller waits for what comes of it. */
  #wanted = false;
  /** … and for the words. */
  #awaited = false;
  #late = false;

  constructor(ear: SecondEar, sound: Int16Array, closed: AbortSignal, likely: Likely) {
    this.#ear = ear;
    this.#sound = sound;
    this.#signal = AbortSignal.any([this.#stop.signal, closed]);
    this.#likely = likely;
    this.#heard = this.#hear();
  }

  /** There was no time for the words. */
  get late(): boolean {
    return this.#late && !this.#written;
  }

  /** Nobody wants it any more. */
  get over(): boolean {
    return this.#signal.aborted;
  }

  /**
   * A caller waits from now on, so long at most: for the words, and for how well these fit that may have been said; without
   * these, for what is nearly known. What is known by then is the answer; undefined for nothing, and when the call is over.
   */
  async within(ms: Ms, likely: Likely = NONE): Promise<Transcript | undefined> {
    const hurried = this.#written && likely === NONE;
    const timer = setTimeout(
      () => {
        this.#late = true;
        this.#stop.abort();
      },
      hurried ? Math.min(ms, REST_MS) : ms,
    );
    this.#likely = likely;
    this.#wanted = true;
    this.#ear.transcriber.hurry?.(this.#sound, this.#written ? URGENT : URGENCY);
    this.#await(!this.#written);
    const heard = await this.#heard;
    // It may have failed long ago.
    this.#await(false);
    const told = heard && (await this.#fitted(heard, likely));
    clearTimeout(timer);
    this.#count(told);
    return told;
  }

  /** It is for nothing. */
  drop(): void {
    this.#stop.abort();
  }

  async #hear(): Promise<Transcript | undefined> {
    try {
      const heard = await this.#ear.transcriber.transcribe(this.#sound, AHEAD, this.#signal);
      this.#written = true;
      this.#await(false);
      return await this.#fitted(heard, this.#likely);
    } catch (error) {
      this.#await(false);
      if (!this.#signal.aborted) this.#ear.trouble(error);
      return undefined;
    }
  }

  /** With how well these fit, as far as that is not known. What was written is worth something without. */
  async #fitted(known: Transcript, likely: Likely): Promise<Transcript> {
    const { transcriber } = this.#ear;
    const { unfitted: _, ...heard } = known;
    const fits = heard.fits ?? [];
    try {
      const fresh = likely(heard.text).filter((sentence) => !fits.some(({ text }) => text === sentence));
      if (fresh.length === 0 || transcriber.fit === undefined) return known;
      // It takes as long again, and somebody else waits for words.
      if (this.#ear.awaited > 0) return { ...heard, unfitted: 'left-out' };
      const more = await transcriber.fit(this.#sound, fresh, this.#wanted ? URGENT : AHEAD, this.#signal);
      return { ...heard, fits: [...fits, ...fresh.map((text, i) => ({ text, fit: more[i]! }))] };
    } catch (error) {
      if (!this.#signal.aborted) this.#ear.trouble(error);
      return { ...heard, unfitted: 'late' };
    }
  }

  #await(awaited: boolean): void {
    if (awaited === this.#awaited) return;
    this.#awaited = awaited;
    this.#ear.awaited += awaited ? 1 : -1;
  }

  #count(told: Transcript | undefined): void {
    const { fits } = this.#ear;
    if (told?.fits !== undefined) fits.told++;
    else if (told?.unfitted === 'late') fits.late++;
    else if (told?.unfitted === 'left-out') fits.leftOut++;
  }
}
