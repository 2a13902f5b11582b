import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fixedWords } from '../../src/banking/fixed-words.ts';
import { loadActions } from '../../src/banking/load-actions.ts';

const words = fixedWords(
  loadActions(fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url))),
);

it('what the bank asks, refuses and tells as it stands can be spoken ahead of the first caller who hears it', () => {
  for (const said of [
    'I recognise your number. Please say or key in your four digit PIN.',
    'That did not match. Let us try once more. Please give me your six digit customer number.',
    'I am sorry, I could not verify you, so I cannot help you with that on this call. An agent can help you.',
    'I cannot find such a card under your customer number.',
    'There are no transactions on your accounts.',
    'That is done.',
  ])
    expect(words).toContain(said);
});

it('nothing is in it that is told of a customer, and nothing that is not said', () => {
  expect(words.filter((text) => /[{}]/.test(text))).toEqual([]);
  expect(words).not.toContain('customer_number');
  expect(words.every((text) => /[.?!]$/.test(text))).toBe(true);
});
