import { untilAborted } from '../core/abortable.ts';
import type { Alarm } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Heard, MediaEvent } from '../media/ports.ts';
import { Assistant, type AssistantOptions } from './assistant.ts';
import { wordsHeard } from './caller-line.ts';
import { Hearing } from './hearing.ts';
import { Initiative } from './initiative.ts';
import { Intake } from './intake.ts';
import { LeaveTaking } from './leave-taking.ts';
import type { HistoryItem } from './models/language-model.ts';
import { Answering } from './questions/answering.ts';
import { Errands, type RequestedAction } from './questions/errands.ts';
import { KeyMenu } from './questions/key-menu.ts';
import { Keying } from './questions/keying.ts';
import { Matters } from './questions/matters.ts';
import { withoutSpokenSecrets } from './questions/spoken-secrets.ts';
import { ConsentWatch, type RecordingConsent } from './recording-consent.ts';
import { Seat } from './seat.ts';
import type { Announcement } from './speaking/announcements.ts';
import { Announcer } from './speaking/announcer.ts';
import { sentencesOf } from './speaking/sentence-splitter.ts';
import type { Transcript } from './speaking/voice.ts';
import type { Overheard } from './stenographer.ts';
import type { Turn } from './turn.ts';
import { CallerPace } from './turn-taking/caller-pace.ts';
import { adaptiveEndpointing, type EndpointingPolicy } from './turn-taking/endpointing.ts';
import { DEFAULT_IDLE, type IdleOptions } from './turn-taking/idle.ts';
import { Listener, type Utterance } from './turn-taking/listener.ts';
import { weighed } from './turn-taking/wholeness.ts';

export type ConversationEnd = 'bot-goodbye' | 'silence-farewell';

