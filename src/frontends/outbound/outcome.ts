import type { DialOutcome } from '../../call/legs/dialler.ts';
import type { Ms } from '../../core/clock.ts';
import { asFailure, type Blame, Failure } from '../../core/errors.ts';
import { secondsOf } from '../../sip/message/values.ts';
import { refusalIn } from '../../sip/session/exchange.ts';

/** How a call of ours may end before it is answered (RFC 3261 21, RFC 8197, RFC 8688), by the final status. */
const OUTCOMES: Readonly<Record<number, DialOutcome>> = {
  404: 'unknown-number',
  408: 'no-answer',
  410: 'unknown-number',
  480: 'no-answer',
  484: 'unknown-number',
  486: 'busy',
  488: 'media-refused',
  600: 'busy',
  603: 'declined',
  604: 'unknown-number',
  606: 'media-refused',
  607: 'declined',
  608: 'declined',
};

/** What is worth another try later: not a person's no, nor ours. */
const RETRYABLE: ReadonlySet<DialOutcome> = new Set(['limited', 'busy', 'no-answer', 'unreachable']);

export function outcomeOf(failure: Failure): DialOutcome {
  switch (failure.code) {
    case 'sip-cancelled':
      return 'cancelled';
    case 'sip-no-answer':
      return 'no-answer';
    case 'sip-full':
      return 'limited';
    case 'sip-timeout':
    case 'sip-transport':
      return 'unreachable';
    default: {
      const status = failure.sipStatus;
      return OUTCOMES[status] ?? (status >= 500 && status < 600 ? 'unreachable' : 'refused');
    }
  }
}

/**
 * Is it the gateway's fault, so that another may do better? Not once a phone has rung: people are not rung twice because
 * something behind the first ring broke. A 408 of a gateway that never said that it rings is its own; 401 and 407 mean
 * that our credentials for it are wrong.
 */
export function isGatewaysFault(failure: Failure, rang: boolean): boolean {
  if (rang || failure.code === 'sip-cancelled' || failure.code === 'sip-no-answer' || failure.code === 'sip-full') {
    return false;
  }
  const { sipStatus } = failure;
  return sipStatus === 408 || sipStatus === 401 || sipStatus === 407 || (sipStatus >= 500 && sipStatus < 600);
}

export function isDialFailure({ code }: Failure): boolean {
  return code.startsWith('dial-');
}

/** How long the far end that refused wants to be left alone; undefined where it does not say. */
export function retryAfterOf(failure: Failure): Ms | undefined {
  const seconds = secondsOf(refusalIn(failure)?.headers.get('retry-after'));
  return seconds === undefined ? undefined : seconds * 1000;
}

/** For what the stack throws; what our own side threw (the offer) stays what it was. */
export function dialFailureOf(error: unknown): Failure {
  const failure = asFailure(error);
  return failure.code.startsWith('sip-') ? dialFailure(outcomeOf(failure), failure.message, failure) : failure;
}

export function dialFailure(outcome: DialOutcome, message: string, cause?: Failure | { sipStatus: number }): Failure {
  const status = cause?.sipStatus ?? (outcome === 'not-allowed' ? 403 : 503);
  const blame: Blame = outcome === 'not-allowed' ? 'caller' : outcome === 'no-gateway' ? 'us' : 'network';
  return new Failure(message, {
    code: `dial-${outcome}`,
    blame,
    sipStatus: status,
    retryable: RETRYABLE.has(outcome),
    cause: cause instanceof Failure ? cause : undefined,
  });
}
