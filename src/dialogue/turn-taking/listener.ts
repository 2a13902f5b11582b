import type { Ms } from '../../core/clock.ts';
import type { ByOtherEar, Transcript } from '../speaking/voice.ts';
import type { CallerPace } from './caller-pace.ts';
import { Endpointing, type EndpointingOptions, type EndpointReason } from './endpointing.ts';

/** What the caller said, from the first voiced window to the endpoint decision. Times are monotonic ms. */
export interface Utterance {
  text: string;
  confidence: number;
  /** Speech was heard but fits nothing that was expected. */
  rejected: boolean;
  /** Of what was rejected or is noisy: what another ear made of it (heard-otherwise.ts). */
  otherwise?: ByOtherEar | undefined;
  /** Short words and numbers are easily lost in what else is heard on the line. */
  noisy: boolean;
  startedAt: Ms;
  /** End of the last voiced window. */
  endedAt: Ms;
  endpointAt: Ms;
  finalAt: Ms;
  why: EndpointReason;
}

export interface ListenerEffects {
  /** Told of this caller's pauses. */
  pace: CallerPace;
  /** The caller pauses, or seems to, after words that may be all: a good moment to work ahead. */
  onPause(text: string, complete: boolean): void;
  /** The caller goes on; what was worked out ahead is for nothing. */
  onGoesOn(): void;
  /** Endpointing options for a segment that begins now. */
  endpointing(): EndpointingOptions;
  endSegment(): void;
  onUtterance(utterance: Utterance): void;
}

/** A recogniser that does not answer holds the turn no longer than this, when its last partial can stand in … */
const FINAL_WITHIN_MS: Ms = 2000;
/** … and no longer than this when there is nothing to go by: a busy recogniser is still better than a deaf one. */
const FIRST_WORD_WITHIN_MS: Ms = 3000;
/** One that is still catching up, by its partial results, is waited for longer: half a sentence is no use to anybody. */
const CATCHING_UP_MS: Ms = 6000;

interface Segment {
  id: number;
  startedAt: Ms;
  endpointing: Endpointing;
  /** End of the last voiced window so far. */
  voicedUntil: Ms | undefined;
  /** The caller seems to pause, and the recogniser has not said yet what it makes of it. */
  lulls: boolean;
}

interface Finalizing extends Segment {
  endpointAt: Ms;
  why: EndpointReason;
  /** When the recogniser said something of it last. */
  heardAt: Ms;
}

function finalBy({ endpointAt, heardAt, endpointing }: Finalizing): Ms {
  const latest = endpointAt + CATCHING_UP_MS;
  return Math.min(latest, heardAt + (endpointing.text === '' ? FIRST_WORD_WITHIN_MS : FINAL_WITHIN_MS));
}

/**
 * The caller's side of turn taking: VAD events and recognition results in, utterances out. Pure, time passed in.
 *
 *     quiet -> speaking -> pausing -> speaking ...          (speech-start, speech-end)
 *     pausing | speaking -> finalizing                      (endpoint: deadline, or the recogniser's own final)
 *     finalizing -> quiet                                   (final result, or its deadline)
 *
 * A new segment may begin while the one before is finalizing.
 */
export class Listener {
  readonly #effects: ListenerEffects;
  #segment: Segment | undefined;
  #finalizing: Finalizing | undefined;

  constructor(effects: ListenerEffects) {
    this.#effects = effects;
  }

  /** Voiced right now, as far as the VAD knows. */
  get speaking(): boolean {
    return this.#segment !== undefined && this.#segment.endpointing.silentSince === undefined;
  }

  /** Inside an utterance: speaking, pausing, or waiting for the recogniser's last word. */
  get active(): boolean {
    return this.#segment !== undefined || this.#finalizing !== undefined;
  }

  speechStart(at: Ms, segment: number): void {
    if (this.#segment?.id === segment) {
      const { silentSince } = this.#segment.endpointing;
      if (silentSince !== undefined) this.#effects.pace.pause(at - silentSince);
      this.#segment.endpointing.speechStart();
      this.#effects.onGoesOn();
      return;
    }
    this.#effects.onGoesOn();
    this.#segment = {
      id: segment,
      startedAt: at,
      endpointing: new Endpointing(this.#effects.endpointing(), at),
      voicedUntil: undefined,
      lulls: false,
    };
  }

  /** The caller may be about to pause. */
  speechLull(segment: number): void {
    if (this.#segment?.id !== segment) return;
    this.#segment.lulls = true;
    this.#effects.onPause(this.#segment.endpointing.text, this.#segment.endpointing.complete);
  }

  speechEnd(at: Ms, segment: number): void {
    if (this.#segment?.id !== segment) return;
    this.#segment.voicedUntil = at;
    this.#segment.endpointing.speechEnd(at);
    this.#effects.onPause(this.#segment.endpointing.text, this.#segment.endpointing.complete);
  }

  transcript(result: Transcript): void {
    if (result.kind === 'partial') {
      if (this.#finalizing?.id === result.segment) {
        this.#finalizing.heardAt = result.at;
        this.#finalizing.endpointing.partial(result);
      }
      if (this.#segment?.id !== result.segment) return;
      this.#segment.endpointing.partial(result);
      const pauses = this.#segment.lulls || this.#segment.endpointing.silentSince !== undefined;
      this.#segment.lulls = false;
      if (pauses) this.#effects.onPause(result.text, result.complete ?? false);
      return;
    }
    if (this.#finalizing?.id === result.segment) {
      const done = this.#finalizing;
      this.#finalizing = undefined;
      this.#utter(done, result, result.at);
    } else if (this.#segment?.id === result.segment) {
      const segment = this.#segment;
      this.#segment = undefined;
      const done = {
        ...segment,
        endpointAt: result.at,
        why: segment.endpointing.reason(result.at),
        heardAt: result.at,
      };
      this.#utter(done, result, result.at);
    }
  }

  deadline(): Ms | undefined {
    const deadlines = [this.#segment?.endpointing.deadline(), this.#finalizing && finalBy(this.#finalizing)].filter(
      (at) => at !== undefined,
    );
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  due(now: Ms): void {
    if (this.#finalizing && now >= finalBy(this.#finalizing)) {
      const late = this.#finalizing;
      this.#finalizing = undefined;
      // The last partial is the best there is.
      this.#utter(late, late.endpointing, now);
    }
    const segment = this.#segment;
    if (segment && now >= segment.endpointing.deadline()) {
      this.#segment = undefined;
      this.#finalizing = { ...segment, endpointAt: now, why: segment.endpointing.reason(now), heardAt: now };
      this.#effects.endSegment();
    }
  }

  #utter(
    done: Finalizing,
    heard: Pick<Transcript, 'text' | 'confidence' | 'rejected' | 'otherwise' | 'noisy'>,
    finalAt: Ms,
  ): void {
    this.#effects.onUtterance({
      text: heard.text,
      confidence: heard.confidence,
      rejected: heard.rejected === true,
      otherwise: heard.otherwise,
      noisy: heard.noisy === true,
      startedAt: done.startedAt,
      endedAt: done.voicedUntil ?? done.endpointAt,
      endpointAt: done.endpointAt,
      finalAt,
      why: done.why,
    });
  }
}
