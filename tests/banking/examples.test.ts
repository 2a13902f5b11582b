import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import { RequestReader } from '../../src/dialogue/requests/request-reader.ts';
import { sentencesOf } from '../../src/sentences/expand.ts';
import { slotsFromSchema } from '../../src/sentences/slots.ts';
import { parseTemplate } from '../../src/sentences/template.ts';

const actions = actionsOf(
  loadActions(fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url))),
);
const reader = new RequestReader(actions);

/** What the scripted dialogue takes the words for. */
function understood(text: string): string {
  const reading = reader.read(text);
  if (reading.kind !== 'requests') return reading.kind;
  return reading.requests.map(({ name, arguments: args }) => [name, ...Object.values(args)].join(' ')).join(' + ');
}

test.each(actions.map((action) => [action.name, action] as const))(
  'every sentence of %s is taken for it',
  (name, action) => {
    const slots = slotsFromSchema(action.parameters);
    for (const example of action.examples) {
      for (const { text } of [...sentencesOf(parseTemplate(example), slots)].filter((_one, index) => index % 7 === 0)) {
        expect(understood(text).split(' ')[0], text).toBe(name);
      }
    }
  },
);

describe('what callers say in words of their own', () => {
  test.each([
    ["hi, where's my new credit card?", 'card_delivery_status credit'],
    ['I ordered a card two weeks ago and it still has not arrived', 'card_delivery_status'],
    ['when will my debit card be here', 'card_delivery_status debit'],
    ['could you please tell me what my account balance is', 'account_balance'],
    ['how much money is in my savings account', 'account_balance savings'],
    ["what's my checking balance", 'account_balance current'],
    ['what were my last five transactions', 'last_transactions 5'],
    ['read me the latest payments please', 'last_transactions'],
    ['I lost my credit card', 'block_card credit'],
    ['my card was stolen yesterday, please block it', 'block_card'],
    ['I need to cancel my debit card', 'block_card debit'],
    ['let me talk to a human please', 'speak_to_agent'],
    ['I want to speak to an agent', 'speak_to_agent'],
    ['please call me back', 'request_callback'],
    ["I don't want to wait, could somebody call me back please", 'request_callback'],
    ['my customer number is four seven one nine two zero', 'verify_customer 471920'],
  ])('%s', (said, expected) => {
    expect(understood(said)).toBe(expected);
  });
});
