import type { Timekeeper } from '../../core/alarm.ts';
import type { Logger } from '../../core/log.ts';
import type { Conversation } from '../../dialogue/conversation.ts';
import type { Synthesizer } from '../../speech/ports.ts';
import type { Leg } from '../legs/call-leg.ts';
import type { CallParties } from '../people/parties.ts';
import type { Party } from '../people/party.ts';
import type { CallerFacts } from './briefing.ts';
import type { HandoverPlan } from './handover-plan.ts';
import type { WaitingRoom } from './waiting-room.ts';
import type { Webhook } from './webhook.ts';

/** What hand-overs of all calls share. */
export interface HandoverDeps {
  /** The plan in force now. */
  plan(): HandoverPlan;
  room: WaitingRoom;
  webhook: Webhook;
  /**
   * Takes the person out of the call that this leg is the caller of, and ends that call: they are to be another's.
   * Undefined: there is no such call, or nobody whom that caller talks with.
   */
  takePersonOf(leg: Leg): Party | undefined;
}

export interface CallHandoverOptions extends HandoverDeps {
  /** Aborts when the call is over. */
  signal: AbortSignal;
  leg: Leg;
  parties: CallParties;
  /** Undefined where no bot speaks. */
  conversation: Conversation | undefined;
  facts(): CallerFacts;
  event(type: string, data: Record<string, unknown>): void;
  /** The caller has left for the person, or the talk that ended the call is over. */
  onGone(): void;
  synthesizer: Synthesizer;
  /** The bot's. */
  voice: string | undefined;
  time: Timekeeper;
  log: Logger;
}
