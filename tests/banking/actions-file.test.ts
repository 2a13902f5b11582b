import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadActions, parseActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';

const FILE = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));
const text = readFileSync(FILE, 'utf8');

/** What is said about the file after one change to it. */
function complaintAbout(from: string, to: string): string {
  expect(text).toContain(from);
  try {
    parseActions(text.replace(from, to), 'bank.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was found wrong');
}

/** The line of a piece of the changed file. */
function lineOf(from: string, to: string, piece: string): number {
  const changed = text.replace(from, to);
  return changed.slice(0, changed.indexOf(piece)).split('\n').length;
}

describe('the demo bank file', () => {
  test('declares the seven actions, each with varied examples', () => {
    const catalogue = loadActions(FILE);
    expect(catalogue.actions.map((action) => [action.name, action.transactionType])).toEqual([
      ['verify_customer', 'VERIFY'],
      ['card_delivery_status', 'CARD_INQUIRY'],
      ['account_balance', 'BALANCE_CHECK'],
      ['last_transactions', 'TRANSACTION_LIST'],
      ['block_card', 'CARD_BLOCK'],
      ['speak_to_agent', 'AGENT_CALLBACK'],
      ['request_callback', 'AGENT_CALLBACK'],
    ]);
    for (const action of catalogue.actions) {
      expect(action.examples.length).toBeGreaterThanOrEqual(6);
      expect(action.examples.length).toBeLessThanOrEqual(15);
    }
  });

  test('is what the dialogue sees, without the ways of the bank', () => {
    for (const action of actionsOf(loadActions(FILE))) {
      expect(Object.keys(action).sort()).toEqual([
        'description',
        'effect',
        'examples',
        'menu',
        'name',
        'parameters',
        'readBack',
      ]);
    }
  });
});

test('the file shown in docs/actions.md is a right one', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/actions.md', import.meta.url)), 'utf8');
  const shown = /```yaml\n(version[\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(parseActions(shown, 'docs').actions.map((action) => action.name)).toEqual(['branch_hours']);
});

describe('mistakes are named with file, line and column', () => {
  test.each([
    [
      'a form that does not fit',
      'effect: change',
      'effect: chnage',
      'effect: chnage',
      /actions\.4\.policy\.effect: Invalid option/,
    ],
    [
      'a key nobody knows',
      'maxAttempts: 3',
      'maxAttemps: 3',
      'maxAttemps',
      /verification\.maxAttemps: Unrecognized key/,
    ],
    ['an example that cannot be read', '"balance [please]"', '"balance [please"', '"balance [please"', /is not closed/],
    [
      'a slot that is no parameter',
      '"balance [please]"',
      '"balance of {purse}"',
      '"balance of {purse}"',
      /\{purse\} is no parameter/,
    ],
    [
      'a placeholder that leads nowhere',
      'query: { limit: "{args.count}" }',
      'query: { limit: "{args.number}" }',
      'query: { limit: "{args.number}"',
      /\{args\.number\} is not known/,
    ],
    [
      'words for data that is not there',
      '{last4|digits} was delivered',
      '{last5|digits} was delivered',
      '"Your {card_kind} card ending in {last5',
      /\{last5\} is neither in "result"/,
    ],
    [
      'a filter that is none',
      '{last4|digits} was delivered',
      '{last4|digit} was delivered',
      '"Your {card_kind} card ending in {last4|digit}',
      /there is no filter "digit"/,
    ],
    [
      'a filter that is none, in the words for each of a list',
      '{items|each:a {kind} card ending in {last4|digits}}. Which one shall I block',
      '{items|each:a {kind} card ending in {last4|digit}}. Which one shall I block',
      '"You have {items|each:a {kind} card ending in {last4|digit}',
      /choose\.prompt: there is no filter "digit"/,
    ],
    [
      'a brace that is not closed, in words for who says no',
      'declined: All right. Your card has not been blocked.',
      'declined: All right. Your {card.kind card has not been blocked.',
      'declined: All right. Your {card.kind card',
      /confirm\.declined: "\{" at column 17 .* is not closed/,
    ],
    [
      'a result from where there is none',
      'card_status: response.card.status',
      'card_status: respones.card.status',
      'card_status: respones',
      /"respones\.card\.status" is not known here/,
    ],
    [
      'phrases for a value that is none',
      'enum: [credit, debit]',
      'enum: [credit, debit]\n          x-phrases: { debet: [bank card] }',
      'debet',
      /"debet" is none of the values of "card_kind"/,
    ],
    [
      'a customer number that comes with no action',
      'argument: customer_number',
      'argument: client_number',
      'argument: client_number',
      /no action with effect "verify" has a parameter "client_number"/,
    ],
  ])('%s', (_what, from, to, piece, message) => {
    const complaint = complaintAbout(from, to);
    expect(complaint).toMatch(message);
    expect(complaint).toMatch(new RegExp(`^bank\\.yaml:${lineOf(from, to, piece)}:\\d+: `, 'm'));
  });

  test('YAML that cannot be read, at its very place', () => {
    expect(complaintAbout('version: 1', 'version: [1')).toMatch(/^bank\.yaml:\d+:\d+: /);
  });

  test('all of them at once', () => {
    const broken = text.replace('effect: change', 'effect: chnage').replace('maxAttempts: 3', 'maxAttempts: many');
    expect(() => parseActions(broken, 'bank.yaml')).toThrow(/verification\.maxAttempts[\s\S]*policy\.effect/);
  });

  test('a file that is not there', () => {
    expect(() => loadActions('/no/such/file.yaml')).toThrow(/\/no\/such\/file\.yaml: .*ENOENT|no such file/);
  });
});

describe('policies that contradict themselves are refused', () => {
  test.each([
    ['a change without a read-back', 'confirm: false', '', /a change needs "confirm"/],
    [
      'a look-up that posts',
      'method: GET, path: "/v1/customers/{customer.number}/cards"',
      'method: POST, path: "/v1/customers/{customer.number}/cards"',
      /looked up with GET/,
    ],
    [
      'a PIN in an address',
      '/v1/customers/{answers.customer_number}/verification',
      '/v1/customers/{answers.customer_number}/{answers.pin}',
      /the PIN belongs into the body/,
    ],
    [
      'a key for what requires a parameter',
      'properties:\n        account:',
      'required: [account]\n      properties:\n        account:',
      /a key tells no parameter/,
    ],
    [
      'two actions of one name',
      'name: block_card',
      'name: account_balance',
      /there is another action "account_balance"/,
    ],
    [
      'nothing to say in the end',
      '- say: "Done. Your',
      '- when: { card_status: blocked }\n        say: "Done. Your',
      /the last outcome has no "when"/,
    ],
  ])('%s', (_what, from, to, message) => {
    expect(complaintAbout(from, to)).toMatch(message);
  });
});
