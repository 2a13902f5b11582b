import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HttpBankClient } from '../../src/banking/bank-client.ts';
import { silentLogger } from '../../src/core/log.ts';
import { MemoryLedger } from '../support/memory-ledger.ts';
import { API_KEY, BankProcess } from './bank-process.ts';
import { CallAtTheDesk, questionOf, resultOf } from './caller.ts';

let bank: BankProcess;
beforeAll(async () => {
  bank = await BankProcess.start();
});
afterAll(() => bank.stop());
beforeEach(() => bank.reset());

describe('while the ledger cannot be written', () => {
  test('customers are still verified and informed; the rows wait in the spool', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    call.ledger.databaseAway = true;
    expect(resultOf(await call.ask('account_balance', {}, ['2580'])).ok).toBe(true);
    expect(call.ledger.rows.map((row) => row.place)).toEqual(['spool', 'spool', 'spool']);
  });

  test('changes are refused aloud and a person is offered; nothing reaches the bank', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    await call.ask('block_card', {}, ['2580']);
    call.ledger.databaseAway = true;
    const result = resultOf(await call.answer('yes'));
    expect(result).toMatchObject({ ok: false, code: 'ledger-unavailable' });
    expect(result.say).toMatch(/nothing was done.*agent/);
    expect(await bank.changes('card-blocked')).toHaveLength(0);
    // The person can be asked for, and once the ledger is back so can the change.
    expect(resultOf(await call.ask('speak_to_agent')).ok).toBe(true);
    call.ledger.databaseAway = false;
    expect(resultOf(await call.ask('block_card', {}, ['yes'])).ok).toBe(true);
  });

  test('and nothing can be spooled either, the bank is not called at all', async () => {
    const call = new CallAtTheDesk(bank.url);
    call.ledger.databaseAway = true;
    call.ledger.spoolAway = true;
    const step = await call.ask('account_balance', {}, ['471920', '2580']);
    expect(resultOf(step).code).toBe('ledger-unavailable');
    expect(await bank.journal()).toEqual([]);
  });

  test('a row that is there already means that the bank is not called again', async () => {
    const ledger = new MemoryLedger();
    const sessionId = crypto.randomUUID();
    const before = new CallAtTheDesk(bank.url, { phone: '+15550100', ledger, sessionId });
    expect(resultOf(await before.ask('speak_to_agent')).ok).toBe(true);
    // As after a restart of the process in the middle of the call.
    const after = new CallAtTheDesk(bank.url, { phone: '+15550100', ledger, sessionId });
    expect(resultOf(await after.ask('speak_to_agent')).code).toBe('unknown-outcome');
    expect(await bank.changes('callback-requested')).toHaveLength(1);
  });
});

