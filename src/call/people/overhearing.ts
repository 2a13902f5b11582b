import type { Alarm, Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import type { Transcript } from '../../dialogue/speaking/voice.ts';
import { type Overheard, Stenographer } from '../../dialogue/stenographer.ts';
import type { MediaEvent } from '../../media/ports.ts';

export interface OverhearingOptions {
  time: Timekeeper;
  endSegment(): void;
  onOverheard(overheard: Overheard): void;
  /** Behind `close`: nothing more is told. */
  onDone(): void;
}

/** What one side of a call says to another, taken down: Stenographer on a clock, with an end that waits for late results. */
export class Overhearing {
  readonly #o: OverhearingOptions;
  readonly #stenographer: Stenographer;
  readonly #alarm: Alarm;
  /** When no result is waited for any more; undefined while it listens. */
  #closesAt: Ms | undefined;
  #done = false;

  constructor(options: OverhearingOptions) {
    this.#o = options;
    this.#stenographer = new Stenographer(options);
    this.#alarm = options.time.alarm(() => this.#due());
  }

  /** Speech that begins now is taken down. */
  speechStart(at: Ms, segment: number): void {
    if (this.#closesAt !== undefined) return;
    this.#stenographer.speechStart(at, segment);
    this.#due();
  }

  /** False: it is of speech that is not taken down here. */
  speechEnd(at: Ms, segment: number): boolean {
    const mine = this.#stenographer.speechEnd(at, segment);
    if (mine) this.#due();
    return mine;
  }

  /** False as above. */
  transcript(result: Transcript): boolean {
    const mine = this.#stenographer.transcript(result);
    // Every partial result of a call comes by here, nearly all of them for the bot.
    if (mine) this.#due();
    return mine;
  }

  /** The recogniser has failed, or hears this side anew: of what was said no more results come. */
  lose(): void {
    this.#stenographer.lose(this.#o.time.now());
    this.#due();
  }

  /** Who speaks now speaks to the bot: what has begun of it, as media events. */
  release(): MediaEvent[] {
    const begun = this.#stenographer.release();
    this.#due();
    if (begun === undefined) return [];
    const { id: segment, startedAt, silentSince } = begun;
    const start: MediaEvent = { type: 'speech-start', at: startedAt, segment };
    return silentSince === undefined ? [start] : [start, { type: 'speech-end', at: silentSince, segment }];
  }

  /** Nothing more is heard; the results of what was said are waited for `withinMs`, and lost then. Idempotent. */
  close(withinMs: Ms): void {
    if (this.#closesAt !== undefined) return;
    const now = this.#o.time.now();
    this.#closesAt = now + withinMs;
    this.#stenographer.stop(now);
    this.#due();
  }

  #due(): void {
    const now = this.#o.time.now();
    this.#stenographer.due(now);
    if (this.#closesAt !== undefined && now >= this.#closesAt) this.#stenographer.lose(now);
    const done = this.#closesAt !== undefined && this.#stenographer.idle;
    const moments = [this.#stenographer.deadline(), this.#closesAt].filter((at) => at !== undefined);
    this.#alarm.set(done || moments.length === 0 ? undefined : Math.min(...moments));
    if (!done || this.#done) return;
    this.#done = true;
    this.#o.onDone();
  }
}
