import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import {
  renderSay,
  spokenDate,
  spokenDigits,
  spokenList,
  spokenMoney,
  spokenNumber,
} from '../../src/sentences/spoken.ts';
import { digitsIn, numberIn } from '../../src/sentences/understand.ts';

const now = new Date('2026-11-21T10:00:00Z');

describe('values are spoken', () => {
  it('digit by digit', () => {
    expect(spokenDigits('12345')).toBe('one two three four five');
    expect(spokenDigits('**** 0907')).toBe('zero nine zero seven');
    fc.assert(
      fc.property(fc.stringMatching(/^\d{1,19}$/), (digits) => {
        expect(digitsIn(spokenDigits(digits))).toBe(digits);
      }),
    );
  });

  it('as numbers', () => {
    expect(spokenNumber(0)).toBe('zero');
    expect(spokenNumber(1_000_016)).toBe('one million sixteen');
    expect(spokenNumber(-2.05)).toBe('minus two point zero five');
    expect(() => spokenNumber(Number.NaN)).toThrow(Failure);
    fc.assert(
      fc.property(fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }), (value) => {
        expect(numberIn(spokenNumber(value))).toBe(value);
      }),
    );
  });

  it.each([
    [1204.5, 'USD', 'one thousand two hundred four dollars and fifty cents'],
    [8310, 'EUR', 'eight thousand three hundred ten euros'],
    [1.01, 'GBP', 'one pound and one penny'],
    [2.02, 'GBP', 'two pounds and two pence'],
    [1, 'USD', 'one dollar'],
    [0.5, 'EUR', 'fifty cents'],
    [0, 'USD', 'zero dollars'],
    [-12.3, 'USD', 'minus twelve dollars and thirty cents'],
    [1.005, 'USD', 'one dollar and one cent'],
    [0.999, 'USD', 'one dollar'],
    [-0.001, 'USD', 'zero dollars'],
  ])('%d %s is %j', (amount, currency, spoken) => {
    expect(spokenMoney(amount, currency)).toBe(spoken);
  });

  it('so that no cent of an amount is lost', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999_999_999 }),
        fc.constantFrom('USD', 'EUR', 'GBP'),
        (hundredths, currency) => {
          const spoken = spokenMoney(hundredths / 100, currency);
          const parts = spoken.split(/ and /);
          const value = parts.reduce(
            (sum, part) => sum + numberIn(part)! * (/cent|penny|pence/.test(part) ? 1 : 100),
            0,
          );
          expect([spoken, value]).toEqual([spoken, hundredths]);
        },
      ),
    );
  });

  it('as dates, near ones as people say them', () => {
    expect(spokenDate(new Date('2026-11-21T00:00:00Z'), now)).toBe('today');
    expect(spokenDate(new Date('2026-11-20'), now)).toBe('yesterday');
    expect(spokenDate(new Date('2026-11-22'), now)).toBe('tomorrow');
    expect(spokenDate(new Date('2026-11-04'), now)).toBe('on the fourth of November');
    expect(spokenDate(new Date('2026-12-30'), now)).toBe('on the thirtieth of December');
    expect(spokenDate(new Date('2025-01-31'), now)).toBe('on the thirty first of January twenty twenty five');
    expect(spokenDate(new Date('2005-03-22'), now)).toBe('on the twenty second of March two thousand five');
    expect(spokenDate(new Date('1905-03-22'), now)).toBe('on the twenty second of March nineteen oh five');
    expect(spokenDate(new Date('2026-11-21T01:00:00Z'), now, 'America/New_York')).toBe('yesterday');
    expect(() => spokenDate(new Date('soon'), now)).toThrow(Failure);
  });

  it('as lists', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((items) => spokenList(items))).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
    expect(spokenList(['a', 'b'], 'or')).toBe('a or b');
  });
});

describe('a sentence with values', () => {
  const data = {
    balance: '1204.50',
    currency: 'USD',
    tracking: '12345',
    shipped: '2026-11-20',
    count: 2,
    card: { kind: 'credit', status: 'in_production' },
    kinds: ['credit', 'debit'],
    payments: [
      { amount: 12.5, to: 'Corner Shop', on: '2026-11-21' },
      { amount: 3, to: 'Baker', on: '2026-11-20' },
    ],
  };

  it.each([
    ['Plain words.', 'Plain words.'],
    ['You have {balance|money:USD}.', 'You have one thousand two hundred four dollars and fifty cents.'],
    ['You have {balance|money:currency}.', 'You have one thousand two hundred four dollars and fifty cents.'],
    ['Your {card.kind} card, {tracking|digits}', 'Your credit card, one two three four five'],
    ['It was shipped {shipped|date}.', 'It was shipped yesterday.'],
    ['{count|number} {count|plural:payment}', 'two payments'],
    ['It is {card.status|words}.', 'It is in production.'],
    ['Your {kinds|list} card', 'Your credit and debit card'],
    [
      '{payments|each:{amount|money:currency} to {to} {on|date}}',
      'twelve dollars and fifty cents to Corner Shop today and three dollars to Baker yesterday',
    ],
    ['{payments.0.to}', 'Corner Shop'],
  ])('%j', (template, spoken) => {
    expect(renderSay(template, data, now)).toBe(spoken);
  });

  it.each([
    ['{card.owner}', 'card.owner'],
    ['{balance|money:unit}', 'unit'],
    ['{toString}', 'toString'],
    ['{payments|each:{what}}', 'what'],
    ['{card}', 'card'],
    ['{balance|shout}', 'shout'],
    ['{card.kind|number}', 'card.kind'],
    ['{balance', 'not closed'],
  ])('%j fails, naming %j', (template, named) => {
    const attempt = () => renderSay(template, data, now);
    expect(attempt).toThrow(Failure);
    expect(attempt).toThrow(named);
  });
});
