import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digitsIn, numberIn, yesNo } from '../../src/sentences/understand.ts';
import { NO_PHRASES, YES_PHRASES } from '../../src/sentences/yes-no.ts';
import { spokenForms } from './spoken-forms.ts';

describe('digits', () => {
  it.each([
    ['four seven one nine two oh', '471920'],
    ['double four', '44'],
    ['47 19 20', '471920'],
    ['47-19-20', '471920'],
    ['471,920', '471920'],
    ['forty seven nineteen twenty', '471920'],
    ['Forty-seven, nineteen, twenty.', '471920'],
    ["it's um two five eight uh zero please", '2580'],
    ['twenty five eighty', '2580'],
    ['two thousand five hundred and eighty', '2580'],
    ['twenty five hundred', '2500'],
    ['triple nine double oh one', '999001'],
    ['nought seven', '07'],
    ['two oh five one one eight', '205118'],
    ['four seven one nine to zero', '471920'],
    ['for seven one nine', '4719'],
    ['one two sorry two five eight zero', '2580'],
    ['one two no wait one three nine seven', '1397'],
    ['four seven one sorry', '471'],
    ['I want to go for a walk', ''],
    ['', ''],
  ])('in %j are %j', (said, digits) => {
    expect(digitsIn(said)).toBe(digits);
  });

  it.each([4, 6])('survive being spoken, %i of them, in every form', (length) => {
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(`^[0-9]{${length}}$`)), fc.array(fc.nat(9)), (digits, choices) => {
        for (const spoken of [...spokenForms(digits, choices), digits.split('').join(' '), `my number is ${digits}`]) {
          expect([spoken, digitsIn(spoken)]).toEqual([spoken, digits]);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a number', () => {
  it.each([
    ['the last five transactions', 5],
    ['twenty-five', 25],
    ['$1,204.50', 1204.5],
    ['minus three degrees', -3],
    ['two point oh five', 2.05],
    ['a hundred and one', 101],
    ['one million two hundred thousand and nine', 1_200_009],
    ['twelve hundred', 1200],
    ['a couple', 2],
    ['none at all', undefined],
  ])('in %j is %j', (said, number) => {
    expect(numberIn(said)).toBe(number);
  });
});

describe('a yes or no', () => {
  it.each(
    [
      ...[
        'yes',
        'Yeah.',
        'yep',
        "that's right",
        'that is correct',
        'please do',
        'yes please',
        'okay',
        'um yes',
        'go ahead',
        'sure, go ahead',
      ],
      ...['uh-huh', 'I do', 'of course', 'yes, block it', 'yes that is right thank you', "yes I'd like that", 'do it'],
    ].map((said) => [said]),
  )('%j is a yes', (said) => {
    expect(yesNo(said)).toBe('yes');
  });

  it.each(
    [
      ...[
        'no',
        'Nope!',
        'no thanks',
        'no, thank you',
        "don't",
        "please don't",
        'cancel',
        "that's not right",
        "I don't think so",
      ],
      ...[
        'of course not',
        'absolutely not',
        'wrong',
        "no, don't do that",
        'never mind',
        'stop',
        'not yet',
        "I'd rather not",
      ],
    ].map((said) => [said]),
  )('%j is a no', (said) => {
    expect(yesNo(said)).toBe('no');
  });

  it.each(
    [
      ...[
        'yes no',
        'no wait yes',
        'maybe',
        "I don't know",
        "I'm not sure",
        'why not',
        'no problem',
        '',
        'right now',
        'no idea',
      ],
      ...[
        'right so where is my other card',
        'what happens to my other card if I say yes to that question of yours now',
      ],
    ].map((said) => [said]),
  )('%j is neither: money may depend on it', (said) => {
    expect(yesNo(said)).toBeUndefined();
  });

  it('is found in each phrase that the recogniser is told of', () => {
    for (const phrase of YES_PHRASES) expect([phrase, yesNo(`um ${phrase}, thanks`)]).toEqual([phrase, 'yes']);
    for (const phrase of NO_PHRASES) expect([phrase, yesNo(`um ${phrase}, thanks`)]).toEqual([phrase, 'no']);
  });

  it('never reads a yes where a no was said too', () => {
    const phrases = fc.array(fc.constantFrom(...YES_PHRASES, ...NO_PHRASES, 'maybe', 'card'), { maxLength: 4 });
    fc.assert(
      fc.property(phrases, fc.constantFrom('no', 'nope', 'cancel', "don't"), phrases, (before, no, after) => {
        expect(yesNo([...before, no, ...after].join(', '))).not.toBe('yes');
      }),
      { numRuns: 1000 },
    );
  });
});
