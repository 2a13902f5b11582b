import type { Ms } from '../core/clock.ts';
import type { TurnId } from '../core/ids.ts';
import { newOrderedId } from '../core/ordered-id.ts';
import type { Scope } from '../core/scope.ts';
import type { Heard } from '../media/ports.ts';
import type { Question } from './questions/action-desk.ts';
import type { Announcement } from './speaking/announcements.ts';
import type { SpokenUtterance, TurnTimes } from './speaking/voice.ts';
import type { Utterance } from './turn-taking/listener.ts';

/** "What can I do for you?" is answered by no "yes", and "okay" to it only says that it was heard. */
const OPEN_QUESTION = /^(?:[a-z']+,? )?(?:what|which|who|whom|whose|where|when|why|how)\b/i;

/** One turn of the assistant: everything said in answer to one thing, under one signal. */
export class Turn {
  readonly id: TurnId;
  readonly key: string;
  readonly scope: Scope;
  readonly source: string;
  /** The caller's utterance that this turn answers. */
  readonly answers: Utterance | undefined;
  readonly startedAt: Ms;
  /** What was asked for from outside, when the turn says nothing of the dialogue's own. */
  readonly announcement: Announcement | undefined;
  /** The question it puts to the caller. */
  question: Question | undefined;
  /** Must be heard to its end: a read-back, a legal notice. */
  mustBeHeard = false;
  endsCall = false;
  over = false;
  #sentences: string[] = [];
  #answer: string[] = [];
  #firstTokenAt: Ms | undefined;
  #firstAudioAt: Ms | undefined;
  #firstPacketAt: Ms | undefined;

  constructor(
    id: TurnId,
    scope: Scope,
    source: string,
    startedAt: Ms,
    answers: Utterance | undefined,
    announcement?: Announcement,
  ) {
    this.id = id;
    this.key = announcement?.id ?? newOrderedId();
    this.announcement = announcement;
    this.scope = scope;
    this.source = source;
    this.startedAt = startedAt;
    this.answers = answers;
  }

  get signal(): AbortSignal {
    return this.scope.signal;
  }

  get audible(): boolean {
    return this.#firstPacketAt !== undefined;
  }

  /** All that was generated so far. */
  get text(): string {
    return this.#sentences.join(' ');
  }

  /** What of it answers the caller: all but "one moment" and the like. */
  get answer(): readonly string[] {
    return this.#answer;
  }

  /** Does it end with something that a mere "yes" or "okay" answers? */
  get asksYesNo(): boolean {
    const last = this.#sentences.at(-1) ?? '';
    return last.endsWith('?') && !OPEN_QUESTION.test(last);
  }

  /** The same, given that the caller has heard `heard`: nobody answers what they have not heard at least half of. */
  asksNow(heard: string): boolean {
    const last = this.#sentences.at(-1) ?? '';
    return this.asksYesNo && heard.length >= this.text.length - last.length / 2;
  }

  /** `aside`: said while the answer is being looked up. */
  generated(sentence: string, aside = false): void {
    this.#sentences.push(sentence);
    if (!aside) this.#answer.push(sentence);
  }

  token(now: Ms): void {
    this.#firstTokenAt ??= now;
  }

  audio(now: Ms): void {
    this.#firstAudioAt ??= now;
  }

  packet(at: Ms): void {
    this.#firstPacketAt ??= at;
  }

  /** The utterance as known so far, or as it ended when `heard` is given. */
  utterance(heard: Heard | undefined, endedAt?: Ms, bargeInToSilenceMs?: Ms): SpokenUtterance {
    return {
      key: this.key,
      speaker: 'assistant',
      text: this.text,
      heard: heard?.text ?? '',
      interrupted: heard !== undefined && !heard.complete,
      startedAt: this.#firstPacketAt ?? heard?.firstSentAt ?? this.startedAt,
      endedAt,
      source: this.source,
      timings: this.#times(bargeInToSilenceMs),
    };
  }

  #times(bargeInToSilenceMs: Ms | undefined): TurnTimes | undefined {
    const from = this.answers?.endedAt;
    if (from === undefined) return bargeInToSilenceMs === undefined ? undefined : { bargeInToSilenceMs };
    const since = (at: Ms | undefined) => (at === undefined ? undefined : Math.round((at - from) * 10) / 10);
    return {
      endpointMs: since(this.answers?.endpointAt),
      asrFinalMs: since(this.answers?.finalAt),
      firstTokenMs: since(this.#firstTokenAt),
      firstAudioMs: since(this.#firstAudioAt),
      firstPacketMs: since(this.#firstPacketAt),
      bargeInToSilenceMs,
      endpointReason: this.answers?.why,
    };
  }
}
