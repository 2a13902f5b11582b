import { untilAborted } from '../core/abortable.ts';
import type { Alarm } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Heard, MediaEvent } from '../media/ports.ts';
import type { Question } from './action-desk.ts';
import { readAnswer } from './answers.ts';
import { Assistant, type AssistantOptions } from './assistant.ts';
import { BargeIn, DEFAULT_BARGE_IN } from './barge-in.ts';
import { CallerPace } from './caller-pace.ts';
import { adaptiveEndpointing, type EndpointingPolicy } from './endpointing.ts';
import { Errands, type OpenQuestion } from './errands.ts';
import { DEFAULT_IDLE, Idle, type IdleOptions } from './idle.ts';
import { interjectionOf } from './interjections.ts';
import { Keypad } from './keypad.ts';
import type { HistoryItem } from './language-model.ts';
import { Listener, type Utterance } from './listener.ts';
import type { Turn } from './turn.ts';
import type { Transcript } from './voice.ts';

export type ConversationEnd = 'bot-goodbye' | 'silence-farewell';

export interface ConversationOptions extends AssistantOptions {
  idle?: IdleOptions;
  endpointing?: EndpointingPolicy;
  /** The conversation is over and its last word has been sent. */
  onEnd(end: ConversationEnd): void;
}

const MISSES_BEFORE_GIVING_UP = 3;
/** Stands in the history for speech that fits nothing. */
export const UNINTELLIGIBLE = '[unintelligible]';

/**
 * One conversation: what the caller does in, the assistant's turns out. Owns the history and the caller's side:
 * listening, keys, barge-in, silence, and the answers to open questions. Everything that reaches it is synchronous;
 * only turns (assistant.ts) take time.
 */
export class Conversation {
  readonly history: HistoryItem[] = [];
  readonly #o: ConversationOptions;
  readonly #assistant: Assistant;
  readonly #errands: Errands;
  readonly #listener: Listener;
  readonly #idle: Idle;
  readonly #keypad = new Keypad();
  readonly #pace = new CallerPace();
  readonly #alarm: Alarm;
  /** The media worker paused the bot; was it an interruption? */
  #pause: { verdict: BargeIn; turn: Turn; heard: Heard; at: Ms } | undefined;
  /** When speech over the bot began that was not taken for an interruption. */
  #shruggedAt: Ms | undefined;
  /** Woken when the caller stops speaking. */
  #onCallerQuiet: (() => void)[] = [];
  /** An action settled, or has a question, after its turn was interrupted. */
  #unreported = false;
  /** A yes came before the read-back was heard. */
  #earlyYes = false;
  #farewell = false;

