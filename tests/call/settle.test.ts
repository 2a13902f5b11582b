import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CallOrder,
  NO_RETRY,
  ORDER_MOVES,
  type OrderOutcome,
  type OrderState,
  RETRY_CAUSES,
  type RetryRule,
} from '../../src/call/orders/order.ts';
import { type AttemptResult, settle } from '../../src/call/orders/settle.ts';
import { END_CAUSES, type EndCause } from '../../src/call/record/outcome.ts';

const NOW = new Date('2026-12-01T12:00:00Z');
const hours = (count: number) => new Date(NOW.getTime() + count * 3_600_000);

function dialling(change: Partial<CallOrder> = {}, retry: RetryRule = NO_RETRY): CallOrder {
  return {
    orderId: 'o',
    idempotencyKey: 'k',
    request: { to: '+491', bot: 'reminder', variables: {}, retry },
    notAfter: hours(24),
    state: 'DIALLING',
    attempts: [{ sessionId: 's', startedAt: NOW.toISOString() }],
    cancelRequested: false,
    createdAt: NOW,
    ...change,
  };
}

const ANSWERED: readonly EndCause[] = [
  'callee-hangup',
  'bot-goodbye',
  'wrong-party',
  'message-left',
  'answering-machine',
];

describe('what becomes of an order', () => {
  it.each([
    ['busy', false, 'FAILED'],
    ['cancelled', false, 'CANCELLED'],
    ['callee-hangup', true, 'DONE'],
    ['message-left', true, 'DONE'],
    ['media-failed', true, 'FAILED'],
    ['process-crashed', false, 'FAILED'],
  ] as [OrderOutcome, boolean, OrderState][])('%s, answered: %s: %s', (outcome, answered, state) => {
    expect(settle(dialling(), { outcome, answered }, NOW)).toMatchObject({ state, outcome, nextAttemptAt: undefined });
  });

  it('is dialled again by its rule, not more often and not too late', () => {
    const rule: RetryRule = { maxAttempts: 2, afterMinutes: { busy: 5, interrupted: 1 } };
    const first = settle(dialling({}, rule), { outcome: 'busy', answered: false }, NOW);
    expect(first).toMatchObject({
      state: 'QUEUED',
      outcome: undefined,
      nextAttemptAt: new Date('2026-12-01T12:05:00Z'),
    });
    const attempts = [...first.attempts, { sessionId: 't', startedAt: NOW.toISOString() }];
    expect(settle(dialling({ attempts }, rule), { outcome: 'busy', answered: false }, NOW).state).toBe('FAILED');
    expect(settle(dialling({}, rule), { outcome: 'declined', answered: false }, NOW).state).toBe('FAILED');
    const late = dialling({ notAfter: new Date(NOW.getTime() + 299_000) }, rule);
    expect(settle(late, { outcome: 'busy', answered: false }, NOW).state).toBe('FAILED');
    expect(settle(dialling({}, rule), { outcome: 'process-crashed', answered: false }, NOW).state).toBe('QUEUED');
  });

  it('waits longer and longer while a gateway’s limits stand, and that counts as no attempt', () => {
    let order = dialling({}, { maxAttempts: 1, afterMinutes: {} });
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const { state, attempts, nextAttemptAt } = settle(order, { outcome: 'limited', answered: false }, NOW);
      expect(state).toBe('QUEUED');
      waits.push((nextAttemptAt!.getTime() - NOW.getTime()) / 1000);
      order = dialling({ attempts: [...attempts, { sessionId: `${i}`, startedAt: NOW.toISOString() }] });
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 900, 900]);
  });

  it('whatever happens, moves are legal, attempts are bounded by the rule, and what was answered is not dialled again unless a machine answered', () => {
    const unanswered = (Object.keys(END_CAUSES) as EndCause[]).filter((cause) => !ANSWERED.includes(cause));
    const result: fc.Arbitrary<AttemptResult> = fc.oneof(
      fc.constantFrom(...unanswered).map((outcome) => ({ outcome, answered: false })),
      fc.constantFrom(...ANSWERED).map((outcome) => ({ outcome, answered: true })),
    );
    const rule = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 10 }),
      afterMinutes: fc.dictionary(fc.constantFrom(...RETRY_CAUSES), fc.integer({ min: 1, max: 60 })),
    });
    fc.assert(
      fc.property(rule, fc.array(result, { minLength: 1, maxLength: 40 }), fc.boolean(), (retry, results, cancels) => {
        let order = dialling({ cancelRequested: cancels }, retry as RetryRule);
        for (const one of results) {
          const before = order.attempts.length;
          const next = settle(order, one, NOW);
          const from: OrderState = one.answered ? 'TALKING' : 'DIALLING';
          expect(ORDER_MOVES[from]).toContain(next.state);
          expect(next.attempts).toHaveLength(before);
          expect(next.attempts.at(-1)!.outcome).toBe(one.outcome);
          if (next.state !== 'QUEUED') return;
          expect(cancels).toBe(false);
          expect(next.nextAttemptAt! < order.notAfter).toBe(true);
          if (one.answered) expect(one.outcome).toBe('answering-machine');
          const counted = next.attempts.filter(({ outcome }) => outcome !== 'limited').length;
          expect(counted).toBeLessThanOrEqual(retry.maxAttempts);
          order = dialling(
            { attempts: [...next.attempts, { sessionId: 'n', startedAt: NOW.toISOString() }] },
            retry as RetryRule,
          );
        }
      }),
    );
  });
});
