import type { Timekeeper } from '../../core/alarm.ts';
import type { Turn } from '../turn.ts';
import { type RateChange, SpeechRate } from './speech-rate.ts';
import type { Voice } from './voice.ts';

export interface DeliveryOptions {
  voice: Voice;
  time: Timekeeper;
  /** Resolves when the caller is not speaking; a turn does not begin over the caller's voice. */
  callerQuiet(signal: AbortSignal): Promise<void>;
}

/** How turns are spoken: at this call's pace, not over the caller. Remembers the last answer, to be said again. */
export class Delivery {
  readonly #o: DeliveryOptions;
  readonly #rate = new SpeechRate();
  #last: readonly string[] = [];

  constructor(options: DeliveryOptions) {
    this.#o = options;
  }

  /** 1 is the voice's own pace. */
  get rate(): number {
    return this.#rate.value;
  }

  changeRate(change: RateChange): void {
    this.#rate.change(change);
  }

  /** Speaks one sentence of `turn`. False when the turn is over. `aside`: no part of the answer, e.g. "one moment". */
  async say(turn: Turn, sentence: string, aside = false): Promise<boolean> {
    if (!turn.audible) await this.#o.callerQuiet(turn.signal);
    if (turn.signal.aborted) return false;
    turn.generated(sentence, aside);
    return this.#o.voice.say(turn.id, sentence, {
      rate: this.rate,
      signal: turn.signal,
      onAudio: () => turn.audio(this.#o.time.now()),
    });
  }

  async sayAll(turn: Turn, sentences: readonly string[]): Promise<boolean> {
    for (const sentence of sentences) if (!(await this.say(turn, sentence))) return false;
    return true;
  }

  /** Makes a sentence ready that will perhaps be said next. */
  prepare(sentence: string): void {
    this.#o.voice.prepare(sentence, this.rate);
  }

  /** `turn` has ended, or was cut. */
  ended(turn: Turn): void {
    if (turn.audible && turn.answer.length > 0) this.#last = turn.answer;
  }

  /** The last answer of which something was heard, also what was cut off. */
  get lastAnswer(): readonly string[] {
    return this.#last;
  }
}
