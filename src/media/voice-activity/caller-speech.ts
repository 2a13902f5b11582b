import type { Ms } from '../../core/clock.ts';
import type { TurnId } from '../../core/ids.ts';
import { FRAME_SAMPLES, type Pcm } from '../audio.ts';
import { EchoGuard } from '../echo/echo-guard.ts';
import { EchoMarks } from '../echo/echo-marks.ts';
import type { SearchBudget } from '../echo/echo-search.ts';
import { SegmentFeed, type SegmentPort } from '../inbound/segment-feed.ts';
import { levelDb } from '../level.ts';
import { Duck } from '../outbound/duck.ts';
import type { PlayoutDesk } from '../outbound/playout-desk.ts';
import type { MediaEvent } from '../ports.ts';
import { Onset } from './onset.ts';
import { SpeechDetector, type SpeechEvent } from './speech-detector.ts';
import type { VadBatch } from './vad-batch.ts';

const SILENCE = new Int16Array(FRAME_SAMPLES);
/** Of all calls of this thread: copied at once. */
const faint = new Int16Array(FRAME_SAMPLES);
/** What the recogniser gets of an echo: -24 dB. */
const ECHO_SHIFT = 4;
/** Frames of echo in a row that are no gap in the caller's speech: 100 ms. */
const ECHO_BETWEEN_WORDS = 5;

export interface CallerSpeechOptions {
  vad: Pick<VadBatch, 'engine' | 'add' | 'delete' | 'suspect'>;
  /** Shared by all sessions of the worker. */
  searches: SearchBudget;
  /** The bot, who falls silent for the caller. */
  playout: PlayoutDesk;
  now(): Ms;
  raise(event: Extract<MediaEvent, { type: 'speech-start' | 'speech-lull' | 'speech-end' | 'barge-in' }>): void;
}

/**
 * What the caller says, on its way to the VAD and the recogniser, and the reflex that silences the bot for it: at the
 * first sound, before anybody knows whether it is speech. The bot's own echo starts nothing. Synchronous: frames in,
 * events out, time passed in.
 */
export class CallerSpeech {
  readonly #o: CallerSpeechOptions;
  readonly #detector: SpeechDetector;
  readonly #feed = new SegmentFeed();
  readonly #duck = new Duck();
  readonly #onset = new Onset();
  readonly #echo: EchoGuard;
  readonly #marks = new EchoMarks();
  /** In a row. */
  #echoFrames = 0;
  #armed = false;
  /** The segment of speech that runs began while the bot played, and has not interrupted it yet. */
  #overlapsTurn: TurnId | undefined;

  constructor(options: CallerSpeechOptions) {
    this.#o = options;
    this.#echo = new EchoGuard(options.searches);
    this.#detector = new SpeechDetector(options.vad.engine, {
      event: (event) => this.#onSpeech(event),
      unheard: () => options.vad.suspect(this.#detector),
    });
    options.vad.add(this.#detector);
  }

  /** Number of the segment that is open, or of the last one; 0 before the first. */
  get segment(): number {
    return this.#feed.segment;
  }

  /** Goes on counting where another worker stopped. */
  resume(segment: number): void {
    this.#feed.segment = segment;
  }

  /** Where segments go. */
  listen(port: SegmentPort): void {
    this.#feed.listen(port);
  }

  /** Speech that goes on behind the segment's end must prove itself again and opens the next segment. */
  endSegment(): void {
    const { gate } = this.#detector;
    const { speaking } = gate;
    const { segment } = this.#feed;
    this.#feed.end();
    gate.reset();
    this.#unduck();
    this.#overlapsTurn = undefined;
    if (speaking) this.#o.raise({ type: 'speech-end', at: gate.lastVoicedEnd, segment });
  }

  /** May the caller silence the bot? */
  arm(armed: boolean): void {
    this.#armed = armed;
    if (armed) this.#bargeIn(this.#o.now());
    else this.#unduck();
  }

