import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultSettings } from '../../src/demo-bank/faults.ts';
import { MemoryLedger } from '../support/memory-ledger.ts';
import { BankProcess } from './bank-process.ts';
import { CallAtTheDesk, questionOf, resultOf } from './caller.ts';

let bank: BankProcess;
beforeAll(async () => {
  bank = await BankProcess.start();
});
afterAll(() => bank.stop());
beforeEach(() => bank.reset());

/** A call of customer 471920, verified, with the question open whether to block the card. */
async function aboutToBlock(options: { timeoutMs?: number; ledger?: MemoryLedger } = {}): Promise<CallAtTheDesk> {
  const call = new CallAtTheDesk(bank.url, { phone: '+15550100', timeoutMs: 3000, ...options });
  expect(questionOf(await call.ask('block_card', {}, ['2580'])).slot).toBe('confirmation');
  return call;
}

describe('a change is made once', () => {
  test('when the bank does it and the answer never comes: the repetition gets the answer', async () => {
    const call = await aboutToBlock();
    await bank.faults({ hang: 1, when: 'after' });
    expect(resultOf(await call.answer('yes'))).toMatchObject({ ok: true, code: 'posted' });
    expect(await bank.changes('card-blocked')).toHaveLength(1);
    expect(call.ledger.ofType('CARD_BLOCK')).toMatchObject([
      { outcome: 'POSTED', completion: { responseData: { attempts: 2 } } },
    ]);
  });

  test.each([
    ['the connection breaks off', { drop: 2 }],
    ['the bank fails after doing it', { failNext: 2, status: 500 }],
  ] as const)('when %s', async (_what, fault) => {
    const call = await aboutToBlock();
    await bank.faults({ ...fault, when: 'after' });
    expect(resultOf(await call.answer('yes')).code).toBe('posted');
    expect(await bank.changes('card-blocked')).toHaveLength(1);
  });

  test('when no answer ever comes: the caller is told so, and asking again finds out under the same key', async () => {
    const call = await aboutToBlock({ timeoutMs: 1500 });
    await bank.faults({ hang: true, when: 'after' });
    const unknown = resultOf(await call.answer('yes'));
    expect(unknown).toMatchObject({ ok: false, code: 'unknown-outcome' });
    expect(unknown.say).toMatch(/cannot tell you whether/);
    const [first] = call.ledger.ofType('CARD_BLOCK');
    expect(first?.outcome).toBe('UNKNOWN');

    await bank.faults({});
    // Asked again, it is read back again, and the bank recognises it.
    expect(resultOf(await call.ask('block_card', {}, ['yes']))).toMatchObject({ ok: true, code: 'posted' });
    const changes = await bank.changes('card-blocked');
    expect(changes).toMatchObject([{ idempotencyKey: first?.idempotencyKey }]);
    expect(call.ledger.ofType('CARD_BLOCK')[1]).toMatchObject({
      outcome: 'POSTED',
      queryParameters: { repeats: first?.idempotencyKey },
    });
  });

  test('when it is carried out late, after the caller was told that it is not known', async () => {
    const call = await aboutToBlock({ timeoutMs: 1000 });
    await bank.faults({ delayMs: 1500 });
    expect(resultOf(await call.answer('yes')).code).toBe('unknown-outcome');
    await bank.faults({});
    expect(resultOf(await call.ask('block_card', {}, ['yes'])).code).toBe('posted');
    await delay(1500);
    expect(await bank.changes('card-blocked')).toHaveLength(1);
  });

  test('when the same id asks twice, whether it waits, works or is done', async () => {
    const call = await aboutToBlock();
    const waiting = await call.desk.request(call.lastId, 'block_card', {});
    expect(questionOf(waiting).slot).toBe('confirmation');
    await bank.faults({ delayMs: 100 });
    const answered = call.answer('yes');
    await expect(call.desk.answer(call.lastId, 'yes')).rejects.toMatchObject({ code: 'no-open-question' });
    const meanwhile = call.desk.request(call.lastId, 'block_card', {});
    expect(await meanwhile).toEqual(await answered);
    expect(await call.desk.request(call.lastId, 'block_card', {})).toEqual(await answered);
    expect(call.ledger.ofType('CARD_BLOCK')).toHaveLength(1);
  });

  test('when another id asks for the same, whether in the same words or not', async () => {
    const call = await aboutToBlock();
    const first = call.lastId;
    const twin = await call.desk.request('twin', 'block_card', {});
    expect(questionOf(twin)).toEqual(questionOf(await call.desk.request(first, 'block_card', {})));
    const sameCard = await call.desk.request('same-card', 'block_card', { card_kind: 'credit' });
    expect(questionOf(sameCard).slot).toBe('confirmation');
    const result = await call.desk.answer('twin', 'yes');
    expect(resultOf(result).code).toBe('posted');
    expect(await call.desk.request('later', 'block_card', { card_kind: 'credit' })).toEqual(result);
    expect(await call.desk.request(first, 'block_card', {})).toEqual(result);
    expect(call.ledger.ofType('CARD_BLOCK')).toHaveLength(1);
  });

  test('and is not stopped by withdrawing it or by the end of the call once it has started', async () => {
    const call = await aboutToBlock();
    await bank.faults({ delayMs: 150 });
    const answered = call.answer('yes');
    await delay(50);
    await call.withdraw();
    await call.desk.close();
    expect(call.ledger.ofType('CARD_BLOCK')[0]?.outcome).toBe('POSTED');
    expect(resultOf(await answered).code).toBe('posted');
    expect(resultOf(await call.ask('account_balance')).code).toBe('call-ended');
  });

  test('and not at all when the bank cannot be reached', async () => {
    const doomed = await BankProcess.start();
    const call = new CallAtTheDesk(doomed.url, { phone: '+15550100', timeoutMs: 2000 });
    await call.ask('block_card', {}, ['2580']);
    await doomed.stop();
    const result = resultOf(await call.answer('yes'));
    expect(result.code).toBe('bank-unavailable');
    expect(call.ledger.ofType('CARD_BLOCK')).toMatchObject([{ outcome: 'FAILED' }]);
  });
});

