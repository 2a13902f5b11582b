import { untilAborted } from '../core/abortable.ts';
import type { Alarm } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Heard, MediaEvent } from '../media/ports.ts';
import type { Announcement } from './announcements.ts';
import { Announcer } from './announcer.ts';
import { Answering } from './answering.ts';
import { readAnswer } from './answers.ts';
import { Assistant, type AssistantOptions } from './assistant.ts';
import { type CallerSource, callerLine, UNINTELLIGIBLE } from './caller-line.ts';
import { CallerPace } from './caller-pace.ts';
import { adaptiveEndpointing, type EndpointingPolicy } from './endpointing.ts';
import { Errands } from './errands.ts';
import { DEFAULT_IDLE, Idle, type IdleOptions } from './idle.ts';
import { interjectionOf } from './interjections.ts';
import { Interruption } from './interruption.ts';
import { Keying } from './keying.ts';
import { type HistoryItem, MORE_TO_COME } from './language-model.ts';
import { LeaveTaking } from './leave-taking.ts';
import { Listener, type Utterance } from './listener.ts';
import { Matters } from './matters.ts';
import { askedIn, requestsIn } from './scripted/index.ts';
import { sentencesOf } from './sentence-splitter.ts';
import type { Turn } from './turn.ts';
import type { Transcript } from './voice.ts';

export type ConversationEnd = 'bot-goodbye' | 'silence-farewell';

export interface ConversationOptions extends AssistantOptions {
  idle?: IdleOptions;
  endpointing?: EndpointingPolicy;
  /** The greeting is all that is said: "we are closed". */
  announcementOnly?: boolean;
  /** The conversation is over and its last word has been sent. */
  onEnd(end: ConversationEnd): void;
}

