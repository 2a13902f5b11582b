import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Scope } from '../../core/scope.ts';
import { Conversation, type ConversationEnd } from '../../dialogue/conversation.ts';
import type { HistoryItem } from '../../dialogue/models/language-model.ts';
import type { ActionDesk } from '../../dialogue/questions/action-desk.ts';
import type { RecordingConsent } from '../../dialogue/recording-consent.ts';
import type { MediaEvent, MediaSession } from '../../media/ports.ts';
import type { CallDeps, CallOpening } from '../call-deps.ts';
import { Overhearing } from '../people/overhearing.ts';
import type { BotSeat } from '../people/parties.ts';
import type { CallScribe } from '../record/scribe.ts';
import { CallEar } from './ear.ts';
import { GREETING_HINTS } from './greeting-hints.ts';
import type { Announcement, SayOutcome } from './say.ts';
import { MachineWatch, Screening, type ScreeningManner } from './screening.ts';
import { CallVoice } from './voice.ts';

export interface CallBotOptions {
  opening: CallOpening;
  deps: CallDeps;
  session: MediaSession;
  scope: Scope;
  scribe: CallScribe;
  consent: RecordingConsent | undefined;
  /** What the bot may do, with what the call adds to it. */
  furnish(desk: ActionDesk): ActionDesk;
  /** The conversation is over, its last word sent. */
  onEnd(end: ConversationEnd): void;
  /** A machine has answered and listens: it is to be left these words, and the call is over then. */
  onMessage(words: string): void;
  /** A machine has answered, and there is nothing to say to it. */
  onMachine(): void;
  log: Logger;
}

/** A call that is over waits so long for words of its caller that are still being taken down. */
const LAST_LINES_MS: Ms = 1000;

/** The bot in one call: what it hears, says and may do, from before the first packet. */
export class CallBot implements BotSeat {
  readonly desk: ActionDesk;
  readonly conversation: Conversation;
  readonly #o: CallBotOptions;
  readonly #ear: CallEar;
  /** What the caller says to somebody else. */
  readonly #overhearing: Overhearing;
  readonly #onTakenDown = Promise.withResolvers<void>();
  /** Who has answered is not known yet: the bot waits. */
  #screening: Screening | undefined;
  /** Who has answered was taken for a person. */
  #machineWatch: MachineWatch | undefined;

  constructor(options: CallBotOptions) {
    this.#o = options;
    const { opening, deps, session, scope, scribe, log } = options;
    const { bot, line, record } = opening;
    this.desk = options.furnish(
      bot.openDesk({
        sessionId: line.id,
        callerPhone: opening.customerPhone,
        correlationId: record.correlationId,
        log,
        onEvent: ({ type, data }) => scribe.event(type, data),
      }),
    );
    const ear = new CallEar({
      call: line.id,
      session,
      recognizer: deps.recognizer,
      localRecognizer: deps.localRecognizer,
      hintsFor: bot.hintsFor,
      onTranscript: (result) => {
        if (!this.#overhearing.transcript(result)) (this.#screening ?? this.conversation).onTranscript(result);
      },
      onLost: () => this.#overhearing.lose(),
      log,
    });
    scope.onClose('recogniser stream', () => ear.close());
    this.#ear = ear;
    this.#overhearing = new Overhearing({
      time: deps.time,
      endSegment: () => ear.endSegment(),
      onOverheard: (overheard) => this.conversation.takeDown(overheard),
      onDone: () => this.#onTakenDown.resolve(),
    });
    scope.onClose('last lines', () => {
      this.#overhearing.close(LAST_LINES_MS);
      return this.#onTakenDown.promise;
    });
    this.conversation = new Conversation({
      scope,
      time: deps.time,
      log,
      instructions: bot.profile.instructions,
      prompts: bot.profile.prompts,
      announcementOnly: bot.profile.announcementOnly,
      begin: opening.begin,
      consent: options.consent,
      model: deps.model,
      desk: this.desk,
      voice: new CallVoice(deps.synthesizer, session, log, bot.profile.voice),
      ear,
      scribe,
      idle: deps.idle,
      endpointing: deps.endpointing,
      onEnd: (end) => options.onEnd(end),
    });
    if (opening.screening) this.#screen(opening.screening);
  }

  /** Somebody has answered. Where it may be a machine, the screening decides when the bot begins. */
  start(): void {
    if (!this.#screening) this.conversation.start();
  }

  get history(): readonly HistoryItem[] {
    return this.conversation.history;
  }

  say(announcement: Announcement): SayOutcome {
    if (this.conversation.suspended) return 'silent';
    return this.conversation.say(announcement) ? 'taken' : 'full';
  }

  onMedia(event: MediaEvent): void {
    this.#machineWatch?.onMedia(event);
    if (event.type === 'dtmf') this.conversation.onMedia(event);
    else if (event.type === 'speech-start' && this.suspended) this.#overhearing.speechStart(event.at, event.segment);
    else if (event.type === 'speech-end' && this.#overhearing.speechEnd(event.at, event.segment)) return;
    else (this.#screening ?? this.conversation).onMedia(event);
  }

  get suspended(): boolean {
    return this.conversation.suspended;
  }

  /** As Conversation.suspend; from now on the caller is only taken down, when there is time for it. */
  suspend(): boolean {
    if (!this.conversation.suspend()) return false;
    this.#machineWatch?.close();
    this.#ear.overhear(true);
    return true;
  }

  resume(words?: string): void {
    if (!this.suspended) return;
    this.#ear.overhear(false);
    for (const event of this.#overhearing.release()) this.conversation.onMedia(event);
    this.conversation.resume(words);
  }

  overhear(who: string, text: string): void {
    this.conversation.overhear(who, text);
  }

  /** The caller's audio begins anew, and the recogniser with it. */
  hearAnew(): void {
    this.#overhearing.lose();
    this.#ear.reopen();
  }

  #screen(manner: ScreeningManner): void {
    const { deps, session, scribe, scope } = this.#o;
    this.#ear.listenFor(GREETING_HINTS);
    const answeredAt = deps.time.now();
    const screening = new Screening({
      manner,
      session,
      time: deps.time,
      onAnswerer: ({ by, why, afterMs }) => {
        scribe.session({ answeredBy: by });
        scribe.event('answered-by', { by, why, afterMs });
      },
      onPerson: () => {
        this.#screened();
        this.#watch(manner, answeredAt);
        this.conversation.start();
      },
      onMessage: (words) => {
        this.#screened();
        this.#o.onMessage(words);
      },
      onHangUp: () => this.#o.onMachine(),
    });
    this.#screening = screening;
    scope.onClose('screening', () => screening.close());
  }

  /** Who was taken for a person may turn out to be a machine: the bot stops then, and does as with any other. */
  #watch({ onMachine, message }: ScreeningManner, answeredAt: Ms): void {
    const { deps, session, scribe, scope } = this.#o;
    const watch = new MachineWatch({
      answeredAt,
      session,
      time: deps.time,
      onMachine: (at, by) => {
        const why = by === 'beep' ? 'tone' : by;
        scribe.session({ answeredBy: 'machine' });
        scribe.event('answered-by', { by: 'machine', why, afterMs: Math.round(at - answeredAt), late: true });
        if (by !== 'beep' || onMachine === 'hang-up' || message === undefined) this.#o.onMachine();
        else this.#o.onMessage(message);
      },
    });
    this.#machineWatch = watch;
    scope.onClose('machine watch', () => watch.close());
  }

  #screened(): void {
    this.#screening = undefined;
    // What was heard until now is no part of the conversation, also what is understood of it only later.
    this.#ear.reopen();
  }
}
