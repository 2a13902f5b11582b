import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { MATCH_THRESHOLD, type MatchRule, SentenceMatcher } from '../../src/sentences/matcher.ts';
import { slotsFromSchema } from '../../src/sentences/slots.ts';

const slots = slotsFromSchema({
  type: 'object',
  properties: {
    card_kind: { type: 'string', enum: ['credit', 'debit', 'company_card'], 'x-phrases': { debit: ['bank', 'E.C.'] } },
    count: { type: 'integer', minimum: 1, maximum: 20 },
    customer_number: { type: 'string', pattern: '^\\d{6}$' },
    pin: { type: 'string', pattern: '^[0-9]{4}$' },
    note: { type: 'string' },
  },
});

const rules: MatchRule[] = [
  {
    id: 'delivery',
    templates: [
      'where is my [new] [{card_kind}] card',
      '(when|what day) will my [new] [{card_kind}] card (come|arrive)',
      'i have not received my [{card_kind}] card [yet]',
    ],
    slots,
  },
  { id: 'balance', templates: ['what is my [account] balance', 'how much money do i have', 'check my balance'], slots },
  { id: 'payments', templates: ['show me my last [{count}] (payments|transactions)'], slots },
  {
    id: 'block',
    templates: ['(block|cancel|freeze) my [{card_kind}] card', 'i [have] lost my [{card_kind}] card'],
    slots,
  },
  { id: 'number', templates: ['my customer number is {customer_number}'], slots },
];
const matcher = new SentenceMatcher(rules);

describe('slots of a schema', () => {
  it('follow from its patterns, ranges and enums', () => {
    expect(slots).toEqual({
      card_kind: {
        kind: 'choice',
        options: [
          { value: 'credit', phrases: ['credit'] },
          { value: 'debit', phrases: ['debit', 'bank', 'e c'] },
          { value: 'company_card', phrases: ['company card'] },
        ],
      },
      count: { kind: 'number', min: 1, max: 20 },
      customer_number: { kind: 'digits', length: 6 },
      pin: { kind: 'digits', length: 4 },
    });
    expect(slotsFromSchema({})).toEqual({});
  });
});

describe('what was said', () => {
  it.each([
    ['where is my card', 'delivery', {}],
    ['Where’s my new card?', 'delivery', {}],
    ['um hello can you please tell me where my debit card is', 'delivery', { card_kind: 'debit' }],
    ["I don't know where my card is", 'delivery', {}],
    ["I haven't received my bank card yet", 'delivery', { card_kind: 'debit' }],
    ['how much money do I have please', 'balance', {}],
    ['balanse check my balanse', 'balance', {}],
    ['show me my last 5 transactions', 'payments', { count: '5' }],
    ['could you show me my last twelve payments thank you', 'payments', { count: '12' }],
    ['show me my last transaction', 'payments', {}],
    ["I'd like to block my credit card now", 'block', { card_kind: 'credit' }],
    ['so I was at the shop and then on the bus and I think I lost my debit card', 'block', { card_kind: 'debit' }],
    ['no I do not want my balance I want to block my card', 'block', {}],
    ['my customer number is four seven one nine two oh', 'number', { customer_number: '471920' }],
    ['yes my customer number is 47 19 20 thanks', 'number', { customer_number: '471920' }],
    ['my customer number is double four um seven one triple nine', undefined, {}],
    ['please do not block my card', undefined, {}],
    ["block my card no don't", undefined, {}],
    ['I have received my card', undefined, {}],
    ['my card', undefined, {}],
    ['what is the weather', undefined, {}],
    ['show me the way to the station', undefined, {}],
    ['um', undefined, {}],
    ['', undefined, {}],
  ])('%j means %j', (said, id, found) => {
    const match = matcher.match(said);
    expect([said, match?.id, match?.slots ?? {}]).toEqual([said, id, found]);
  });

  it('scores 1 for the very words and less for anything else', () => {
    const exact = matcher.match('where is my credit card')!.score;
    const polite = matcher.match('hello where is my credit card please')!.score;
    const wordy = matcher.match('where on earth is my credit card')!.score;
    expect(exact).toBe(1);
    expect(polite).toBeLessThan(exact);
    expect(wordy).toBeLessThan(polite);
    expect(wordy).toBeGreaterThanOrEqual(MATCH_THRESHOLD);
  });

  it('takes no choice that was not said', () => {
    expect(matcher.match('block my gold card')).toMatchObject({ id: 'block', slots: {} });
  });

  it('never takes part of a longer number for the whole', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{7,12}$/), (digits) => {
        const words = digits
          .split('')
          .map((digit) => 'zero one two three four five six seven eight nine'.split(' ')[Number(digit)]);
        expect(matcher.match(`my customer number is ${words.join(' ')}`)?.slots.customer_number).toBeUndefined();
      }),
    );
  });

  it('may be anything: a score stays between 0 and 1', () => {
    const words = fc.array(
      fc.constantFrom(
        'where',
        'is',
        'my',
        'card',
        'not',
        'block',
        'five',
        'um',
        'debit',
        'last',
        '12',
        'balance',
        "don't",
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          words.map((list) => list.join(' ')),
        ),
        (text) => {
          const match = matcher.match(text, 0);
          if (match) expect(match.score).toSatisfy((score: number) => score > 0 && score <= 1);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is read in good time, however long it is and however many sentences a template has', () => {
    const template = `start ${Array.from({ length: 40 }, (_, at) => `[[w${at}] (a${at}|b${at}) [c${at}|d${at}]]`).join(' ')} end`;
    const large = new SentenceMatcher([{ id: 'large', templates: [template] }]);
    expect(large.match('start b3 d3 w20 a20 c20 b39 end')).toEqual({ id: 'large', slots: {}, score: 1 });
    expect(large.match('start b3 zebra w20 '.repeat(20_000))).toBeUndefined();
  }, 10_000);

  it('needs to know what a slot may hold', () => {
    expect(() => new SentenceMatcher([{ id: 'x', templates: ['note {note}'], slots }])).toThrow(Failure);
  });

  it('takes the first of two rules that fit equally', () => {
    const twins = new SentenceMatcher(['first', 'second'].map((id) => ({ id, templates: ['say it'] })));
    expect(twins.match('say it')?.id).toBe('first');
  });
});
