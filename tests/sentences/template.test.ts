import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { plainExample, sentencesOf } from '../../src/sentences/expand.ts';
import { SentenceMatcher } from '../../src/sentences/matcher.ts';
import { parseTemplate } from '../../src/sentences/template.ts';
import { randomTemplate } from './random-template.ts';

const all = (source: string, rules?: Record<string, string>) =>
  [...sentencesOf(parseTemplate(source, rules))].map(({ text }) => text).sort();

describe('a sentence template', () => {
  it('stands for every sentence it describes', () => {
    expect(all('where is my [new] (credit|debit) card')).toEqual([
      'where is my credit card',
      'where is my debit card',
      'where is my new credit card',
      'where is my new debit card',
    ]);
    expect(all('[please|kindly] (block it;now)')).toHaveLength(6);
    expect(all('a [b [c (d|e)]]')).toEqual(['a', 'a b', 'a b c d', 'a b c e']);
  });

  it('ignores case and punctuation and writes figures out', () => {
    expect(all('Where IS my card?')).toEqual(['where is my card']);
    expect(all('the 24 hour line')).toEqual(['the twenty four hour line']);
    expect(all('I don’t know')).toEqual(["i don't know"]);
  });

  it('joins parts of words that touch', () => {
    expect(all('card[s]')).toEqual(['card', 'cards']);
    expect(all('turn(ed|ing) it')).toEqual(['turned it', 'turning it']);
    expect(all('[the ]card')).toEqual(['card', 'the card']);
    expect(all('[un](block|lock)ed')).toEqual(['blocked', 'locked', 'unblocked', 'unlocked']);
  });

  it('puts rules in place', () => {
    expect(all('<polite> help', { polite: '(please|<kind>)', kind: 'kindly' })).toEqual(['kindly help', 'please help']);
  });

  it('names its slots once each', () => {
    expect(parseTemplate('from {a} to {b} [or {a}]').slots).toEqual(['a', 'b']);
  });

  it.each([
    ['where is (my card', 10],
    ['where is my card]', 17],
    ['a | b', 3],
    ['pick (a||b)', 9],
    ['pick ()', 7],
    ['my {card kind}', 9],
    ['my {} card', 5],
    ['my {card', 9],
    ['say <nothing> now', 5],
    ['(a|b;c)', 5],
    ['[please] [now]', 1],
    ['', 1],
    ['(a;b;c;d;e)', 1],
  ])('refuses %j, naming column %i', (source, column) => {
    const attempt = () => parseTemplate(source);
    expect(attempt).toThrow(Failure);
    expect(attempt).toThrow(`column ${column}:`);
  });

  it('refuses rules that contain themselves', () => {
    expect(() => parseTemplate('<a>', { a: 'x <b>', b: '<a>' })).toThrow('contains itself');
  });

  it('never fails in any other way, whatever is written', () => {
    const scraps = fc.constantFrom('(', ')', '[', ']', '{', '}', '<', '>', '|', ';', 'word', ' ', 'x', '{a}', "'", '7');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(scraps, { maxLength: 24 }).map((parts) => parts.join('')),
        ),
        (source) => {
          try {
            parseTemplate(source);
          } catch (error) {
            expect(error).toBeInstanceOf(Failure);
            expect((error as Failure).code).toBe('bad-template');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('matches each of its own sentences, with the slots that were said', () => {
    fc.assert(
      fc.property(randomTemplate, ({ source, slots }) => {
        const matcher = new SentenceMatcher([{ id: 'it', templates: [source], slots }]);
        let tried = 0;
        for (const { text, slots: said } of sentencesOf(parseTemplate(source), slots)) {
          expect({ source, ...matcher.match(text) }).toEqual({ source, id: 'it', slots: said, score: 1 });
          if (++tried === 40) break;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has a plain example that is one of its sentences', () => {
    expect(
      plainExample(parseTemplate('[please] show [me] my last {n} (payments|transactions)'), {
        n: { kind: 'number', min: 3, max: 9 },
      }),
    ).toBe('show my last three payments');
  });
});
