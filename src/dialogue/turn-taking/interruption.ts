import type { Ms } from '../../core/clock.ts';
import type { Heard } from '../../media/ports.ts';
import type { Turn } from '../turn.ts';
import { BargeIn, DEFAULT_BARGE_IN } from './barge-in.ts';

/** Who speaks again so soon after the bot went on over them speaks to be heard; a second "mm-hm" comes later. */
const INSISTS_MS: Ms = 1200;

/** The pause and the speech behind it are stamped by different windows. */
const SAME_SPEECH_MS: Ms = 150;

interface Pause {
  verdict: BargeIn;
  turn: Turn;
  heard: Heard;
  /** The caller's first voiced window over the bot. */
  at: Ms;
}

export type InterruptionJudgement =
  | { kind: 'interrupt'; at: Ms; heard: Heard }
  | { kind: 'resume'; at: Ms; turn: Turn; over: 'unknown' | 'backchannel' };

/**
 * The media worker paused the bot because the caller made a sound: keeps what was heard until then and waits for the
 * verdict (barge-in.ts). Remembers speech that was no interruption, for when its words arrive. Pure, time passed in.
 */
export class Interruption {
  #pause: Pause | undefined;
  #shrugged: Pause | undefined;
  /** When the bot went on last over speech of which nothing was understood. */
  #wentOn: { turn: Turn; at: Ms } | undefined;
  /** When the speech began that interrupted the bot last. */
  #interruptedAt: Ms = Number.NEGATIVE_INFINITY;

  /** `anyWordAnswers`: the bot asked something that "yes" or "okay" answers. */
  begin(turn: Turn, heard: Heard, at: Ms, anyWordAnswers: boolean): void {
    const insists = this.#wentOn?.turn === turn && at - this.#wentOn.at < INSISTS_MS;
    this.#pause = { verdict: new BargeIn({ ...DEFAULT_BARGE_IN, anyWordAnswers, insists }, at), turn, heard, at };
  }

  /** What sounds like somebody who insists may be the bot's own echo, again and again. */
  doubtRepeats(): void {
    this.#wentOn = undefined;
  }

  /** The bot goes on with `turn`; `over`: the caller's sound, of which nothing was understood, or that meant nothing. */
  wentOn(turn: Turn, now: Ms, over: 'unknown' | 'backchannel'): void {
    this.#wentOn = over === 'unknown' ? { turn, at: now } : undefined;
  }

  speechStart(): void {
    this.#pause?.verdict.speechStart();
  }

  speechEnd(at: Ms): void {
    this.#pause?.verdict.speechEnd(at);
  }

  partial(text: string, now: Ms): void {
    this.#pause?.verdict.partial(text, now);
  }

  /** The verdict, told once; a pause of another turn than `current` needs none. */
  judge(current: Turn | undefined, now: Ms): InterruptionJudgement | undefined {
    const pause = this.#pause;
    if (!pause) return undefined;
    const verdict = pause.turn === current ? pause.verdict.verdict(now) : 'over';
    if (verdict === 'undecided') return undefined;
    this.#pause = undefined;
    if (verdict === 'over') return undefined;
    if (verdict === 'interrupt') {
      this.#interruptedAt = pause.at;
      return { kind: 'interrupt', at: pause.at, heard: pause.heard };
    }
    this.#shrugged = pause;
    return {
      kind: 'resume',
      at: pause.at,
      turn: pause.turn,
      over: pause.verdict.listening ? 'backchannel' : 'unknown',
    };
  }

  forget(): void {
    this.#pause = undefined;
  }

  /** When the verdict may change if nothing else happens, monotonic ms. */
  deadline(): Ms | undefined {
    return this.#pause?.verdict.deadline();
  }

  /** Has the speech that began at `startedAt` interrupted the bot already? */
  wasBy(startedAt: Ms): boolean {
    return this.#interruptedAt >= startedAt - SAME_SPEECH_MS;
  }

  /** Was there a "stop" or "wait" in the speech that began at `startedAt`, at some moment, while it was over the bot? */
  halted(startedAt: Ms): boolean {
    return [this.#pause, this.#shrugged].some(
      (pause) => pause !== undefined && pause.at >= startedAt - SAME_SPEECH_MS && pause.verdict.halted,
    );
  }

  /**
   * The final words of speech that began at `startedAt` have come: were they said over the bot without a verdict yet
   * (`pending`), or taken for no interruption (`shrugged`)? `anyWordAnswers` as it was then. Answered once.
   */
  of(startedAt: Ms): { pending: Turn | undefined; anyWordAnswers: boolean; insists: boolean } | undefined {
    const pause = this.#pause;
    if (pause && pause.at >= startedAt - SAME_SPEECH_MS) {
      this.#pause = undefined;
      const { anyWordAnswers, insists } = pause.verdict;
      return { pending: pause.turn, anyWordAnswers, insists };
    }
    const shrugged = this.#shrugged;
    this.#shrugged = undefined;
    if (!shrugged || shrugged.at < startedAt - SAME_SPEECH_MS) return undefined;
    return { pending: undefined, anyWordAnswers: shrugged.verdict.anyWordAnswers, insists: false };
  }
}
