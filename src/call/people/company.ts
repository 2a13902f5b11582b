import type { Logger } from '../../core/log.ts';
import type { Scope } from '../../core/scope.ts';
import type { ActionDesk } from '../../dialogue/questions/action-desk.ts';
import type { MediaSession } from '../../media/ports.ts';
import type { CallBot } from '../bot/call-bot.ts';
import type { CallDeps, CallOpening } from '../call-deps.ts';
import { CallHandover } from '../handover/call-handover.ts';
import { HandoverDesk, type HandoverRefusal, type HandoverRequest } from '../handover/handover-desk.ts';
import type { HandoverStatus } from '../handover/handover-status.ts';
import type { CallScribe } from '../record/scribe.ts';
import { CallParties } from './parties.ts';
import type { Party } from './party.ts';

export interface CompanyOptions {
  opening: CallOpening;
  deps: CallDeps;
  scope: Scope;
  scribe: CallScribe;
  /** The SIP messages with this Call-ID are the call's, too. */
  trace(sipCallId: string): void;
  /** The caller has been taken elsewhere. */
  onGone(): void;
  log: Logger;
}

/** The people in a call besides the caller: who is there, and how the caller comes to them and back. */
export class CallCompany {
  readonly #o: CompanyOptions;
  #bot: CallBot | undefined;
  /** Once answered. */
  #caller: MediaSession | undefined;
  /** These two are made when they are first wanted: nobody comes to most calls. */
  #parties: CallParties | undefined;
  #handover: CallHandover | undefined;

  constructor(options: CompanyOptions) {
    this.#o = options;
  }

  /** The caller is there, so others can come. `bot`: who speaks with the caller; undefined: nobody. */
  open(caller: MediaSession, bot: CallBot | undefined): void {
    this.#bot = bot;
    this.#caller = caller;
  }

  /** Who else is in the call; undefined before the answer. */
  get parties(): CallParties | undefined {
    this.#parties ??= this.#caller && this.#openParties(this.#caller);
    return this.#parties;
  }

  /** Somebody speaks with the caller in the bot's place. */
  get hasAgent(): boolean {
    return this.#parties !== undefined && this.#parties.agents.length > 0;
  }

  /** The last hand-over of this call. */
  get status(): HandoverStatus | undefined {
    return this.#handover?.status;
  }

  /** What came of it when the caller's telephone was asked to call somebody else; undefined when it was not. */
  get leaving(): CallHandover['leaving'] {
    return this.#handover?.leaving;
  }

  transfer(request: HandoverRequest): HandoverStatus | HandoverRefusal {
    return this.#openHandover()?.transfer(request) ?? 'unavailable';
  }

  /** Takes the caller back from a hand-over; false when none goes on. */
  recall(): boolean {
    return this.#handover?.recall() ?? false;
  }

  /** The one person the caller talks with leaves for another call, and this one is over. */
  giveAway(): Party | undefined {
    return this.#handover?.giveAway();
  }

  /** Who asks for a person gets one, where there are people; else the action does what it says. */
  furnish(desk: ActionDesk): ActionDesk {
    const queue = this.#o.deps.handover?.plan().standard;
    if (queue === undefined) return desk;
    const seek = async (topic: string | undefined) => this.#openHandover()?.seek(topic) ?? 'unavailable';
    return new HandoverDesk({ desk, prompts: queue.prompts, seek });
  }

  /** While a person speaks with the caller, keys are nothing to the bot; and nobody knows whether they are a secret. */
  takesKey(key: string): boolean {
    if (this.#bot?.conversation.suspended === false) return false;
    const { parties } = this;
    if (parties === undefined) return false;
    this.#o.scribe.event('dtmf', { digit: 'hidden' });
    parties.callerKeyDown(key);
    return true;
  }

  /** A key that the caller has let go: whoever speaks with them may have a machine that waits for it. */
  passKey(key: string, durationMs: number): void {
    this.#parties?.callerKeyUp(key, durationMs);
  }

  #openParties(caller: MediaSession): CallParties {
    const { opening, deps, scope, scribe, log } = this.#o;
    const parties = new CallParties({
      caller,
      callerLeg: opening.line.leg,
      bot: this.#bot,
      scribe,
      media: deps.media,
      codecs: deps.codecs,
      dialler: deps.dialler?.(),
      recognizer: deps.recognizer,
      hints: () => opening.bot.hintsForPerson(deps.recall.words),
      recall: deps.recall,
      trace: (sipCallId) => this.#o.trace(sipCallId),
      time: deps.time,
      log,
    });
    scope.onClose('parties', () => parties.close());
    return parties;
  }

  #openHandover(): CallHandover | undefined {
    const { opening, deps, scope, scribe, log } = this.#o;
    const { leg } = opening.line;
    const { parties } = this;
    if (this.#handover !== undefined || parties === undefined) return this.#handover;
    if (deps.handover === undefined || leg === undefined) return undefined;
    this.#handover = new CallHandover({
      ...deps.handover,
      signal: scope.signal,
      leg,
      parties,
      conversation: this.#bot?.conversation,
      facts: () => ({
        sessionId: opening.line.id,
        phone: opening.customerPhone,
        customerId: this.#bot?.desk.customer?.customerId,
        verified: this.#bot?.desk.customer?.verified ?? false,
        history: this.#bot?.history ?? [],
      }),
      event: (type, data) => scribe.event(type, data),
      onGone: () => this.#o.onGone(),
      synthesizer: deps.synthesizer,
      voice: opening.bot.profile.voice,
      time: deps.time,
      log,
    });
    return this.#handover;
  }
}
