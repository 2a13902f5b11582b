import type { Ms } from '../../../src/core/clock.ts';
import type { Action, Question } from '../../../src/dialogue/questions/action-desk.ts';
import type { OpenQuestion } from '../../../src/dialogue/questions/errands.ts';
import type { Expectation } from '../../../src/dialogue/speaking/voice.ts';
import { CallerPace } from '../../../src/dialogue/turn-taking/caller-pace.ts';
import { adaptiveEndpointing, type EndpointingPolicy } from '../../../src/dialogue/turn-taking/endpointing.ts';
import { Listener, type Utterance } from '../../../src/dialogue/turn-taking/listener.ts';
import { weighed } from '../../../src/dialogue/turn-taking/wholeness.ts';
import { SegmentFeed, type SegmentPort } from '../../../src/media/inbound/segment-feed.ts';
import type { ListenMessage } from '../../../src/media/ports.ts';
import { SpeechDetector, type SpeechEvent } from '../../../src/media/voice-activity/speech-detector.ts';
import type { VadEngine } from '../../../src/media/voice-activity/vad.ts';
import type { SpeechHints } from '../../../src/speech/ports.ts';
import type { Listening } from '../../../src/speech/soundswallower/listening.ts';
import type { Hearing } from './hearing.ts';

const FRAME = 160;
const FRAME_MS: Ms = 20;

/** From then on this is awaited of the caller. */
export interface Awaited {
  readonly at: Ms;
  readonly expectation: Expectation;
}

export interface RoomCallOptions {
  readonly hearing: Hearing;
  readonly vad: VadEngine;
  readonly hintsFor: (expectation: Expectation) => SpeechHints;
  readonly actions: readonly Action[];
  /** Default adaptive, as in calls. */
  readonly endpointing?: EndpointingPolicy;
}

/**
 * The caller's side of a call in one thread and without waiting: VAD, segments, recogniser and endpointing are those of
 * the connector, time is that of the audio. Of a bot there is nothing: no echo, and nobody is interrupted.
 */
export class RoomCall {
  readonly #o: RoomCallOptions;
  readonly #feed = new SegmentFeed();
  readonly #detector: SpeechDetector;
  readonly #listener: Listener;
  readonly #listening: Listening;
  readonly #utterances: Utterance[] = [];
  #expectation: Expectation = { kind: 'request' };
  #now: Ms = 0;

  constructor(options: RoomCallOptions) {
    this.#o = options;
    const pace = new CallerPace();
    this.#listener = new Listener({
      pace,
      onPause: () => undefined,
      onGoesOn: () => undefined,
      endpointing: () => (options.endpointing ?? adaptiveEndpointing)(questionFor(this.#expectation), pace),
      endSegment: () => {
        this.#feed.end();
        this.#detector.gate.reset();
      },
      onUtterance: (utterance) => {
        if (utterance.why === 'incomplete' && this.#expectation.kind === 'request') pace.waitedInVain();
        this.#utterances.push(utterance);
      },
    });
    this.#detector = new SpeechDetector(options.vad, {
      event: (event) => this.#onSpeech(event),
      unheard: () => undefined,
    });
    this.#listening = options.hearing.open(options.hintsFor(this.#expectation), (result) => {
      const { actions } = options;
      this.#listener.transcript(weighed({ ...result, at: this.#now }, openFor(this.#expectation), actions));
    });
    this.#feed.listen(portTo((message) => this.#listening.onMessage(message)));
  }

  /** All that is heard on the line, from the beginning of the call. Whole frames of 20 ms. */
  async hear(line: Int16Array, awaited: readonly Awaited[]): Promise<readonly Utterance[]> {
    const waiting = [...awaited];
    for (let at = 0; at + FRAME <= line.length; at += FRAME) {
      while (waiting[0] !== undefined && waiting[0].at <= this.#now) this.#expect(waiting.shift()!.expectation);
      const frame = line.subarray(at, at + FRAME);
      this.#feed.push(frame, this.#now);
      this.#detector.push(frame, this.#now);
      this.#now += FRAME_MS;
      for (let window = this.#detector.next(); window !== undefined; window = this.#detector.next()) {
        this.#detector.result((await this.#o.vad.infer([window]))[0]!);
      }
      this.#listener.due(this.#now);
    }
    this.#listening.close();
    return this.#utterances;
  }

  #expect(expectation: Expectation): void {
    this.#expectation = expectation;
    this.#listening.grammar = this.#o.hearing.grammar(this.#o.hintsFor(expectation));
  }

  #onSpeech(event: SpeechEvent): void {
    if (event.type === 'start') this.#listener.speechStart(event.at, this.#feed.speechStart(event.at));
    else if (event.type === 'lull') {
      this.#feed.speechLull(event.at);
      this.#listener.speechLull(this.#feed.segment);
    } else if (event.type === 'end') {
      this.#feed.speechEnd(event.at);
      this.#listener.speechEnd(event.at, this.#feed.segment);
    }
  }
}

function portTo(onMessage: (message: ListenMessage) => void): SegmentPort {
  return { postMessage: onMessage, close: () => undefined };
}

function openFor(expectation: Expectation): Pick<OpenQuestion, 'question' | 'digits'> | undefined {
  const question = questionFor(expectation);
  return question && { question, digits: '' };
}

function questionFor(expectation: Expectation): Question | undefined {
  if (expectation.kind === 'request') return undefined;
  return {
    slot: 'asked',
    expects: expectation,
    secret: expectation.secret,
    prompt: '',
    reprompt: '',
    mustBeHeard: false,
  };
}
