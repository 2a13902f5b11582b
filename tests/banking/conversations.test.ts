import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { BankProcess } from './bank-process.ts';
import { CallAtTheDesk, questionOf, resultOf } from './caller.ts';

const FILE = 'src/banking/actions/demo-bank.yaml';

let bank: BankProcess;
beforeAll(async () => {
  bank = await BankProcess.start();
});
afterAll(() => bank.stop());
beforeEach(() => bank.reset());

describe('a customer who calls from home', () => {
  test('is asked for the PIN alone and hears where the new card is', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const pin = questionOf(await call.ask('card_delivery_status'));
    expect(pin).toMatchObject({ slot: 'pin', secret: true, expects: { kind: 'digits', length: 4 } });
    expect(call.desk.customer).toEqual({ customerId: '471920', verified: false });

    const result = resultOf(await call.answer('2580'));
    expect(result).toMatchObject({
      ok: true,
      code: 'posted',
      data: { tracking_number: '12345', delivery_status: 'shipped' },
    });
    expect(result.say).toMatch(/credit card was shipped yesterday with Parcel Express/);
    expect(result.say).toMatch(/tracking number is one two three four five/);
    expect(call.desk.customer).toEqual({ customerId: '471920', verified: true });
    expect(call.ledger.rows.map((row) => [row.transactionType, row.authenticationStatus, row.outcome])).toEqual([
      ['CUSTOMER_LOOKUP', 'PENDING', 'POSTED'],
      ['VERIFY', 'PENDING', 'POSTED'],
      ['CARD_LIST', 'VERIFIED', 'POSTED'],
      ['CARD_INQUIRY', 'VERIFIED', 'POSTED'],
    ]);
    expect(call.ledger.ofType('VERIFY')[0]?.completion).toMatchObject({
      authenticationStatus: 'VERIFIED',
      customerId: '471920',
    });
  });

  test('is verified once for the whole call', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const first = resultOf(await call.ask('account_balance', {}, ['2580']));
    expect(first.say).toBe(
      'You have one thousand two hundred four dollars and fifty cents in your current account and ' +
        'eight thousand three hundred ten dollars in your savings account.',
    );
    const second = resultOf(await call.ask('account_balance', { account: 'savings' }));
    expect(second.say).toBe('You have eight thousand three hundred ten dollars in your savings account.');
    expect(resultOf(await call.ask('verify_customer')).say).toMatch(/Alex Morgan.*verified/);
    expect(call.ledger.ofType('VERIFY')).toHaveLength(1);
  });

  test('who is somebody else gives another customer number instead of the PIN', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    await call.ask('card_delivery_status');
    expect(questionOf(await call.answer('830465')).slot).toBe('pin');
    expect(resultOf(await call.answer('1397')).say).toMatch(/debit card is still in production/);
    expect(call.desk.customer).toEqual({ customerId: '830465', verified: true });
  });

  test('who is somebody else can say so with the request', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const step = await call.ask('verify_customer', { customer_number: '830465' }, ['1397']);
    expect(resultOf(step).say).toMatch(/Jordan Lee/);
    expect(call.ledger.ofType('CUSTOMER_LOOKUP')).toHaveLength(0);
    // Verified is verified: another customer needs another call.
    expect(resultOf(await call.ask('verify_customer', { customer_number: '471920' })).code).toBe('not-verified');
  });
});

