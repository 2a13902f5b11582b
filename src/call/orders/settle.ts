import type { Ms } from '../../core/clock.ts';
import {
  type CallOrder,
  ORDER_MOVES,
  type OrderAttempt,
  type OrderOutcome,
  type OrderState,
  type RetryCause,
} from './order.ts';

/** What a call that was made for an order came to. */
export interface AttemptResult {
  outcome: OrderOutcome;
  /** Somebody or something picked up. */
  answered: boolean;
  answeredBy?: 'person' | 'machine' | undefined;
  gateway?: string | undefined;
}

/** What an order becomes. */
export interface Settlement {
  state: OrderState;
  outcome: OrderOutcome | undefined;
  attempts: readonly OrderAttempt[];
  nextAttemptAt: Date | undefined;
}

const MINUTE: Ms = 60_000;
/** The gateways' limits stood: it was never dialled, and waits longer each time. */
const LIMITED_PAUSE: Ms = 15_000;
const LONGEST_PAUSE: Ms = 15 * MINUTE;

const NOT_DONE: ReadonlySet<OrderOutcome> = new Set<OrderOutcome>([
  'media-failed',
  'internal-error',
  'setup-failed',
  'process-crashed',
  'process-shutdown',
]);

/**
 * What an order becomes after it was dialled. Pure; `order` is DIALLING or TALKING, and its last attempt is the one
 * that ended.
 */
export function settle(order: CallOrder, result: AttemptResult, now: Date): Settlement {
  const { outcome, answered } = result;
  const attempts = closed(order.attempts, result, now);
  const to = (state: OrderState, nextAttemptAt?: Date): Settlement => {
    const from = answered && order.state === 'DIALLING' ? 'TALKING' : order.state;
    if (!ORDER_MOVES[from].includes(state)) throw new TypeError(`an order cannot go from ${from} to ${state}`);
    return { state, outcome: state === 'QUEUED' ? undefined : outcome, attempts, nextAttemptAt };
  };
  if (!answered && (outcome === 'cancelled' || order.cancelRequested)) return to('CANCELLED');
  const again = nextAttempt({ ...order, attempts }, outcome, now);
  if (again !== undefined && !order.cancelRequested) return to('QUEUED', again);
  return to(answered && !NOT_DONE.has(outcome) ? 'DONE' : 'FAILED');
}

/** It was claimed but never dialled: there was no room. It goes back as it was, unless nobody wants it any more. */
export function putBack(order: CallOrder, now: Date, afterMs: Ms): Settlement {
  const attempts = order.attempts.slice(0, -1);
  if (order.cancelRequested) return { state: 'CANCELLED', outcome: 'cancelled', attempts, nextAttemptAt: undefined };
  return { state: 'QUEUED', outcome: undefined, attempts, nextAttemptAt: new Date(now.getTime() + afterMs) };
}

function closed(attempts: readonly OrderAttempt[], result: AttemptResult, now: Date): OrderAttempt[] {
  const last = attempts.at(-1);
  if (last === undefined) return [];
  const { outcome, answeredBy, gateway } = result;
  return [
    ...attempts.slice(0, -1),
    {
      ...last,
      endedAt: now.toISOString(),
      outcome,
      ...(answeredBy && { answeredBy }),
      ...(gateway !== undefined && { gateway }),
    },
  ];
}

/** When it is dialled again, by its rule; undefined when it is not. */
function nextAttempt({ request, attempts, notAfter }: CallOrder, outcome: OrderOutcome, now: Date): Date | undefined {
  const at = (delay: Ms) => {
    const when = new Date(now.getTime() + delay);
    return when < notAfter ? when : undefined;
  };
  if (outcome === 'limited') {
    const inARow = attempts.length - 1 - attempts.findLastIndex((one) => one.outcome !== 'limited');
    return at(Math.min(LONGEST_PAUSE, LIMITED_PAUSE * 2 ** Math.min(10, inARow - 1)));
  }
  const dialled = attempts.filter((one) => one.outcome !== 'limited').length;
  if (dialled >= request.retry.maxAttempts) return undefined;
  const minutes = request.retry.afterMinutes[causeOf(outcome)];
  return minutes === undefined ? undefined : at(minutes * MINUTE);
}

function causeOf(outcome: OrderOutcome): RetryCause {
  return outcome === 'process-crashed' || outcome === 'process-shutdown' ? 'interrupted' : (outcome as RetryCause);
}
