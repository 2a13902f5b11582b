import type { Alarm, Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import { LateMachine } from '../../dialogue/picking-up/late-machine.ts';
import { type Answerer, MachineDetection, MessageMoment } from '../../dialogue/picking-up/machine-detection.ts';
import { type HeardTone, isNobodys, type NobodysTone } from '../../dialogue/picking-up/telephone-tones.ts';
import type { Transcript } from '../../dialogue/speaking/voice.ts';
import type { MediaEvent, MediaSession } from '../../media/ports.ts';
import type { MachineManner } from '../orders/order.ts';

/** What to do when a machine answers a call of ours. */
export interface ScreeningManner {
  onMachine: Exclude<MachineManner, 'go-on'>;
  /** What it is left. */
  message: string | undefined;
}

export interface ScreeningOptions {
  manner: ScreeningManner;
  session: MediaSession;
  time: Timekeeper;
  /** It is clear who has answered. */
  onAnswerer(answerer: Answerer): void;
  /** A person waits for the bot's first words; tones are watched on, see MachineWatch. */
  onPerson(): void;
  /** The machine listens. */
  onMessage(message: string): void;
  /** There is nobody to speak to. */
  onHangUp(): void;
}

/**
 * The first seconds of a call of ours: finds out who has answered, before the bot says a word.
 *
 *     listening -> over                        a person, or a machine to hang up on
 *     listening -> polite -> over              a person who still speaks
 *     listening -> waiting -> over             a machine, until it listens
 */
export class Screening {
  readonly #o: ScreeningOptions;
  readonly #detection: MachineDetection;
  readonly #alarm: Alarm;
  #state: 'listening' | 'polite' | 'waiting' | 'over' = 'listening';
  #moment: MessageMoment | undefined;

  constructor(options: ScreeningOptions) {
    this.#o = options;
    const { time, session } = options;
    this.#detection = new MachineDetection(time.now());
    this.#alarm = time.alarm(() => this.#tick());
    session.watchTones(true);
    this.#tick();
  }

  onMedia(event: MediaEvent): void {
    if (this.#state === 'over') return;
    switch (event.type) {
      case 'speech-start':
        this.#detection.speechStart(event.at);
        this.#moment?.speechStart();
        break;
      case 'speech-end':
        this.#detection.speechEnd(event.at);
        this.#moment?.speechEnd(event.at);
        break;
      case 'tone':
        this.#onTone(event);
        break;
      default:
        return;
    }
    this.#tick();
  }

  onTranscript({ segment, kind, text, otherwise }: Transcript): void {
    if (this.#state === 'over') return;
    if (otherwise) this.#detection.heardFreely(segment, otherwise.text);
    // The grammar's words that come with those are older than what it has told since.
    if (!otherwise || kind === 'final') this.#detection.heard(segment, text);
    this.#tick();
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 'over') return;
    this.#end();
    this.#o.session.watchTones(false);
  }

  #end(): void {
    this.#state = 'over';
    this.#alarm.set(undefined);
  }

  #tick(): void {
    const now = this.#o.time.now();
    if (this.#state === 'listening') {
      const answerer = this.#detection.verdict(now);
      if (answerer) this.#decided(answerer, now);
    }
    if (this.#state === 'polite' && !this.#detection.speaking) {
      // The tones are listened to on: one that has begun is not to be cut in two.
      this.#end();
      this.#o.onPerson();
    }
    if (this.#state === 'waiting') this.#wait(now);
    if (this.#state === 'listening') this.#alarm.set(this.#detection.deadline());
    else if (this.#state === 'waiting') this.#alarm.set(this.#moment!.deadline());
    else this.#alarm.set(undefined);
  }

  #decided(answerer: Answerer, now: Ms): void {
    this.#o.onAnswerer(answerer);
    if (answerer.by === 'person') {
      this.#state = 'polite';
      return;
    }
    if (isNobodys(answerer.why) || this.#o.manner.onMachine === 'hang-up') {
      this.#finish(() => this.#o.onHangUp());
      return;
    }
    this.#state = 'waiting';
    this.#moment = new MessageMoment(now, this.#detection.speaking);
    if (answerer.beepAt !== undefined) this.#moment.tone(answerer.beepAt);
  }

  #onTone(tone: HeardTone): void {
    const meaning = this.#detection.tone(tone);
    if (isNobodys(meaning) && this.#state === 'waiting') this.#finish(() => this.#o.onHangUp());
    else if (meaning !== 'progress') this.#moment?.tone(tone.at);
  }

  #wait(now: Ms): void {
    const { message } = this.#o.manner;
    const due = this.#moment!.due(now);
    if (due === 'late' || (due === 'now' && message === undefined)) this.#finish(() => this.#o.onHangUp());
    else if (due === 'now') this.#finish(() => this.#o.onMessage(message!));
  }

  #finish(then: () => void): void {
    this.close();
    then();
  }
}

export interface MachineWatchOptions {
  answeredAt: Ms;
  session: MediaSession;
  time: Timekeeper;
  /** `at`: when the tone ended; but for a beep nobody listens. Told once, and the watch is over. */
  onMachine(at: Ms, by: 'beep' | NobodysTone): void;
}

/** Listens for the beep of a machine that was taken for a person, or a fax, for as long as greetings last: watching -> over. */
export class MachineWatch {
  readonly #o: MachineWatchOptions;
  readonly #late: LateMachine;
  readonly #alarm: Alarm;
  #over = false;

  constructor(options: MachineWatchOptions) {
    this.#o = options;
    const { answeredAt, session, time } = options;
    this.#late = new LateMachine(answeredAt);
    this.#alarm = time.alarm(() => this.close());
    this.#alarm.set(this.#late.until);
    session.watchTones(true);
  }

  onMedia(event: MediaEvent): void {
    if (this.#over) return;
    if (event.type === 'speech-start') this.#late.speechStart(event.at);
    else if (event.type === 'speech-end') this.#late.speechEnd(event.at);
    else if (event.type === 'tone') {
      const by = this.#late.tone(event);
      if (by === undefined) return;
      this.close();
      this.#o.onMachine(event.at, by);
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#alarm.set(undefined);
    this.#o.session.watchTones(false);
  }
}
