import type { Alarm, Timekeeper } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { UNINTELLIGIBLE } from '../dialogue/caller-line.ts';
import { CallerPace } from '../dialogue/caller-pace.ts';
import { fixedEndpointing } from '../dialogue/endpointing.ts';
import { Listener, type Utterance } from '../dialogue/listener.ts';
import type { SpokenUtterance } from '../dialogue/voice.ts';
import type { MediaEvent } from '../media/ports.ts';
import type { Recognizer, SpeechHints } from '../speech/ports.ts';
import { CallEar } from './ear.ts';
import type { Party } from './party.ts';

export interface PartyEarOptions {
  party: Party;
  recognizer: Recognizer;
  hints: SpeechHints;
  time: Timekeeper;
  log: Logger;
  /** '' where speech was heard and not understood. */
  onUtterance(text: string, utterance: Utterance): void;
}

/** Nobody waits for an answer: a sentence may have pauses. */
const SILENCE_MS: Ms = 700;

/** Takes down what an agent or a supervisor says, until it is closed or the party is gone. */
export class PartyEar {
  readonly #ear: CallEar;
  readonly #listener: Listener;
  readonly #alarm: Alarm;
  readonly #time: Timekeeper;
  readonly #deafen: () => void;
  #closed = false;

  constructor({ party, recognizer, hints, time, log, onUtterance }: PartyEarOptions) {
    this.#time = time;
    this.#alarm = time.alarm(() => this.#due());
    const pace = new CallerPace();
    const endpointing = fixedEndpointing(SILENCE_MS);
    this.#listener = new Listener({
      pace,
      endpointing: () => endpointing(undefined, pace),
      onPause: () => undefined,
      onGoesOn: () => undefined,
      endSegment: () => this.#ear.endSegment(),
      onUtterance: (utterance) => onUtterance(utterance.rejected ? '' : utterance.text, utterance),
    });
    this.#ear = new CallEar({
      call: party.id,
      session: party.session,
      recognizer,
      localRecognizer: recognizer,
      hintsFor: () => hints,
      onTranscript: (result) => {
        if (this.#closed) return;
        this.#listener.transcript(result);
        this.#due();
      },
      log,
    });
    this.#deafen = party.onMedia((event) => this.#onMedia(event));
    party.signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deafen();
    this.#alarm.set(undefined);
    this.#ear.close();
  }

  #onMedia(event: MediaEvent): void {
    if (event.type === 'speech-start') this.#listener.speechStart(event.at, event.segment);
    else if (event.type === 'speech-end') this.#listener.speechEnd(event.at, event.segment);
    else if (event.type === 'media-interrupted') this.#ear.reopen();
    else return;
    this.#due();
  }

  #due(): void {
    if (this.#closed) return;
    this.#listener.due(this.#time.now());
    this.#alarm.set(this.#listener.deadline());
  }
}

/** As a line of the transcript. */
export function partyLine(text: string, { startedAt, endedAt, confidence }: Utterance): SpokenUtterance {
  const words = text || UNINTELLIGIBLE;
  return {
    key: crypto.randomUUID(),
    speaker: 'agent',
    text: words,
    heard: words,
    interrupted: false,
    startedAt,
    endedAt,
    confidence,
    source: 'speech',
  };
}
