import type { Failure } from '../../core/errors.ts';
import type { LegEnd } from '../legs/call-leg.ts';
import { DIAL_OUTCOMES } from '../legs/dialler.ts';
import type { SessionRecord, SessionStatus } from './records.ts';

/** Every way a call can end, and what it counts as. docs/data.md explains each. */
export const END_CAUSES = {
  'caller-hangup': 'COMPLETED',
  'callee-hangup': 'COMPLETED',
  'bot-goodbye': 'COMPLETED',
  'staff-hangup': 'COMPLETED',
  'silence-farewell': 'COMPLETED',
  transferred: 'COMPLETED',
  'wrong-party': 'COMPLETED',
  'message-left': 'COMPLETED',
  'answering-machine': 'COMPLETED',
  'caller-cancelled': 'INTERRUPTED',
  'process-shutdown': 'INTERRUPTED',
  'process-crashed': 'INTERRUPTED',
  'media-timeout': 'INTERRUPTED',
  'network-lost': 'INTERRUPTED',
  cancelled: 'INTERRUPTED',
  'refused-busy': 'FAILED',
  'refused-offer': 'FAILED',
  'no-ack': 'FAILED',
  'media-failed': 'FAILED',
  'setup-failed': 'FAILED',
  'internal-error': 'FAILED',
  busy: 'FAILED',
  declined: 'FAILED',
  'no-answer': 'FAILED',
  'unknown-number': 'FAILED',
  refused: 'FAILED',
  'media-refused': 'FAILED',
  unreachable: 'FAILED',
  'not-allowed': 'FAILED',
  'no-gateway': 'FAILED',
  limited: 'FAILED',
} as const satisfies Record<string, Exclude<SessionStatus, 'ACTIVE'>>;

export type EndCause = keyof typeof END_CAUSES;

export function statusOf(cause: EndCause): Exclude<SessionStatus, 'ACTIVE'> {
  return END_CAUSES[cause];
}

/** What the end of the leg means when we did not end the call for a reason of our own. */
export function causeOfLegEnd(end: LegEnd, direction: SessionRecord['direction'] = 'INBOUND'): EndCause {
  const outbound = direction === 'OUTBOUND';
  switch (end.how) {
    case 'bye':
      if (end.by === 'us') return 'bot-goodbye';
      if (end.by === 'network') return 'network-lost';
      return outbound ? 'callee-hangup' : 'caller-hangup';
    case 'cancel':
      return outbound ? 'cancelled' : 'caller-cancelled';
    case 'no-ack':
      return 'no-ack';
    case 'transport':
    case 'session-timeout':
      return 'network-lost';
    case 'shutdown':
      return 'process-shutdown';
    case 'rejected':
      return 'setup-failed';
  }
}

/** What a call that could not be set up, or broke, counts as. */
export function causeOfFailure(failure: Failure): EndCause {
  const outcome = DIAL_OUTCOMES.find((one) => failure.code === `dial-${one}`);
  if (outcome !== undefined) return outcome;
  if (failure.sipStatus === 503 || failure.sipStatus === 486) return 'refused-busy';
  if (failure.sipStatus === 488 || failure.sipStatus === 415) return 'refused-offer';
  if (failure.code === 'no-ack') return 'no-ack';
  return failure.blame === 'us' ? 'internal-error' : 'setup-failed';
}
