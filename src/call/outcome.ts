import type { Failure } from '../core/errors.ts';
import type { LegEnd } from './call-leg.ts';
import type { SessionStatus } from './records.ts';

/** Every way a call can end, and what it counts as. docs/data.md explains each. */
export const END_CAUSES = {
  'caller-hangup': 'COMPLETED',
  'bot-goodbye': 'COMPLETED',
  'silence-farewell': 'COMPLETED',
  transferred: 'COMPLETED',
  'caller-cancelled': 'INTERRUPTED',
  'process-shutdown': 'INTERRUPTED',
  'process-crashed': 'INTERRUPTED',
  'media-timeout': 'INTERRUPTED',
  'network-lost': 'INTERRUPTED',
  'refused-busy': 'FAILED',
  'refused-offer': 'FAILED',
  'no-ack': 'FAILED',
  'media-failed': 'FAILED',
  'setup-failed': 'FAILED',
  'internal-error': 'FAILED',
} as const satisfies Record<string, Exclude<SessionStatus, 'ACTIVE'>>;

export type EndCause = keyof typeof END_CAUSES;

export function statusOf(cause: EndCause): Exclude<SessionStatus, 'ACTIVE'> {
  return END_CAUSES[cause];
}

/** What the end of the leg means when we did not end the call for a reason of our own. */
export function causeOfLegEnd(end: LegEnd): EndCause {
  switch (end.how) {
    case 'bye':
      return end.by === 'caller' ? 'caller-hangup' : 'bot-goodbye';
    case 'cancel':
      return 'caller-cancelled';
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
  if (failure.sipStatus === 503 || failure.sipStatus === 486) return 'refused-busy';
  if (failure.sipStatus === 488 || failure.sipStatus === 415) return 'refused-offer';
  if (failure.code === 'no-ack') return 'no-ack';
  return failure.blame === 'us' ? 'internal-error' : 'setup-failed';
}
