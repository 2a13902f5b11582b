import type { Ms } from '../core/clock.ts';
import type { Transcript } from './speaking/voice.ts';

/** What somebody said to somebody else. Times are monotonic ms. */
export interface Overheard {
  /** '' where nothing was understood. */
  text: string;
  confidence: number;
  /** Speech was heard, and nobody knows what was said: the recogniser had no time for it, or failed. */
  lost: boolean;
  startedAt: Ms;
  /** End of the last voiced window. */
  endedAt: Ms;
}

export interface StenographerEffects {
  /** Ends the open segment: behind its audio the recogniser gives its result, now or later. */
  endSegment(): void;
  onOverheard(overheard: Overheard): void;
}

/** Nobody waits for an answer: a sentence may have pauses. */
const SILENCE_MS: Ms = 700;
/** A speech is taken down in pieces of at most this length. */
const LONGEST_MS: Ms = 20_000;
/** Results that are still to come. More are not waited for, the oldest first. */
const MOST_AWAITED = 100;
/** A result that does not come in this time never will: longer than what waits for the recogniser, in a rush as well. */
const PATIENCE_MS: Ms = 600_000;

interface Segment {
  id: number;
  startedAt: Ms;
  voicedUntil: Ms | undefined;
  silentSince: Ms | undefined;
}

interface Awaited extends Segment {
  since: Ms;
}

/**
 * Takes down what somebody says to somebody else, in one place for each stream of a recogniser. Results may come late and
 * several segments be awaited at once; each that had speech in it becomes one line, also when its result never comes. Pure,
 * time passed in.
 *
 *     none -> speaking <-> pausing -> awaited -> told          (speech-start, speech-end, silence, final result)
 *     speaking -> awaited                                      (too long, or the next segment begins)
 *     awaited -> told as lost                                  (too late, too many, the stream has failed)
 */
export class Stenographer {
  readonly #effects: StenographerEffects;
  #open: Segment | undefined;
  readonly #awaited = new Map<number, Awaited>();

  constructor(effects: StenographerEffects) {
    this.#effects = effects;
  }

  /** Nothing is open, and no result is to come. */
  get idle(): boolean {
    return this.#open === undefined && this.#awaited.size === 0;
  }

  speechStart(at: Ms, segment: number): void {
    if (this.#open?.id === segment) {
      this.#open.silentSince = undefined;
      return;
    }
    if (this.#open) this.#await(this.#open, at);
    this.#open = { id: segment, startedAt: at, voicedUntil: undefined, silentSince: undefined };
  }

  /** False: it is not one of its segments. */
  speechEnd(at: Ms, segment: number): boolean {
    if (this.#open?.id === segment) {
      this.#open.voicedUntil = at;
      this.#open.silentSince = at;
      return true;
    }
    const awaited = this.#awaited.get(segment);
    if (awaited) awaited.voicedUntil ??= at;
    return awaited !== undefined;
  }

  /** A result of the recogniser. False: it is not of one of its segments. */
  transcript(result: Transcript): boolean {
    const segment = this.#open?.id === result.segment ? this.#open : this.#awaited.get(result.segment);
    if (segment === undefined) return false;
    if (result.kind === 'final') {
      const text = result.rejected ? '' : result.text;
      this.#tell(segment, { text, confidence: result.confidence, lost: result.lost ?? false }, result.at);
    }
    return true;
  }

  /** The recogniser's stream has failed: no result comes any more, and what is being said has lost its beginning. */
  lose(now: Ms): void {
    if (this.#open) this.#await(this.#open, now);
    for (const segment of [...this.#awaited.values()]) this.#miss(segment);
  }

  /** Nobody listens any more; the results of what has been said are awaited still. */
  stop(now: Ms): void {
    if (this.#open === undefined) return;
    this.#await(this.#open, now);
    this.#effects.endSegment();
  }

  /** What is being said is somebody else's to hear now: the open segment, which is forgotten here. */
  release(): Pick<Segment, 'id' | 'startedAt' | 'silentSince'> | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open;
  }

  deadline(): Ms | undefined {
    const { startedAt, silentSince } = this.#open ?? {};
    const [oldest] = this.#awaited.values();
    const moments = [
      startedAt === undefined ? undefined : startedAt + LONGEST_MS,
      silentSince === undefined ? undefined : silentSince + SILENCE_MS,
      oldest && oldest.since + PATIENCE_MS,
    ].filter((at) => at !== undefined);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  due(now: Ms): void {
    for (const segment of [...this.#awaited.values()]) {
      if (now >= segment.since + PATIENCE_MS) this.#miss(segment);
    }
    const open = this.#open;
    if (open === undefined) return;
    const silent = open.silentSince !== undefined && now >= open.silentSince + SILENCE_MS;
    if (silent || now >= open.startedAt + LONGEST_MS) this.stop(now);
  }

  #await(segment: Segment, now: Ms): void {
    this.#open = undefined;
    this.#awaited.set(segment.id, { ...segment, since: now });
    const [oldest] = this.#awaited.values();
    if (this.#awaited.size > MOST_AWAITED) this.#miss(oldest!);
  }

  #miss(segment: Awaited): void {
    this.#tell(segment, { text: '', confidence: 0, lost: true }, segment.since);
  }

  #tell(segment: Segment, words: Pick<Overheard, 'text' | 'confidence' | 'lost'>, now: Ms): void {
    if (this.#open?.id === segment.id) this.#open = undefined;
    this.#awaited.delete(segment.id);
    this.#effects.onOverheard({ ...words, startedAt: segment.startedAt, endedAt: segment.voicedUntil ?? now });
  }
}
