import type { Ms } from '../../core/clock.ts';
import type { EndCause } from '../record/outcome.ts';

/** Somebody is to be called: what was asked for, and how far it has come. docs/outbound.md explains each part. */

export const ORDER_STATES = ['QUEUED', 'DIALLING', 'TALKING', 'DONE', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/**
 * The legal moves. Back to QUEUED: dialled again by rule, or never dialled because there was no room. TALKING -> QUEUED:
 * a machine answered, and the rule says to try again.
 */
export const ORDER_MOVES: Readonly<Record<OrderState, readonly OrderState[]>> = {
  QUEUED: ['DIALLING', 'CANCELLED', 'EXPIRED'],
  DIALLING: ['TALKING', 'QUEUED', 'DONE', 'FAILED', 'CANCELLED'],
  TALKING: ['DONE', 'FAILED', 'QUEUED'],
  DONE: [],
  FAILED: [],
  CANCELLED: [],
  EXPIRED: [],
};

/** What is done when a machine answers. */
export const MACHINE_MANNERS = ['leave-message', 'hang-up', 'go-on'] as const;
export type MachineManner = (typeof MACHINE_MANNERS)[number];

/**
 * What may be dialled again. `interrupted`: our process died or was stopped while it was being dialled, so that nobody
 * knows whether it rang; only a rule that names it dials such an order again.
 */
export const RETRY_CAUSES = [
  'busy',
  'no-answer',
  'declined',
  'unreachable',
  'refused',
  'answering-machine',
  'interrupted',
] as const;
export type RetryCause = (typeof RETRY_CAUSES)[number];

export interface RetryRule {
  /** How often it is dialled at most, the first time included. */
  maxAttempts: number;
  /** Minutes until it is dialled again, by cause; a cause that is not named is not tried again. */
  afterMinutes: Partial<Record<RetryCause, number>>;
}

export const NO_RETRY: RetryRule = { maxAttempts: 1, afterMinutes: {} };

export interface OrderRequest {
  /** A telephone number or a sip: URI. */
  to: string;
  /** Name of the bot that speaks. */
  bot: string;
  /** What the call is about; told to the person once it is clear who answers. */
  purpose?: string | undefined;
  /** What the bot's words and instructions refer to as {name}. */
  variables: Readonly<Record<string, string>>;
  gateway?: string | undefined;
  ringMs?: Ms | undefined;
  /** Default: the bot's. */
  onMachine?: MachineManner | undefined;
  retry: RetryRule;
}

export type OrderOutcome = EndCause | 'expired' | 'do-not-call' | 'no-such-bot';

/** One time it was dialled. */
export interface OrderAttempt {
  /** The call's record. */
  sessionId: string;
  startedAt: string;
  endedAt?: string;
  outcome?: OrderOutcome;
  answeredBy?: 'person' | 'machine';
  gateway?: string;
}

export interface CallOrder {
  orderId: string;
  idempotencyKey: string;
  request: OrderRequest;
  /** Not dialled later than this. */
  notAfter: Date;
  state: OrderState;
  outcome?: OrderOutcome | undefined;
  attempts: readonly OrderAttempt[];
  nextAttemptAt?: Date | undefined;
  cancelRequested: boolean;
  createdAt: Date;
  endedAt?: Date | undefined;
}

/** An order that this process, and nobody else, is to dial now. The last attempt is the one to make. */
export interface ClaimedOrder extends CallOrder {
  /** With the order's id: what only the one who claimed it can change. */
  claimId: string;
  /** The number is on the do-not-call list. */
  barred: boolean;
}