/** Echo of a large room, and a loudspeaker's delay. */
const REMNANT_MS: Ms = 400;

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
  readonly #pace = new CallerPace();
  readonly #alarm: Alarm;
  readonly #interruption = new Interruption();
  readonly #matters: Matters;
  readonly #answering: Answering;
  readonly #announcer: Announcer;
  readonly #keying: Keying;
  /** Greeted, and not yet told goodbye. */
  #talking = false;
  /** Woken when the caller stops speaking. */
  #onCallerQuiet: (() => void)[] = [];
  /** An action settled, or has a question, after its turn was interrupted. */
  #unreported = false;
  #farewell = false;
  /** The last words are being said: what the caller does changes nothing any more. */
  #leaving = false;
  readonly #leaveTaking = new LeaveTaking();
  /** The last packet with sound of the turn before. */
  #soundUntil: Ms = Number.NEGATIVE_INFINITY;

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
      onCut: (turn) => this.#announcer.onCut(turn),
      onSettled: (unreported) => {
        this.#unreported ||= unreported;
        this.#tick();
      },
    });
    this.#announcer = new Announcer({
      assistant: this.#assistant,
      errands: this.#errands,
      history: this.history,
      scribe: options.scribe,
      onUntold: () => {
        this.#unreported = true;
      },
    });
    this.#matters = new Matters({
      assistant: this.#assistant,
      errands: this.#errands,
      history: this.history,
      scope: options.scope,
      request: (text) => this.#request(text, undefined),
    });
    this.#answering = new Answering({
      assistant: this.#assistant,
      errands: this.#errands,
      prompts: options.prompts,
      now: () => options.time.now(),
      note: (text, source, utterance) => this.#note(text, source, utterance),
      read: (text) => askedIn(text, options.desk.actions),
      request: (text, utterance) => this.#request(text, utterance),
      matters: this.#matters,
    });
    this.#keying = new Keying({
      desk: options.desk,
      assistant: this.#assistant,
      errands: this.#errands,
      answering: this.#answering,
      announcer: this.#announcer,
      scribe: options.scribe,
      note: (text) => this.#note(text, 'dtmf', undefined),
    });
    options.scope.onClose('announcements', () => this.#announcer.close());
    options.scope.onClose('conversation alarm', () => this.#alarm.set(undefined));
  }

  /** Greets the caller. */
  start(): void {
    this.#talking = true;
    this.#o.ear.expect({ kind: 'request' });
    if (this.#o.announcementOnly) this.goodbye(this.#o.prompts.greeting);
    else this.#assistant.speak([this.#o.prompts.greeting]);
  }

  /** Says this to its end, whatever the caller does, and ends the conversation. */
  goodbye(text: string): void {
    if (this.#o.scope.closed || this.#leaving) return;
    this.#leaving = true;
    this.#interruption.forget();
    this.#assistant.bidGoodbye(sentencesOf(text));
    this.#tick();
  }

  /** Something is to be said on request of an integrator or of staff. False when too much waits to be said already. */
  say(announcement: Announcement): boolean {
    if (this.#o.scope.closed || this.#leaving || !this.#announcer.offer(announcement)) return false;
    this.#tick();
    return true;
  }

  onMedia(event: MediaEvent): void {
    if (this.#o.scope.closed) return;
    const turn = this.#assistant.turn;
    switch (event.type) {
      case 'speech-start':
        this.#idle.callerActive();
        this.#listener.speechStart(event.at, event.segment);
        this.#interruption.speechStart();
        break;
      case 'speech-end':
        this.#listener.speechEnd(event.at, event.segment);
        this.#interruption.speechEnd(event.at);
        break;
      case 'barge-in':
        if (turn?.id !== event.turn) return;
        this.#interruption.begin(turn, event.heard, event.at, this.#anyWordAnswers(turn, event.heard));
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
    if (result.kind === 'partial') this.#interruption.partial(result.text, this.#o.time.now());
    this.#listener.transcript({ ...result, complete: this.#isWhole(result) });
    this.#tick();
  }

  /**
   * Do the words make a whole? Of a number that is better known here than in a grammar: all the digits are there. But
   * "yes and what is my" goes on.
   */
  #isWhole({ text, complete }: Transcript): boolean | undefined {
    const open = this.#errands.open;
    const expects = open?.question.expects.kind;
    if (open && (expects === 'digits' || complete === undefined)) {
      return readAnswer(open.question, text, open.digits).kind === 'value' || complete;
    }
    if (open) return complete;
    // An engine without a grammar cannot tell; the actions' examples can, when the words are among them.
    return complete ?? (requestsIn(text, this.#o.desk.actions).length > 0 || undefined);
  }

  // --- time ----------------------------------------------------------------------------------------------------

  /** Everything that only time can decide, then the alarm for the next such moment. */
  #tick(): void {
    if (this.#o.scope.closed) return;
    const now = this.#o.time.now();
    if (!this.#leaving) this.#judgePause(now);
    this.#listener.due(now);
    if (!this.#leaving) this.#keying.due(now);
    if (!this.#listener.speaking) for (const wake of this.#onCallerQuiet.splice(0)) wake();
    if (this.#talking && !this.#callerBusy) this.#announcer.replace();
    this.#watchSilence(now);
    if (this.#assistant.turn) this.#leaveTaking.goOn();
    if (this.#leaveTaking.over(now, !this.#callerBusy)) this.#end();
    const policies = this.#leaving ? [this.#listener] : [this.#interruption, this.#listener, this.#keying, this.#idle];
    const deadlines = policies.map((policy) => policy.deadline());
    if (!this.#callerBusy) deadlines.push(this.#leaveTaking.deadline());
    const soonest = Math.min(...deadlines.filter((at) => at !== undefined));
    this.#alarm.set(Number.isFinite(soonest) ? soonest : undefined);
  }

  #judgePause(now: Ms): void {
    const judged = this.#interruption.judge(this.#assistant.turn, now);
    if (judged?.kind === 'interrupt') this.#assistant.interrupt(judged.at, judged.heard);
    if (judged?.kind === 'resume') this.#resume(judged.turn, judged.at);
  }

  /** The caller speaks, pauses, or keys: nobody else begins now. */
  get #callerBusy(): boolean {
    return this.#listener.active || !this.#keying.idle;
  }

  #anyWordAnswers(turn: Turn, heard: Heard): boolean {
    const expects = this.#errands.open?.question.expects.kind;
    return expects === 'yes-no' || expects === 'choice' || turn.asksNow(heard.text);
  }

  #watchSilence(now: Ms): void {
    if (this.#callerBusy || this.#assistant.turn || !this.#talking || this.#leaveTaking.open) {
      this.#idle.busy();
      return;
    }
    const owed = this.#announcer.takeOwed();
    if (owed !== '') {
      this.#request(owed, undefined);
      return;
    }
    if (!this.#unreported && this.#announcer.next()) return;
    if (this.#errands.running) {
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
    if (!open && this.#matters.comeBack()) return;
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
    this.#interruption.forget();
    this.#soundUntil = heard.lastSoundAt ?? heard.lastSentAt ?? this.#soundUntil;
    if (turn.endsCall && (this.#leaving || (heard.complete && !this.#listener.active))) {
      // Who seemed to want the end may have been misheard.
      if (this.#leaving || !turn.answers) this.#end();
      else this.#leaveTaking.begin(this.#o.time.now());
      this.#tick();
      return;
    }
    this.#announcer.onTurnOver(turn, !this.#unreported);
    this.#answering.turnOver();
    this.#tick();
  }

  #end(): void {
    this.#talking = false;
    this.#o.onEnd(this.#farewell ? 'silence-farewell' : 'bot-goodbye');
  }

  // --- what the caller says and keys ---------------------------------------------------------------------------

  #onUtterance(utterance: Utterance): void {
    this.#idle.callerActive();
    this.#farewell = false;
    const turn = this.#assistant.turn;
    // Over the bot even a doubtful "stop" is one.
    const doubtful = utterance.rejected && !(turn && interjectionOf(utterance.text) === 'halt');
    const said = doubtful ? '' : utterance.text;
    if (this.#leaving) {
      this.#note(said || UNINTELLIGIBLE, 'speech', utterance);
      return;
    }
    if (this.#announcer.protecting) {
      const aside = said === '' || (!this.#errands.open && interjectionOf(said) === 'backchannel');
      if (!aside) this.#announcer.hold(() => this.#onUtterance(utterance));
      return;
    }
    const aside = turn ? this.#isAside(said, utterance) : said === '' && this.#isRemnant(utterance);
    if (aside) {
      this.#o.scribe.event('backchannel', { text: said });
      return;
    }
    const open = this.#errands.open;
    if (this.#keying.accompaniedBy(utterance.startedAt)) {
      this.#o.scribe.event('speech-beside-keys');
      return;
    }
    if (open) {
      this.#answering.answered(open, said, 'speech', utterance);
      return;
    }
    const text =
      [this.#announcer.takeOwed(), this.#unanswered(turn, utterance.startedAt), said].filter(Boolean).join(' ') ||
      UNINTELLIGIBLE;
    this.#assistant.interrupt(utterance.startedAt);
    this.#note(said || UNINTELLIGIBLE, 'speech', utterance);
    this.#request(text, utterance);
  }

  /** A noise or an "mhm" while the bot speaks or thinks: nothing that wants an answer. The bot goes on. */
  #isAside(said: string, utterance: Utterance): boolean {
    const over = this.#interruption.of(utterance.startedAt);
    if (!over) return said === '' && !utterance.rejected;
    const aside = said === '' || (!over.anyWordAnswers && interjectionOf(said) === 'backchannel');
    if (aside && over.pending) this.#resume(over.pending, utterance.startedAt);
    return aside;
  }

  /**
   * Sounds without words that began while the bot was heard and hardly outlast it are its echo or the caller's last
   * "mm"; so is whatever cannot be understood behind a goodbye. An open question is asked again rather.
   */
  #isRemnant({ startedAt, endedAt }: Utterance): boolean {
    if (this.#leaveTaking.open) return true;
    return !this.#errands.open && startedAt < this.#soundUntil && endedAt < this.#soundUntil + REMNANT_MS;
  }

  #resume(turn: Turn, spokeAt: Ms): void {
    this.#o.scribe.event('barge-in-ignored', { afterMs: Math.round(this.#o.time.now() - spokeAt) });
    this.#o.voice.resume(turn.id);
  }

  #request(text: string, utterance: Utterance | undefined): void {
    this.#unreported = false;
    if (!this.#matters.none) this.history.push({ role: 'system', text: MORE_TO_COME });
    this.history.push({ role: 'caller', text });
    this.#assistant.think(utterance);
  }

  /**
   * The caller went on before anything of the answer was heard: the endpoint was wrong, and what was said before is
   * the beginning of what is said now. Takes it back from the history, with what was read at the bank for it; a change
   * that is under way stays.
   */
  #unanswered(turn: Turn | undefined, now: Ms): string {
    if (!turn?.answers || turn.audible) return '';
    const at = this.history.findLastIndex((item) => item.role !== 'action');
    const last = this.history[at];
    if (last?.role !== 'caller' || !this.#errands.takeBack(at + 1)) return '';
    this.#pace.cutOff(now - turn.answers.endedAt);
    this.history.pop();
    return last.text === UNINTELLIGIBLE ? '' : last.text;
  }

  #onKey(key: string, at: Ms): void {
    if (this.#leaving) return;
    this.#idle.callerActive();
    this.#keying.press(key, at);
  }

  #note(text: string, source: CallerSource, utterance: Utterance | undefined): void {
    this.#o.scribe.utterance(callerLine(text, source, utterance, this.#o.time.now()));
  }
}
