import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { ActionDesk } from '../dialogue/action-desk.ts';
import { Conversation, type ConversationEnd } from '../dialogue/conversation.ts';
import type { HistoryItem } from '../dialogue/language-model.ts';
import type { RecordingConsent } from '../dialogue/recording-consent.ts';
import type { MediaEvent, MediaSession } from '../media/ports.ts';
import type { CallDeps, CallOpening } from './call.ts';
import { CallEar } from './ear.ts';
import { GREETING_HINTS } from './greeting-hints.ts';
import type { Announcement, SayOutcome } from './say.ts';
import { Screening, type ScreeningManner } from './screening.ts';
import type { CallScribe } from './scribe.ts';
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

/** The bot in one call: what it hears, says and may do, from before the first packet. */
export class CallBot {
  readonly desk: ActionDesk;
  readonly conversation: Conversation;
  readonly #o: CallBotOptions;
  readonly #ear: CallEar;
  /** Who has answered is not known yet: the bot waits. */
  #screening: Screening | undefined;

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
      onTranscript: (result) => (this.#screening ?? this.conversation).onTranscript(result),
      log,
    });
    scope.onClose('recogniser stream', () => ear.close());
    this.#ear = ear;
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
    if (event.type === 'dtmf') this.conversation.onMedia(event);
    else (this.#screening ?? this.conversation).onMedia(event);
  }

  /** The caller's audio begins anew, and the recogniser with it. */
  hearAnew(): void {
    this.#ear.reopen();
  }

  #screen(manner: ScreeningManner): void {
    const { deps, session, scribe, scope } = this.#o;
    this.#ear.listenFor(GREETING_HINTS);
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

  #screened(): void {
    this.#screening = undefined;
    // What was heard until now is no part of the conversation, also what is understood of it only later.
    this.#ear.reopen();
  }
}
