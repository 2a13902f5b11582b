import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digitRuns, placedWords } from '../../src/sentences/digit-runs.ts';
import { digitsIn } from '../../src/sentences/understand.ts';
import { wordsOf } from '../../src/sentences/words.ts';

const VOCABULARY = (
  'one two three four zero oh o nought naught nil nine ten fifteen twenty ninety hundred thousand double triple treble ' +
  'quadruple to too for ate won owe um er and then dash sorry no wait i mean my pin is the card 4 25 1204'
).split(' ');

describe('numbers read out in a text', () => {
  it.each([
    ['send it to four seven one, um, nine two oh please', ['471920']],
    ['two five sorry two five eight zero', ['252580']],
    ['nought quadruple five', ['05555']],
    ['one card and two accounts', ['1', '2']],
    ['nobody knows', []],
  ])('%s', (text, digits) => {
    const runs = digitRuns(placedWords(text).map(({ word }) => word));
    expect(runs.map((run) => run.digits)).toEqual(digits);
  });

  it('hold every digit that is understood anywhere: without them none is left', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...VOCABULARY), { maxLength: 14 }), (words) => {
        const runs = digitRuns(words);
        const rest = words.map((word, at) => (runs.some(({ first, next }) => at >= first && at < next) ? 'x' : word));
        expect(digitsIn(rest.join(' '))).toBe('');
        for (const [i, { first, next }] of runs.entries()) {
          expect(first).toBeGreaterThanOrEqual(runs[i - 1]?.next ?? 0);
          expect(next).toBeGreaterThan(first);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('stand where the words stand', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const placed = placedWords(text);
        for (const { word, from, to } of placed) {
          expect(
            text
              .slice(from, to)
              .normalize('NFKC')
              .toLowerCase()
              .replace(/[\u2018\u2019\u02bc`]/g, "'"),
          ).toBe(word);
        }
        expect(placed.map(({ from }) => from)).toEqual(placed.map(({ from }) => from).toSorted((a, b) => a - b));
      }),
    );
    expect(placedWords("it's 4711 o\u2019clock").map(({ word }) => word)).toEqual(wordsOf("it's 4711 o'clock"));
  });
});