export interface ConversationOptions extends AssistantOptions {
  idle?: IdleOptions;
  endpointing?: EndpointingPolicy;
  /** The greeting is all that is said: "we are closed". */
  announcementOnly?: boolean;
  /** The caller is told of the recording, and may refuse. */
  consent?: RecordingConsent | undefined;
  /** An action that is begun with, instead of the greeting. */
  begin?: RequestedAction | undefined;
  /** The conversation is over and its last word has been sent. */
  onEnd(end: ConversationEnd): void;
}

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
  readonly #pace = new CallerPace();
  readonly #alarm: Alarm;
  readonly #answering: Answering;
  readonly #announcer: Announcer;
  readonly #keying: Keying;
  readonly #hearing: Hearing;
  readonly #initiative: Initiative;
  readonly #intake: Intake;
  readonly #consent: ConsentWatch;
  /** Greeted, and not yet told goodbye. */
  #talking = false;
  /** Woken when the caller stops speaking. */
  #onCallerQuiet: (() => void)[] = [];
  /** The last words are being said: what the caller does changes nothing any more. */
  #leaving = false;
  readonly #leaveTaking = new LeaveTaking();
  readonly #seat: Seat;

  constructor(options: ConversationOptions) {
    this.#o = options;
    this.#consent = new ConsentWatch(options.consent);
    this.#errands = new Errands(options.desk, options.scribe, this.history, options.prompts);
    this.#alarm = options.time.alarm(() => this.#tick());
    const endpointing = options.endpointing ?? adaptiveEndpointing;
    this.#listener = new Listener({
      endpointing: () => endpointing(this.#errands.open?.question, this.#pace),
      pace: this.#pace,
      onPause: (text, complete) => {
        if (complete && text !== '' && !this.#errands.open && !this.#seat.left) this.#assistant.foresee(text);
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
        if (unreported) this.#initiative.hasNews();
        this.#tick();
      },
    });
    const shared = {
      assistant: this.#assistant,
      errands: this.#errands,
      history: this.history,
      scribe: options.scribe,
      prompts: options.prompts,
      leaveTaking: this.#leaveTaking,
      now: () => options.time.now(),
      request: (text: string) => this.#intake.request(text, undefined),
    };
    const announcer = new Announcer({ ...shared, onUntold: () => this.#initiative.hasNews() });
    const matters = new Matters({ ...shared, scope: options.scope });
    const initiative = new Initiative({ ...shared, announcer, matters, idle: options.idle ?? DEFAULT_IDLE });
    const intake = new Intake({ ...shared, matters, initiative, consent: this.#consent, ear: options.ear });
    const { actions } = options.desk;
    const answering = new Answering({ ...shared, intake, matters, actions });
    const menu = new KeyMenu(actions, options.prompts);
    const keying = new Keying({ ...shared, intake, menu, answering, announcer, desk: options.desk });
    const hearing = new Hearing({
      ...shared,
      voice: options.voice,
      intake,
      answering,
      announcer,
      keying,
      matters,
      menu,
      actions,
      pace: this.#pace,
    });
    this.#seat = new Seat({ ...shared, hearing, initiative, keying, matters });
    this.#announcer = announcer;
    this.#initiative = initiative;
    this.#intake = intake;
    this.#answering = answering;
    this.#keying = keying;
    this.#hearing = hearing;
    options.scope.onClose('announcements', () => this.#announcer.close());
    options.scope.onClose('conversation alarm', () => this.#alarm.set(undefined));
  }

  /** Greets the caller. */
  start(): void {
    this.#talking = true;
    this.#o.ear.expect({ kind: 'request' });
    if (this.#o.announcementOnly) this.goodbye(this.#o.prompts.greeting);
    else if (this.#o.begin) this.#assistant.act(this.#o.begin);
    else this.#assistant.speak([...this.#consent.announce(), this.#o.prompts.greeting]);
    // "No" is an answer as long as nothing else has been said; requests are heard beside it.
    if (this.#consent.open) this.#o.ear.expect({ kind: 'yes-no', secret: false });
  }

  /** Says this to its end, whatever the caller does, and ends the conversation. */
  goodbye(text: string): void {
    if (this.#o.scope.closed || this.#leaving) return;
    this.#leaving = true;
    this.#seat.take();
    this.#hearing.forget();
    this.#assistant.bidGoodbye(sentencesOf(text));
    this.#tick();
  }

  /** Something is to be said on request of an integrator or of staff. False when too much waits to be said already. */
  say(announcement: Announcement): boolean {
    if (this.#o.scope.closed || this.#leaving || !this.#announcer.offer(announcement)) return false;
    this.#tick();
    return true;
  }

  /** A person speaks with the caller in the bot's place. */
  get suspended(): boolean {
    return this.#seat.left;
  }

  /**
   * A person is about to speak with the caller: as Seat.leave. The bot takes the caller's words down until `resume`.
   * False when it is saying its last words, or is silent already.
   */
  suspend(): boolean {
    if (this.#o.scope.closed || this.#leaving || !this.#seat.leave()) return false;
    this.#tick();
    return true;
  }

  /** The bot speaks with the caller again, beginning with `words`; it knows what was said meanwhile. */
  resume(words: string = this.#o.prompts.backAgain): void {
    if (this.#o.scope.closed || this.#leaving || !this.#seat.take()) return;
    if (this.#talking) this.#assistant.speak(sentencesOf(words));
    this.#tick();
  }

  /** Said to a caller who waits for a person: the bot's seat stays left. What is said next cuts what is being said. */
  tell(words: string): void {
    if (!this.#o.scope.closed && !this.#leaving && this.#seat.tell(words)) this.#tick();
  }

  /** What `tell` is saying is cut: somebody else speaks now. */
  hush(): void {
    this.#seat.hush();
  }

  /** Somebody else said this to the caller while the bot is suspended: for the bot to know when it is back. */
  overhear(who: string, text: string): void {
    this.#seat.overhear(who, text);
  }

  /** The caller said this to somebody else, or over the bot's last words. */
  takeDown(overheard: Overheard): void {
    this.#intake.note(wordsHeard(overheard), 'overheard', overheard);
    if (overheard.text !== '') this.overhear('caller', withoutSpokenSecrets(overheard.text));
  }

  onMedia(event: MediaEvent): void {
    if (this.#o.scope.closed) return;
    const turn = this.#assistant.turn;
    switch (event.type) {
      case 'speech-start':
        this.#initiative.callerActive();
        this.#listener.speechStart(event.at, event.segment);
        this.#hearing.speechStart();
        break;
      case 'speech-lull':
        this.#listener.speechLull(event.segment);
        break;
      case 'speech-end':
        this.#listener.speechEnd(event.at, event.segment);
        this.#hearing.speechEnd(event.at);
        break;
      case 'barge-in':
        if (turn?.id !== event.turn) return;
        this.#hearing.bargeIn(turn, event);
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
    if (result.kind === 'partial') this.#hearing.partial(result.text, this.#o.time.now());
    this.#listener.transcript(weighed(result, this.#errands.open, this.#o.desk.actions));
    this.#tick();
  }

  // --- time ----------------------------------------------------------------------------------------------------

  /** Everything that only time can decide, then the alarm for the next such moment. */
  #tick(): void {
    if (this.#o.scope.closed) return;
    const now = this.#o.time.now();
    if (!this.#leaving) this.#hearing.due(now);
    this.#listener.due(now);
    if (!this.#leaving) this.#keying.due(now);
    if (!this.#listener.speaking) for (const wake of this.#onCallerQuiet.splice(0)) wake();
    if (this.#talking && !this.#callerBusy && !this.#seat.left) this.#announcer.replace();
    if (this.#nobodySpeaks) this.#initiative.take(now);
    else this.#initiative.busy();
    if (this.#assistant.turn) this.#leaveTaking.goOn();
    if (this.#leaveTaking.over(now, !this.#callerBusy)) this.#end();
    const policies = this.#leaving ? [this.#listener] : [this.#hearing, this.#listener, this.#keying, this.#initiative];
    const deadlines = policies.map((policy) => policy.deadline());
    if (!this.#callerBusy) deadlines.push(this.#leaveTaking.deadline());
    const soonest = Math.min(...deadlines.filter((at) => at !== undefined));
    this.#alarm.set(Number.isFinite(soonest) ? soonest : undefined);
  }

  /** The caller speaks, pauses, or keys: nobody else begins now. */
  get #callerBusy(): boolean {
    return this.#listener.active || !this.#keying.idle;
  }

  /** Neither side speaks or is about to, and the conversation goes on. */
  get #nobodySpeaks(): boolean {
    return this.#talking && !this.#callerBusy && !this.#assistant.turn && !this.#leaveTaking.open && !this.#seat.left;
  }

  async #callerQuiet(signal: AbortSignal): Promise<void> {
    if (!this.#listener.speaking) return;
    await untilAborted(new Promise<void>((resolve) => this.#onCallerQuiet.push(resolve)), signal);
  }

  #onTurnOver(turn: Turn, heard: Heard): void {
    this.#hearing.turnOver(heard);
    if (turn.endsCall && (this.#leaving || (heard.complete && !this.#listener.active))) {
      // Who seemed to want the end may have been misheard.
      if (this.#leaving || !turn.answers) this.#end();
      else this.#leaveTaking.begin(this.#o.time.now());
      this.#tick();
      return;
    }
    this.#announcer.onTurnOver(turn, !this.#initiative.news);
    this.#answering.turnOver();
    this.#tick();
  }

  #end(): void {
    this.#talking = false;
    this.#o.onEnd(this.#initiative.farewell ? 'silence-farewell' : 'bot-goodbye');
  }

  // --- what the caller says and keys ---------------------------------------------------------------------------

  #onUtterance(utterance: Utterance): void {
    this.#initiative.callerSpoke();
    if (utterance.why === 'incomplete' && !this.#errands.open) this.#pace.waitedInVain();
    if (!this.#leaving && !this.#seat.left) {
      this.#hearing.onUtterance(utterance);
      return;
    }
    this.takeDown({ ...utterance, text: this.#hearing.words(utterance), lost: false });
  }

  #onKey(key: string, at: Ms): void {
    if (this.#leaving || this.#seat.left) return;
    this.#initiative.callerActive();
    if (this.#intake.refusesRecording(key)) return;
    this.#keying.press(key, at);
  }
}