describe('a customer who calls from elsewhere', () => {
  test.each([undefined, '+4930123456'])('is asked for number and PIN (%s)', async (phone) => {
    const call = new CallAtTheDesk(bank.url, { phone });
    expect(questionOf(await call.ask('card_delivery_status'))).toMatchObject({
      slot: 'customer_number',
      secret: false,
    });
    expect(questionOf(await call.answer('830465')).slot).toBe('pin');
    expect(resultOf(await call.answer('1397')).data).toMatchObject({ delivery_status: 'in-production' });
  });

  test('hears that the card is blocked', async () => {
    const call = new CallAtTheDesk(bank.url);
    const result = resultOf(await call.ask('card_delivery_status', {}, ['205118', '6042']));
    expect(result.say).toMatch(/debit card ending in eight two one zero is blocked/);
  });

  test('hears the last three transactions, or as many as asked for', async () => {
    const call = new CallAtTheDesk(bank.url);
    const three = resultOf(await call.ask('last_transactions', {}, ['471920', '2580']));
    expect(three.data.transactions).toHaveLength(3);
    expect(three.say).toMatch(/fifty four dollars and twenty cents to Green Market yesterday/);
    const one = resultOf(await call.ask('last_transactions', { count: '1' }));
    expect(one.data.transactions).toHaveLength(1);
    expect(resultOf(await call.ask('last_transactions', { count: 11 }))).toMatchObject({
      ok: false,
      code: 'invalid-arguments',
    });
  });

  test('is asked again in other words when an answer makes no sense', async () => {
    const call = new CallAtTheDesk(bank.url);
    await call.ask('account_balance');
    expect(questionOf(await call.answer('12')).prompt).toMatch(/six digits/);
    expect(questionOf(await call.answer('471920')).slot).toBe('pin');
    expect(questionOf(await call.answer('99')).prompt).toMatch(/four digits/);
    expect(resultOf(await call.answer('2580')).ok).toBe(true);
  });
});

describe('wrong PINs', () => {
  test('after one, number and PIN are asked for again', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const again = questionOf(await call.ask('account_balance', {}, ['1111']));
    expect(again.slot).toBe('customer_number');
    expect(again.prompt).toMatch(/did not match/);
    await call.answer('471920');
    expect(resultOf(await call.answer('2580')).ok).toBe(true);
    expect(call.ledger.ofType('VERIFY').map((row) => row.completion?.authenticationStatus)).toEqual([
      'FAILED',
      'VERIFIED',
    ]);
  });

  test('after three, nothing more is tried in this call', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const step = await call.ask('account_balance', {}, ['1111', '471920', '2222', '830465', '3333']);
    expect(resultOf(step)).toMatchObject({ ok: false, code: 'not-verified' });
    expect(resultOf(await call.ask('card_delivery_status')).code).toBe('not-verified');
    expect(resultOf(await call.ask('verify_customer', { customer_number: '471920' })).code).toBe('not-verified');
    expect(await bank.changes('pin-refused')).toHaveLength(3);
    expect(call.desk.customer?.verified ?? false).toBe(false);
    // Someone who cannot be verified can still have a person call back.
    expect(resultOf(await call.ask('speak_to_agent')).ok).toBe(true);
    expect(call.ledger.ofType('AGENT_CALLBACK')[0]).toMatchObject({
      authenticationStatus: 'FAILED',
      customerId: undefined,
    });
  });

  test('for one customer lock that customer at the bank, in other calls too', async () => {
    const call = new CallAtTheDesk(bank.url);
    const step = await call.ask('account_balance', {}, ['471920', '1111', '471920', '2222', '471920', '3333']);
    expect(resultOf(step).say).toMatch(/locked for a while/);
    const other = new CallAtTheDesk(bank.url);
    expect(resultOf(await other.ask('account_balance', {}, ['471920', '2580'])).say).toMatch(/locked for a while/);
    expect(other.ledger.ofType('VERIFY')[0]?.completion?.authenticationStatus).toBe('FAILED');
  });
});