  /**
   * A frame that has arrived, spoken `at`, `position` samples into the caller's stream: for VAD and echo guard. Silence before
   * anything has come (not `begun`) says nothing of where the caller is.
   */
  readonly hear = (frame: Pcm, at: Ms, position: number, begun: boolean): void => {
    const echo = this.#echo.heard(frame, position);
    this.#echoFrames = echo ? this.#echoFrames + 1 : 0;
    // A caller who speaks over the echo is not chopped up for the recogniser by gaps of a frame or two.
    this.#marks.mark(at, echo && (!this.#detector.gate.speaking || this.#echoFrames >= ECHO_BETWEEN_WORDS));
    if (echo || this.#echo.path) this.#onset.echoes();
    else if (this.#onset.push(levelDb(frame), this.#o.playout.queue.playing)) this.#maybeSpeech(true);
    if (begun) this.#detector.push(frame, at, echo);
  };

  /** The same audio behind the jitter buffer, spoken `at`: for the recogniser, which gets echo only faintly. */
  take(frame: Pcm | undefined, at: Ms): void {
    this.#feed.push(this.#marks.isEcho(at) ? this.#attenuated(frame) : (frame ?? SILENCE), at);
  }

  /** Once per frame of time. */
  pass(): void {
    if (this.#duck.turn !== undefined && this.#duck.overdue(this.#o.now(), this.#onset.lasts)) this.#unduck();
  }

  /** What was sent to the caller in this frame; undefined for silence. */
  sent(frame: Pcm | undefined): void {
    this.#echo.sent(frame);
  }

  /** Time has passed without frames. */
  skip(): void {
    this.#echo.skip();
  }

  stats() {
    return {
      falseDucks: this.#duck.dismissed,
      echoFrames: this.#echo.counts.echoFrames,
      echoPath: this.#echo.path,
      vadResets: this.#detector.resets,
      vadDropped: this.#detector.dropped,
    };
  }

  close(): void {
    this.#o.vad.delete(this.#detector);
    this.#feed.close();
  }

  #attenuated(frame: Pcm = SILENCE): Pcm {
    for (let i = 0; i < FRAME_SAMPLES; i++) faint[i] = frame[i]! >> ECHO_SHIFT;
    return faint;
  }

  #onSpeech(event: SpeechEvent): void {
    switch (event.type) {
      case 'maybe':
        this.#maybeSpeech();
        break;
      case 'dismissed':
        // What is no voice yet may become one, as long as it has not ended.
        if (!this.#onset.lasts) this.#unduck();
        break;
      case 'start':
        this.#onSpeechStart(event.at);
        break;
      case 'lull':
        this.#feed.speechLull(event.at);
        this.#o.raise({ type: 'speech-lull', at: event.at, segment: this.#feed.segment });
        break;
      case 'end': {
        const { segment } = this.#feed;
        this.#feed.speechEnd(event.at);
        this.#overlapsTurn = undefined;
        this.#o.raise({ type: 'speech-end', at: event.at, segment });
      }
    }
  }

  /** The bot falls silent before it is sure: nobody is told yet. */
  #maybeSpeech(hunch = false): void {
    const { queue } = this.#o.playout;
    if (!this.#armed || !(queue.playing || this.#duck.turn !== undefined)) return;
    if (this.#duck.begin(queue.current!, this.#o.now(), hunch)) queue.pause();
  }

  #unduck(): void {
    const turn = this.#duck.dismiss(this.#o.now());
    if (turn !== undefined) this.#o.playout.resume(turn);
  }

  #onSpeechStart(at: Ms): void {
    const segment = this.#feed.speechStart(at);
    const { queue } = this.#o.playout;
    const ducked = this.#duck.confirm();
    if (queue.playing || (ducked !== undefined && ducked === queue.current)) this.#overlapsTurn = queue.current;
    this.#o.raise({ type: 'speech-start', at, segment });
    this.#bargeIn(at, ducked);
  }

  /**
   * Speech that began while this very turn played silences it, once; the control plane resumes or cuts. `ducked`: the
   * turn that is silent already.
   */
  #bargeIn(at: Ms, ducked?: TurnId): void {
    const { queue } = this.#o.playout;
    const turn = this.#overlapsTurn;
    if (!this.#armed || turn === undefined || turn !== queue.current) return;
    if (!queue.playing && ducked !== turn) return;
    this.#overlapsTurn = undefined;
    queue.pause();
    const echoes = this.#echo.counts.paths > 0;
    this.#o.raise({ type: 'barge-in', at, turn, heard: queue.heard(turn), echoes });
  }
}