type Move =
  | { do: 'request'; id: number; topic: string | undefined }
  | { do: 'block'; id: number; kind: 'credit' | undefined }
  | { do: 'answer'; id: number; value: 'yes' | 'no' }
  | { do: 'withdraw'; id: number }
  | { do: 'fault'; fault: Partial<FaultSettings> }
  | { do: 'ledger'; away: boolean }
  | { do: 'wait'; ms: number };

const id = fc.integer({ min: 0, max: 4 });
const when = fc.constantFrom('before' as const, 'after' as const);
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('request' as const), id, topic: fc.constantFrom(undefined, 'a loan') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('block' as const),
      id,
      kind: fc.constantFrom(undefined, 'credit' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      id,
      value: fc.constantFrom('yes' as const, 'yes' as const, 'no' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('withdraw' as const), id }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      fault: fc.oneof(
        fc.record({ hang: fc.integer({ min: 1, max: 3 }), when }),
        fc.record({ drop: fc.integer({ min: 1, max: 3 }), when }),
        fc.record({ failNext: fc.integer({ min: 1, max: 4 }), when, status: fc.constantFrom(500, 503) }),
        // A 429 says that nothing was done (RFC 6585, section 4): never behind what was.
        fc.record({
          failNext: fc.integer({ min: 1, max: 4 }),
          when: fc.constant('before' as const),
          status: fc.constant(429),
        }),
        fc.record({ delayMs: fc.constantFrom(20, 80, 200), when }),
        fc.constant({}),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ledger' as const), away: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 10, 60) }) },
);

test('whatever is asked, answered, withdrawn and broken in whatever order: nothing twice, and every change has its row before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 18 }), async (moves) => {
      await bank.reset();
      const ledger = new MemoryLedger();
      ledger.commitMs = 2;
      const call = new CallAtTheDesk(bank.url, { phone: '+15550100', timeoutMs: 240, ledger });
      await call.ask('verify_customer', {}, ['2580']);
      const { desk } = call;
      const pending: Promise<unknown>[] = [];
      for (const one of moves) {
        if (one.do === 'request')
          pending.push(desk.request(`call-me-${one.id}`, 'speak_to_agent', { topic: one.topic }));
        else if (one.do === 'block')
          pending.push(desk.request(`block-${one.id}`, 'block_card', { card_kind: one.kind }));
        else if (one.do === 'answer') pending.push(desk.answer(`block-${one.id}`, one.value).catch(() => undefined));
        else if (one.do === 'withdraw') pending.push(desk.withdraw(`block-${one.id}`));
        else if (one.do === 'fault') await bank.faults(one.fault);
        else if (one.do === 'ledger') ledger.databaseAway = one.away;
        else await delay(one.ms);
      }
      await desk.close();
      await Promise.all(pending);
      // What the bank was slow with arrives now.
      await delay(220);

      const journal = await bank.journal();
      const callbacks = journal.filter((entry) => entry.kind === 'callback-requested');
      // One for each topic, however often it was asked for.
      const topics = new Set(moves.flatMap((one) => (one.do === 'request' ? [one.topic] : [])));
      expect(callbacks.length).toBeLessThanOrEqual(topics.size);
      expect(new Set(callbacks.map((entry) => entry.idempotencyKey)).size).toBe(callbacks.length);
      expect(journal.filter((entry) => entry.kind === 'card-blocked').length).toBeLessThanOrEqual(1);
      for (const entry of journal) {
        if (entry.kind === 'customer-locked') continue;
        const row = ledger.rows.find((one) => one.idempotencyKey === entry.idempotencyKey);
        expect(row, `a row for ${entry.kind}`).toBeDefined();
        expect(row!.begunAt).toBeLessThanOrEqual(entry.monotonicMs);
      }
      expect(ledger.breaches).toEqual([]);
      for (const row of ledger.rows) {
        expect(row.outcome, row.transactionType).not.toBe('PENDING');
        if (row.kind !== 'change' && row.transactionType !== 'AGENT_CALLBACK') continue;
        const done = journal.some(
          (entry) => entry.idempotencyKey === (row.queryParameters.repeats ?? row.idempotencyKey),
        );
        // What the ledger says about a change is so at the bank; only UNKNOWN may be either.
        if (row.outcome === 'POSTED') expect(done, `${row.transactionType} POSTED`).toBe(true);
        if (row.outcome === 'FAILED' && row.queryParameters.repeats === undefined) {
          expect(done, `${row.transactionType} FAILED`).toBe(false);
        }
      }
    }),
    { numRuns: 25 },
  );
});