describe('when the bank is in trouble', () => {
  test('a read is tried once more, without the caller noticing', async () => {
    const call = new CallAtTheDesk(bank.url);
    await call.ask('verify_customer', {}, ['471920', '2580']);
    await bank.faults({ failNext: 1 });
    expect(resultOf(await call.ask('account_balance')).ok).toBe(true);
    await bank.faults({ drop: 1 });
    expect(resultOf(await call.ask('account_balance')).ok).toBe(true);
    await bank.faults({ failNext: 2 });
    const result = resultOf(await call.ask('account_balance'));
    expect(result).toMatchObject({ ok: false, code: 'bank-unavailable' });
    expect(result.say).toMatch(/cannot reach the bank/);
    expect(call.ledger.ofType('BALANCE_CHECK').map((row) => row.outcome)).toEqual(['POSTED', 'POSTED', 'FAILED']);
  });

  test('a bank that does not answer costs the caller no more than the time allowed', async () => {
    const call = new CallAtTheDesk(bank.url, { timeoutMs: 1000 });
    await call.ask('verify_customer', {}, ['471920', '2580']);
    await bank.faults({ hang: true });
    const before = performance.now();
    expect(resultOf(await call.ask('account_balance')).code).toBe('bank-unavailable');
    const took = performance.now() - before;
    expect(took).toBeGreaterThan(900);
    expect(took).toBeLessThan(10_000);
  });

  test('a PIN that could not be checked is no wrong PIN', async () => {
    const call = new CallAtTheDesk(bank.url, { timeoutMs: 1500 });
    await call.ask('account_balance', {}, ['471920']);
    await bank.faults({ failNext: 9 });
    expect(resultOf(await call.answer('2580')).code).toBe('bank-unavailable');
    await bank.faults({});
    expect(questionOf(await call.ask('account_balance')).slot).toBe('pin');
    expect(resultOf(await call.answer('2580')).ok).toBe(true);
    expect(call.ledger.ofType('VERIFY').map((row) => row.outcome)).toEqual(['UNKNOWN', 'POSTED']);
  });

  test('a wrong PIN whose answer got lost counts once at the bank', async () => {
    const call = new CallAtTheDesk(bank.url, { timeoutMs: 3000 });
    await call.ask('account_balance', {}, ['471920']);
    await bank.faults({ drop: 2, when: 'after' });
    expect(questionOf(await call.answer('1111')).slot).toBe('customer_number');
    expect(await bank.changes('pin-refused')).toHaveLength(1);
  });

  test('a refused API key is not blamed on the caller', async () => {
    const other = await BankProcess.start(['--api-key', 'another key']);
    try {
      const call = new CallAtTheDesk(other.url);
      expect(resultOf(await call.ask('account_balance', {}, ['471920', '2580'])).code).toBe('bank-refused');
      expect(questionOf(await call.ask('account_balance')).slot).toBe('pin');
    } finally {
      await other.stop();
    }
  });

  test('a caller who cannot be looked up is asked for the number', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    await bank.faults({ failNext: 2 });
    expect(questionOf(await call.ask('account_balance')).slot).toBe('customer_number');
  });

  test('its state is known without a call', async () => {
    const client = new HttpBankClient({ baseUrl: bank.url, apiKey: API_KEY, log: silentLogger });
    expect(await client.health()).toEqual({ ok: true });
    const gone = await BankProcess.start();
    const nobody = new HttpBankClient({ baseUrl: gone.url, apiKey: API_KEY, log: silentLogger });
    await gone.stop();
    expect(await nobody.health()).toMatchObject({ ok: false, detail: expect.stringMatching(/cannot be reached/) });
  });
});

describe('two requests at once', () => {
  test('are verified by one PIN', async () => {
    const { desk, ledger } = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const steps = await Promise.all([
      desk.request('a', 'account_balance', {}),
      desk.request('b', 'last_transactions', {}),
    ]);
    expect(steps.map((step) => questionOf(step).slot)).toEqual(['pin', 'pin']);
    expect(resultOf(await desk.answer('a', '2580')).ok).toBe(true);
    // The other one goes on when it is asked after again.
    expect(resultOf(await desk.request('b', 'last_transactions', {})).ok).toBe(true);
    expect(ledger.ofType('VERIFY')).toHaveLength(1);
    expect(ledger.ofType('CUSTOMER_LOOKUP')).toHaveLength(1);
  });

  test('answered with two PINs at once are one attempt', async () => {
    const { desk, ledger } = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    await Promise.all([desk.request('a', 'account_balance', {}), desk.request('b', 'last_transactions', {})]);
    const steps = await Promise.all([desk.answer('a', '1111'), desk.answer('b', '1111')]);
    expect(steps.map((step) => questionOf(step).slot)).toEqual(['customer_number', 'customer_number']);
    expect(ledger.ofType('VERIFY')).toHaveLength(1);
  });
});

test('a request that is withdrawn while the bank is asked for something on the way goes no further', async () => {
  const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
  await call.ask('block_card');
  await bank.faults({ delayMs: 100 });
  const checked = call.answer('2580');
  await call.withdraw();
  expect(resultOf(await checked).code).toBe('cancelled');
  // The PIN was right all the same.
  expect(call.desk.customer?.verified).toBe(true);
  expect(call.ledger.ofType('CARD_LIST')).toHaveLength(0);
});