  constructor(options: ConversationOptions) {
    this.#o = options;
    this.#errands = new Errands(options.desk, options.scribe, this.history);
    this.#idle = new Idle(options.idle ?? DEFAULT_IDLE);
    this.#alarm = options.time.alarm(() => this.#tick());
    const endpointing = options.endpointing ?? adaptiveEndpointing;
    this.#listener = new Listener({
      endpointing: () => endpointing(this.#errands.open?.question, this.#pace),
      pace: this.#pace,
      onPause: (text, complete) => {
        if (complete && text !== '' && !this.#errands.open) this.#assistant.foresee(text);
      },
      onGoesOn: () => this.#assistant.forget(),
      endSegment: () => options.ear.endSegment(),
      onUtterance: (utterance) => this.#onUtterance(utterance),
    });
    this.#assistant = new Assistant(options, this.#errands, this.history, {
      callerQuiet: (signal) => this.#callerQuiet(signal),
      onTurnOver: (turn, heard) => this.#onTurnOver(turn, heard),
      onSettled: (unreported) => {
        this.#unreported ||= unreported;
        this.#tick();
      },
    });
    options.scope.onClose('conversation alarm', () => this.#alarm.set(undefined));
  }

  /** Greets the caller. */
  start(): void {
    this.#o.ear.expect({ kind: 'request' });
    this.#assistant.speak([this.#o.prompts.greeting]);
  }

  onMedia(event: MediaEvent): void {
    if (this.#o.scope.closed) return;
    const turn = this.#assistant.turn;
    switch (event.type) {
      case 'speech-start':
        this.#idle.callerActive();
        this.#listener.speechStart(event.at, event.segment);
        this.#pause?.verdict.speechStart();
        break;
      case 'speech-end':
        this.#listener.speechEnd(event.at, event.segment);
        this.#pause?.verdict.speechEnd(event.at);
        break;
      case 'barge-in':
        if (turn?.id !== event.turn) return;
        this.#pause = {
          verdict: new BargeIn(
            { ...DEFAULT_BARGE_IN, anyWordAnswers: this.#anyWordAnswers(turn, event.heard) },
            event.at,
          ),
          turn,
          heard: event.heard,
          at: event.at,
        };
        break;
      case 'playout-started':
        if (turn?.id !== event.turn) return;
        turn.packet(event.at);
        this.#o.scribe.utterance(turn.utterance(undefined));
        break;
      case 'dtmf':
        this.#onKey(event.digit, event.at);
        break;
      default:
        return;
    }
    this.#tick();
  }

  /** DTMF that came through signalling (SIP INFO). */
  onKey(digit: string): void {
    if (this.#o.scope.closed) return;
    this.#onKey(digit, this.#o.time.now());
    this.#tick();
  }

  onTranscript(result: Transcript): void {
    if (this.#o.scope.closed) return;
    if (result.kind === 'partial') this.#pause?.verdict.partial(result.text);
    this.#listener.transcript(result);
    this.#tick();
  }

  // --- time ----------------------------------------------------------------------------------------------------

  /** Everything that only time can decide, then the alarm for the next such moment. */
  #tick(): void {
    if (this.#o.scope.closed) return;
    const now = this.#o.time.now();
    this.#judgePause(now);
    this.#listener.due(now);
    const keyed = this.#keypad.deadline();
    if (keyed !== undefined && now >= keyed) this.#onKeyed(this.#keypad.take());
    if (!this.#listener.speaking) for (const wake of this.#onCallerQuiet.splice(0)) wake();
    this.#watchSilence(now);
    const deadlines = [this.#pause?.verdict, this.#listener, this.#keypad, this.#idle].map((policy) =>
      policy?.deadline(),
    );
    const soonest = Math.min(...deadlines.filter((at) => at !== undefined));
    this.#alarm.set(Number.isFinite(soonest) ? soonest : undefined);
  }

  #judgePause(now: Ms): void {
    const pause = this.#pause;
    if (!pause) return;
    if (this.#assistant.turn !== pause.turn) {
      this.#pause = undefined;
      return;
    }
    const verdict = pause.verdict.verdict(now);
    if (verdict === 'undecided') return;
    this.#pause = undefined;
    if (verdict === 'interrupt') {
      this.#assistant.interrupt(pause.at, pause.heard);
    } else {
      this.#shruggedAt = pause.at;
      this.#o.scribe.event('barge-in-ignored', { afterMs: Math.round(now - pause.at) });
      this.#o.voice.resume(pause.turn.id);
    }
  }

  #anyWordAnswers(turn: Turn, heard: Heard): boolean {
    const expects = this.#errands.open?.question.expects.kind;
    return expects === 'yes-no' || expects === 'choice' || turn.asksNow(heard.text);
  }

  #watchSilence(now: Ms): void {
    if (this.#listener.active || this.#assistant.turn || this.#errands.running || !this.#keypad.empty) {
      this.#idle.busy();
      return;
    }
    const open = this.#errands.open;
    if (this.#unreported) {
      // The action went on while nobody waited for it: put its question, or report its result.
      this.#unreported = false;
      if (open) this.#assistant.ask(open.question, open.question.prompt);
      else this.#assistant.think();
      return;
    }
    this.#idle.quiet(now);
    const step = this.#idle.due(now);
    if (step === 'still-there') {
      const { stillThere } = this.#o.prompts;
      const prompt = stillThere[this.#assistant.turns % stillThere.length]!;
      this.#assistant.speak(open ? [prompt, open.question.reprompt] : [prompt]);
    } else if (step === 'farewell') {
      this.#farewell = true;
      this.#assistant.speak([this.#o.prompts.farewell], undefined, true);
    }
  }

  async #callerQuiet(signal: AbortSignal): Promise<void> {
    if (!this.#listener.speaking) return;
    await untilAborted(new Promise<void>((resolve) => this.#onCallerQuiet.push(resolve)), signal);
  }

  #onTurnOver(turn: Turn, heard: Heard): void {
    this.#pause = undefined;
    if (turn.endsCall && heard.complete && !this.#listener.active) {
      this.#o.onEnd(this.#farewell ? 'silence-farewell' : 'bot-goodbye');
      return;
    }
    const open = this.#errands.open;
    if (this.#earlyYes && open) this.#assistant.ask(open.question, open.question.reprompt);
    this.#earlyYes = false;
    this.#tick();
  }

  // --- what the caller says and keys ---------------------------------------------------------------------------

  #onUtterance(utterance: Utterance): void {
    this.#idle.callerActive();
    this.#farewell = false;
    const said = utterance.rejected ? '' : utterance.text;
    const turn = this.#assistant.turn;
    if (turn && this.#isAside(said, utterance)) {
      this.#o.scribe.event('backchannel', { text: said });
      return;
    }
    const open = this.#errands.open;
    if (open) {
      this.#onAnswer(open, said, 'speech', utterance);
      return;
    }
    const text = [this.#unanswered(turn, utterance.startedAt), said].filter(Boolean).join(' ') || UNINTELLIGIBLE;
    this.#assistant.interrupt(utterance.startedAt);
    this.#note(said || UNINTELLIGIBLE, 'speech', utterance);
    this.#request(text, utterance);
  }

  /** A noise or an "mhm" while the bot speaks or thinks: nothing that wants an answer. */
  #isAside(said: string, utterance: Utterance): boolean {
    const shrugged = this.#shruggedAt !== undefined && this.#shruggedAt >= utterance.startedAt - 1;
    this.#shruggedAt = undefined;
    if (said === '') return shrugged || !utterance.rejected;
    return shrugged && interjectionOf(said) === 'backchannel';
  }

  #request(text: string, utterance: Utterance | undefined): void {
    this.#unreported = false;
    this.history.push({ role: 'caller', text });
    this.#assistant.think(utterance);
  }

  /**
   * The caller went on before anything of the answer was heard: the endpoint was wrong, and what was said before is
   * the beginning of what is said now. Takes it back from the history.
   */
  #unanswered(turn: Turn | undefined, now: Ms): string {
    const last = this.history.at(-1);
    if (!turn?.answers || turn.audible || last?.role !== 'caller') return '';
    this.#pace.cutOff(now - turn.answers.endedAt);
    this.history.pop();
    return last.text === UNINTELLIGIBLE ? '' : last.text;
  }

  #onAnswer(open: OpenQuestion, said: string, source: 'speech' | 'dtmf', utterance?: Utterance): void {
    const { question } = open;
    const answer = readAnswer(question, said, open.digits);
    if (this.#assistant.turn?.mustBeHeard) {
      const early = answer.kind === 'value' && answer.value !== 'no';
      if (early || answer.kind === 'unclear') {
        // A yes before the read-back was heard is no yes; it is asked again once the prompt is over.
        this.#earlyYes = early;
        return;
      }
    }
    this.#assistant.interrupt(utterance?.startedAt ?? this.#o.time.now());
    this.#note(maskedAnswer(question, answer.kind, said), source, utterance);
    switch (answer.kind) {
      case 'value':
        this.#assistant.proceed(this.#errands.answer(open, answer.value), utterance);
        return;
      case 'partial':
        open.digits = answer.digits;
        this.#assistant.speak([this.#o.prompts.goOn], utterance);
        return;
      case 'repeat':
        this.#assistant.ask(question, question.prompt, utterance);
        return;
      case 'cancel':
        this.#leave(open);
        this.#assistant.speak([this.#o.prompts.cancelled], utterance);
        return;
      case 'other':
        this.#leave(open);
        this.#request(said, utterance);
        return;
      case 'unclear':
        open.digits = '';
        if (++open.misses < MISSES_BEFORE_GIVING_UP) {
          this.#assistant.ask(question, question.reprompt, utterance);
        } else {
          this.#leave(open);
          this.#assistant.speak([this.#o.prompts.giveUp], utterance);
        }
        return;
    }
  }

  /** The question stays unanswered, and the action undone. */
  #leave(open: OpenQuestion): void {
    this.#assistant.listenFor(undefined);
    void this.#o.scope.run('withdraw', () => this.#errands.withdraw(open));
  }

  #onKey(key: string, at: Ms): void {
    this.#idle.callerActive();
    const open = this.#errands.open;
    this.#o.scribe.event('dtmf', { digit: open?.question.secret ? 'hidden' : key });
    if (!this.#assistant.turn?.mustBeHeard) this.#assistant.interrupt(at);
    const expects = open?.question.expects;
    // Outside a question a key is one of perhaps several: only a lone 0 means something, and only time tells.
    const length = expects?.kind === 'digits' ? expects.length - open!.digits.length : open && 1;
    const entry = this.#keypad.press(key, at, length);
    if (entry !== undefined) this.#onKeyed(entry);
  }

  #onKeyed(entry: string): void {
    if (entry === '') return;
    const open = this.#errands.open;
    if (open) {
      this.#onAnswer(open, entry, 'dtmf');
    } else if (entry === '0' && this.#o.desk.actions.some((action) => action.name === 'speak_to_agent')) {
      this.#note('[key 0]', 'dtmf', undefined);
      this.#assistant.act({ id: crypto.randomUUID(), name: 'speak_to_agent', arguments: {} });
    }
  }

  #note(text: string, source: string, utterance: Utterance | undefined): void {
    const now = this.#o.time.now();
    this.#o.scribe.utterance({
      key: crypto.randomUUID(),
      speaker: 'caller',
      text,
      heard: text,
      interrupted: false,
      startedAt: utterance?.startedAt ?? now,
      endedAt: utterance?.endedAt ?? now,
      confidence: utterance?.confidence,
      source,
    });
  }
}

/** What the transcript shows of an answer: of a secret, only that it was given. */
function maskedAnswer(question: Question, kind: string, said: string): string {
  const command = kind === 'cancel' || kind === 'repeat' || kind === 'other';
  if (question.secret && !command) return `[${question.slot.replaceAll('_', ' ')}, not shown]`;
  return said === '' ? UNINTELLIGIBLE : said;
}
