import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Ahead } from '../../src/banking/ahead.ts';
import type { BankAnswer } from '../../src/banking/bank-call.ts';
import { loadActions } from '../../src/banking/load-actions.ts';
import { ManualTime } from '../support/manual-time.ts';
import { BankProcess } from './bank-process.ts';
import { CallAtTheDesk, resultOf } from './caller.ts';

let bank: BankProcess;
beforeAll(async () => {
  bank = await BankProcess.start();
});
afterAll(() => bank.stop());
beforeEach(() => bank.reset());

const verified = async (phone = '+15550142') => {
  const call = new CallAtTheDesk(bank.url, { phone });
  expect(resultOf(await call.ask('account_balance', {}, [phone === '+15550142' ? '1397' : '2580'])).ok).toBe(true);
  return call;
};
const eventsOf = (call: CallAtTheDesk) =>
  call.events.map(({ type, data }) => [type, data.fetchedAhead ?? data.answers]);

describe('a read that the caller is about to ask for', () => {
  test.each([
    ['account_balance', 'BALANCE_CHECK'],
    ['card_delivery_status', 'CARD_INQUIRY'],
  ])('%s is fetched ahead and used, with a row for the use alone', async (action, type) => {
    const call = await verified();
    const rows = call.ledger.rows.length;
    expect(await call.desk.foresee(action, {})).toMatch(/^Your? /);
    expect(call.ledger.rows).toHaveLength(rows);
    // Whatever is asked of the bank from here on fails.
    await bank.faults({ failNext: 100, status: 500 });
    expect(resultOf(await call.ask(action)).code).toBe('posted');
    expect(call.ledger.rows.at(-1)).toMatchObject({ transactionType: type, outcome: 'POSTED' });
    expect(eventsOf(call).at(-1)).toEqual(['bank-call', true]);
  });

  test('is thrown away when the caller goes on', async () => {
    const call = await verified();
    await call.desk.foresee('account_balance', {});
    call.desk.forget();
    expect(eventsOf(call).at(-1)).toEqual(['fetched-for-nothing', 1]);
    await bank.faults({ failNext: 100, status: 500 });
    expect(resultOf(await call.ask('account_balance')).code).toBe('bank-unavailable');
  });

  test('is asked for anew when the bank failed to give it ahead, or when other things are asked for', async () => {
    const call = await verified('+15550100');
    await bank.faults({ failNext: 2, status: 500 });
    await call.desk.foresee('account_balance', {});
    expect(resultOf(await call.ask('account_balance')).code).toBe('posted');
    call.desk.foresee('account_balance', {});
    expect(resultOf(await call.ask('account_balance', { account: 'savings' })).say).not.toContain('current');
  });
});

describe('nothing is fetched ahead', () => {
  const nothing = (call: CallAtTheDesk) => {
    const events = call.events.length;
    call.desk.forget();
    expect(call.events).toHaveLength(events);
  };

  test('for a caller who is not verified', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    await call.desk.foresee('account_balance', {});
    expect(call.ledger.rows).toEqual([]);
    nothing(call);
  });

  test('for an action that changes something, unknown actions, wrong arguments and a call that is over', async () => {
    const call = await verified();
    call.desk.foresee('block_card', {});
    call.desk.foresee('speak_to_agent', {});
    call.desk.foresee('no_such_action', {});
    call.desk.foresee('last_transactions', { count: 'many' });
    await call.desk.close();
    await call.desk.foresee('account_balance', {});
    nothing(call);
    expect((await bank.journal()).map(({ kind }) => kind)).toEqual(['pin-accepted']);
  });

  test('for an action whose declaration forbids it', async () => {
    const declared = loadActions('src/banking/actions/demo-bank.yaml');
    const actions = declared.actions.map((one) => ({ ...one, policy: { ...one.policy, ahead: false } }));
    const call = new CallAtTheDesk(bank.url, { phone: '+15550142', catalogue: { ...declared, actions } });
    await call.ask('account_balance', {}, ['1397']);
    call.desk.foresee('account_balance', {});
    nothing(call);
  });
});

describe('what was fetched ahead', () => {
  const request = (path: string) => ({ method: 'GET' as const, path, query: {}, body: undefined });
  const reply: BankAnswer = { kind: 'reply', status: 200, data: {}, uncertain: false, attempts: 1 };

  test('is used once, while it is fresh, and is bounded', async () => {
    const time = new ManualTime();
    const ahead = new Ahead(time);
    let calls = 0;
    const call = async () => {
      calls++;
      return reply;
    };
    await Promise.all([ahead.fetch(request('/a'), call), ahead.fetch(request('/a'), call)]);
    expect(calls).toBe(1);
    expect(await ahead.take(request('/a'))).toBe(reply);
    expect(await ahead.take(request('/a'))).toBeUndefined();
    await ahead.fetch(request('/a'), call);
    await time.pass(10_000);
    expect(await ahead.take(request('/a'))).toBeUndefined();
    for (let i = 0; i < 50; i++) await ahead.fetch(request(`/${i}`), call);
    expect(ahead.drop()).toBeLessThan(10);
  });
});
