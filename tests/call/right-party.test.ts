import { describe, expect, it } from 'vitest';
import { RIGHT_PARTY, RightPartyDesk, type RightPartyOptions } from '../../src/call/orders/right-party-desk.ts';
import type { ActionDesk, ActionStep } from '../../src/dialogue/questions/action-desk.ts';

const PIN: ActionStep = {
  kind: 'ask',
  question: {
    slot: 'pin',
    expects: { kind: 'digits', length: 4 },
    secret: true,
    prompt: 'Your PIN, please.',
    reprompt: 'The PIN?',
    mustBeHeard: false,
  },
};
const done = (ok: boolean, code: string): ActionStep => ({ kind: 'done', result: { ok, code, data: {}, say: code } });

/** A desk that verifies whoever says 1234. */
class PinDesk implements ActionDesk {
  readonly actions = [];
  readonly customer = undefined;
  readonly asked: [string, Record<string, unknown>][] = [];
  withdrawn = 0;
  async request(_id: string, name: string, args: Record<string, unknown>): Promise<ActionStep> {
    this.asked.push([name, args]);
    return PIN;
  }
  async answer(_id: string, value: string): Promise<ActionStep> {
    return value === '1234' ? done(true, 'verified') : done(false, 'not-verified');
  }
  async withdraw(): Promise<void> {
    this.withdrawn++;
  }
  async foresee(): Promise<undefined> {}
  forget(): void {}
  async close(): Promise<void> {}
}

function call(change: Partial<RightPartyOptions> = {}) {
  const desk = new PinDesk();
  const wrong: string[] = [];
  const party = new RightPartyDesk({
    desk,
    greeting: 'Hello, this is the bank.',
    question: 'Am I speaking with Anna?',
    verify: { action: 'verify_customer', arguments: { customer_number: '471920' } },
    purpose: 'Your loan is agreed.',
    onWrongParty: () => wrong.push('wrong'),
    onNotVerified: () => wrong.push('not verified'),
    onEvent: () => undefined,
    ...change,
  });
  const begin = () => party.request(RIGHT_PARTY.id, RIGHT_PARTY.name, {});
  const answer = (value: string) => party.answer(RIGHT_PARTY.id, value);
  return { desk, party, wrong, begin, answer };
}

const toldIn = (steps: readonly ActionStep[]) => JSON.stringify(steps).includes('loan');

describe('what a call is about', () => {
  it('is told to the customer alone: asked who they are, and verified, of the number the order names', async () => {
    const { begin, answer, desk } = call();
    const first = await begin();
    expect(first).toMatchObject({
      kind: 'ask',
      question: { prompt: 'Hello, this is the bank. Am I speaking with Anna?' },
    });
    // Asked for again, as the dialogue does after an interruption, it is the same question.
    expect(await begin()).toEqual(first);
    const second = await answer('yes');
    expect(second).toEqual(PIN);
    expect(desk.asked).toEqual([['verify_customer', { customer_number: '471920' }]]);
    expect(toldIn([first, second])).toBe(false);
    expect(await answer('1234')).toMatchObject({
      kind: 'done',
      result: { ok: true, say: 'Your loan is agreed.', mustBeHeard: true },
    });
  });

  it('is not told to who cannot be verified, and the call ends', async () => {
    const { begin, answer, wrong } = call();
    const steps = [await begin(), await answer('yes'), await answer('9999')];
    expect(steps[2]).toMatchObject({ kind: 'done', result: { ok: false, code: 'not-verified', say: '' } });
    expect(wrong).toEqual(['not verified']);
    expect(toldIn(steps)).toBe(false);
    await expect(answer('1234')).rejects.toMatchObject({ code: 'no-open-question' });
  });

  it('is not told to somebody else, and nobody asks them for a PIN', async () => {
    const { begin, answer, desk, wrong } = call();
    const steps = [await begin(), await answer('no')];
    await Promise.resolve();
    expect(wrong).toEqual(['wrong']);
    expect(toldIn(steps)).toBe(false);
    expect(desk.asked).toEqual([]);
  });

  it('is not told to who will not answer', async () => {
    const { begin, answer, party, desk } = call();
    await begin();
    await answer('yes');
    await party.withdraw(RIGHT_PARTY.id);
    expect(desk.withdrawn).toBe(1);
    await expect(answer('1234')).rejects.toMatchObject({ code: 'no-open-question' });
  });

  it('is told at once where the bot asks nobody who they are', async () => {
    const { begin } = call({ question: undefined, verify: undefined });
    expect(await begin()).toMatchObject({
      kind: 'done',
      result: { say: 'Hello, this is the bank. Your loan is agreed.' },
    });
  });

  it('waits for the PIN behind the greeting where the bot asks for nothing else', async () => {
    const { begin } = call({ question: undefined });
    expect(await begin()).toMatchObject({
      kind: 'ask',
      question: { prompt: 'Hello, this is the bank. Your PIN, please.' },
    });
  });
});
