import type { Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { newOrderedId } from '../../core/ordered-id.ts';
import { sourceOf, wordsHeard } from '../../dialogue/caller-line.ts';
import type { SpokenUtterance } from '../../dialogue/speaking/voice.ts';
import type { Overheard } from '../../dialogue/stenographer.ts';
import type { MediaEvent } from '../../media/ports.ts';
import type { Recognizer, SpeechHints } from '../../speech/ports.ts';
import { CallEar } from '../bot/ear.ts';
import { Overhearing } from './overhearing.ts';
import type { Party } from './party.ts';

export interface PartyEarOptions {
  party: Party;
  recognizer: Recognizer;
  hints: SpeechHints;
  time: Timekeeper;
  log: Logger;
  onOverheard(overheard: Overheard): void;
}

/** Results of what was said before the ear was closed are waited for so long. */
const LINGER_MS: Ms = 60_000;

/** Takes down what an agent or a supervisor says, until it is closed or the party is gone. */
export class PartyEar {
  readonly #ear: CallEar;
  readonly #overhearing: Overhearing;
  readonly #deafen: () => void;

  constructor({ party, recognizer, hints, time, log, onOverheard }: PartyEarOptions) {
    this.#overhearing = new Overhearing({
      time,
      endSegment: () => this.#ear.endSegment(),
      onOverheard,
      onDone: () => this.#ear.close(),
    });
    this.#ear = new CallEar({
      call: party.id,
      session: party.session,
      recognizer,
      localRecognizer: recognizer,
      hintsFor: () => hints,
      onTranscript: (result) => this.#overhearing.transcript(result),
      onLost: () => this.#overhearing.lose(),
      log,
    });
    this.#deafen = party.onMedia((event) => this.#onMedia(event));
    party.signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Hears nothing any more; what was said before is still told. Idempotent. */
  close(): void {
    this.#deafen();
    this.#overhearing.close(LINGER_MS);
  }

  #onMedia(event: MediaEvent): void {
    if (event.type === 'speech-start') this.#overhearing.speechStart(event.at, event.segment);
    else if (event.type === 'speech-end') this.#overhearing.speechEnd(event.at, event.segment);
    else if (event.type === 'media-interrupted') {
      this.#overhearing.lose();
      this.#ear.reopen();
    }
  }
}

/** As a line of the transcript. */
export function partyLine(overheard: Overheard): SpokenUtterance {
  const { startedAt, endedAt, confidence } = overheard;
  const words = wordsHeard(overheard);
  return {
    key: newOrderedId(),
    speaker: 'agent',
    text: words,
    heard: words,
    interrupted: false,
    startedAt,
    endedAt,
    confidence,
    source: sourceOf(words),
  };
}