describe('blocking a card', () => {
  test('is read back, must be heard and confirmed, and is done once', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const confirm = questionOf(await call.ask('block_card', {}, ['2580']));
    expect(confirm).toMatchObject({
      slot: 'confirmation',
      expects: { kind: 'yes-no' },
      mustBeHeard: true,
      secret: false,
    });
    expect(confirm.prompt).toMatch(/block your credit card ending in three one eight four/);
    expect(await bank.changes('card-blocked')).toHaveLength(0);
    expect(call.ledger.ofType('CARD_BLOCK')).toHaveLength(0);

    const result = resultOf(await call.answer('yes'));
    expect(result.say).toBe(
      'Done. Your credit card ending in three one eight four is blocked. Nobody can use it any more.',
    );
    const [row] = call.ledger.ofType('CARD_BLOCK');
    const [change] = await bank.changes('card-blocked');
    expect(row).toMatchObject({ kind: 'change', outcome: 'POSTED', queryParameters: { card_id: 'card-471920-1' } });
    expect(change).toMatchObject({
      idempotencyKey: row?.idempotencyKey,
      correlationId: 'corr-1',
      card: 'card-471920-1',
    });
    expect(row?.begunAt).toBeLessThan(change?.monotonicMs ?? 0);
  });

  test('is left when the caller says no, or does not want to answer', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    expect(resultOf(await call.ask('block_card', {}, ['2580', 'no']))).toMatchObject({ ok: false, code: 'cancelled' });
    expect(questionOf(await call.ask('block_card')).slot).toBe('confirmation');
    await call.withdraw();
    await expect(call.answer('yes')).rejects.toMatchObject({ code: 'no-open-question' });
    expect(await bank.changes('card-blocked')).toHaveLength(0);
    expect(call.ledger.ofType('CARD_BLOCK')).toHaveLength(0);
    // And it may be wanted after all.
    expect(resultOf(await call.ask('block_card', {}, ['yes'])).ok).toBe(true);
  });

  test('asks which one of several, by names that tell them apart', async () => {
    const call = new CallAtTheDesk(bank.url);
    const which = questionOf(await call.ask('block_card', {}, ['318274', '7719']));
    expect(which.prompt).toBe(
      'You have a credit card ending in one one one one and a debit card ending in four four four four. Which one shall I block?',
    );
    const options = which.expects.kind === 'choice' ? which.expects.options : [];
    const debit = options.find((option) => option.phrases.includes('debit card'));
    expect(questionOf(await call.answer('no such card')).slot).toBe('card');
    const confirm = questionOf(await call.answer(debit?.value ?? ''));
    expect(confirm.prompt).toMatch(/your debit card ending in four four four four/);
    expect(resultOf(await call.answer('yes')).ok).toBe(true);
    expect((await bank.changes('card-blocked')).map((entry) => entry.card)).toEqual(['card-318274-2']);
  });

  test('does not ask which one when the request says so', async () => {
    const call = new CallAtTheDesk(bank.url);
    const step = await call.ask('block_card', { card_kind: 'credit' }, ['318274', '7719']);
    expect(questionOf(step).slot).toBe('confirmation');
    const none = await new CallAtTheDesk(bank.url).ask('block_card', { card_kind: 'debit' }, ['471920', '2580']);
    expect(resultOf(none)).toMatchObject({ ok: false, code: 'no-card' });
  });

  test('of a blocked card says that it is blocked', async () => {
    const call = new CallAtTheDesk(bank.url);
    const result = resultOf(await call.ask('block_card', {}, ['205118', '6042', 'yes']));
    expect(result).toMatchObject({ ok: true, code: 'already-blocked' });
    expect(result.say).toMatch(/blocked already/);
    expect(call.ledger.ofType('CARD_BLOCK')[0]?.outcome).toBe('FAILED');
  });
});

describe('asking for a person', () => {
  test('needs no verification', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550100' });
    const result = resultOf(await call.ask('speak_to_agent', { topic: 'a mortgage' }));
    expect(result).toMatchObject({ ok: true, data: { reference: 'CB-1001' } });
    expect(result.say).toMatch(/call you back on this number within the next one hundred twenty minutes/);
    expect(await bank.changes('callback-requested')).toHaveLength(1);
  });

  test('without a number that could be called back is honest about it', async () => {
    const call = new CallAtTheDesk(bank.url);
    expect(resultOf(await call.ask('speak_to_agent'))).toMatchObject({ ok: false, code: 'no-callback-number' });
  });
});

test('what the desk does not know is refused without a call of the bank', async () => {
  const call = new CallAtTheDesk(bank.url);
  expect(resultOf(await call.ask('transfer_everything'))).toMatchObject({ ok: false, code: 'unknown-action' });
  expect(resultOf(await call.ask('block_card', { card_kind: 'golden' })).code).toBe('invalid-arguments');
  expect(call.ledger.rows).toHaveLength(0);
});

test('an outcome that is declared as a notice says so, for whoever reads it out', async () => {
  const declared = loadActions(FILE);
  const actions = declared.actions.map((action) => ({
    ...action,
    outcomes: action.outcomes.map((outcome) => ({ ...outcome, mustBeHeard: action.name === 'account_balance' })),
  }));
  const call = new CallAtTheDesk(bank.url, { phone: '+15550100', catalogue: { ...declared, actions } });
  expect(resultOf(await call.ask('account_balance', {}, ['2580'])).mustBeHeard).toBe(true);
  expect(resultOf(await call.ask('last_transactions')).mustBeHeard).toBeUndefined();
});
