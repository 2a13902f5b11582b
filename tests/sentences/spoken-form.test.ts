import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endsInAbbreviation } from '../../src/sentences/abbreviations.ts';
import { spokenForm, spokenText } from '../../src/sentences/spoken-form.ts';

describe('what a language model writes is said as people say it', () => {
  it.each([
    // amounts
    ['You have $1,204.50 left.', 'You have one thousand two hundred four dollars and fifty cents left.'],
    ['That is €20, or £0.99.', 'That is twenty euros, or ninety nine pence.'],
    ['It went from -$5 to $0.', 'It went from minus five dollars to zero dollars.'],
    ['About $1.2 million or $5k.', 'About one point two million dollars or five thousand dollars.'],
    ['You paid 20.50 EUR and USD 1.', 'You paid twenty euros and fifty cents and one dollar.'],
    ['Between $5-$10.', 'Between five to ten dollars.'],
    ['The rate is 3%, or 3.25%.', 'The rate is three percent, or three point two five percent.'],
    ['It takes 3-5% and 5–7 days.', 'It takes three to five percent and five to seven days.'],
    // cards, accounts, references
    ['The card 4417 is blocked.', 'The card four four one seven is blocked.'],
    ['Your card ending in 2026 was used.', 'Your card ending in two zero two six was used.'],
    ['It ends with ****0907.', 'It ends with zero nine zero seven.'],
    ['Tracking number 12345, please.', 'Tracking number one two three four five, please.'],
    ['Your code is 123.', 'Your code is one two three.'],
    ['Reference AB1234.', 'Reference A B one two three four.'],
    ['Case #12 and No. 7.', 'Case number twelve and number seven.'],
    ['Call 1-800-555-0100.', 'Call one, eight zero zero, five five five, zero one zero zero.'],
    ['Call +44 555-0100.', 'Call plus four four, five five five, zero one zero zero.'],
    ['Call 0800 123 456, or', 'Call zero eight zero zero, one two three, four five six, or'],
    ['Call (555) 123-4567.', 'Call (five five five) one two three, four five six seven.'],
    ['Card 5412 2012 3456 1999.', 'Card five four one two, two zero one two, three four five six, one nine nine nine.'],
    [
      'Your IBAN is GB29 NWBK 6016 1331 9268 19.',
      'Your IBAN is G B two nine, N W B K, six zero one six, one three three one, nine two six eight, one nine.',
    ],
    [
      'Sort code 12-34-56, a/c 00123456.',
      'Sort code one two, three four, five six, account zero zero one two three four five six.',
    ],
    // days and times
    ['It is due on 12/11.', 'It is due on December eleventh.'],
    ['It came on 25/12/2026.', 'It came on December twenty fifth twenty twenty six.'],
    ['Since 2026-11-05.', 'Since November fifth twenty twenty six.'],
    ['Since 5.11.2026.', 'Since November fifth twenty twenty six.'],
    ['On November 12, 2026.', 'On November twelfth, twenty twenty six.'],
    ['On 12 November, or the 3rd of Dec.', 'On the twelfth of November, or the third of December.'],
    ['It expires 12/27.', 'It expires December twenty twenty seven.'],
    ['Only 1/2 of it.', 'Only one half of it.'],
    ['We are open 24/7.', 'We are open twenty four seven.'],
    ['At 10:30 or 9am, not 14:05.', 'At ten thirty or nine A M, not fourteen oh five.'],
    ['At 10:00 p.m. we close.', 'At ten P M we close.'],
    ['At 3:00.', "At three o'clock."],
    ['Open Monday 9am-5pm, or 9:30–12:15.', 'Open Monday nine A M to five P M, or nine thirty to twelve fifteen.'],
    ['We close at 5.30pm.', 'We close at five thirty P M.'],
    ['In a 24-hour or 3-day wait.', 'In a twenty four hour or three day wait.'],
    ['In 2026, the 21st time.', 'In twenty twenty six, the twenty first time.'],
    // quantities
    ['You made 1500 transactions.', 'You made one thousand five hundred transactions.'],
    ['You have 12,500 points.', 'You have twelve thousand five hundred points.'],
    ['It is 2.5 times, 50+ or -3.', 'It is two point five times, fifty plus or minus three.'],
    ['You have 3 cards.', 'You have three cards.'],
    [
      'It costs £10/month, or $2.50/transaction.',
      'It costs ten pounds per month, or two dollars and fifty cents per transaction.',
    ],
    ['It takes ½ an hour, or 2½ days.', 'It takes one half an hour, or two and a half days.'],
    ['You had 10 20 30 and 2026 customers.', 'You had ten twenty thirty and two thousand twenty six customers.'],
    // abbreviations
    ['Dr. Smith, approx. 5 min.', 'Doctor Smith, approximately five minutes.'],
    ['Mr. and Mrs. Jones vs. us, e.g. now.', 'Mister and Missus Jones versus us, for example now.'],
    ['Fees, taxes, etc.', 'Fees, taxes, et cetera.'],
    ['12 Main St. is near St. Paul.', 'twelve Main street is near Saint Paul.'],
    ['Your debit/credit card and/or PIN.', 'Your debit or credit card and or PIN.'],
    ['Terms & conditions w/o fees.', 'Terms and conditions without fees.'],
    ['Write to help@bank.example or www.bank.com.', 'Write to help at bank dot example or www dot bank dot com.'],
    // no markup is read out
    ['**$5** is `due`.', 'five dollars is due.'],
  ])('%j', (written, said) => {
    expect(spokenText(written)).toBe(said);
  });

  it.each([
    'No. I am sorry, you may not.',
    "Yes, that's right — isn't it?",
    'I am in the sun, at max speed.',
    'May I help you in March?',
    'one thousand two hundred four dollars and fifty cents',
  ])('%j stays as it is', (text) => {
    expect(spokenText(text)).toBe(text);
  });

  it('word for word, so that what was heard can be told in the words that were written', () => {
    const written = 'You paid 20 EUR on 12/11, i.e. $1.2 million.'.split(' ');
    const said = spokenForm(written);
    expect(said).toHaveLength(written.length);
    expect(said[2]).toBe('twenty euros');
    expect(said[3]).toBe('');
    expect(said.slice(-2)).toEqual(['one point two', 'million dollars.']);
  });

  it('of a word without end the beginning is said, as one word', () => {
    const said = spokenForm(['Code', '1234567890'.repeat(100), 'please.']);
    expect(said).toHaveLength(3);
    expect(said[1]!.split(' ')).toHaveLength(64);
  });

  it('never fails and leaves no figure, whatever is written', () => {
    const odd = fc.stringMatching(/^[$€£#*+\-.,:/%0-9A-Za-z()@&]{1,14}$/);
    const usual = fc.constantFrom(
      'USD',
      'EUR',
      'million',
      'card',
      'number',
      'in',
      'ending',
      'Nov',
      'the',
      'points',
      'Dr.',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, usual, fc.string({ minLength: 1 })), { maxLength: 12 }), (words) => {
        const said = spokenForm(words);
        expect(said).toHaveLength(words.length);
        for (const one of said) expect(one).not.toMatch(/[0-9]/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a full stop', () => {
  it.each(['Dr.', 'approx.', 'for example, e.g.', 'at 5 p.m.', '(acct.'])('behind %j ends no sentence', (text) => {
    expect(endsInAbbreviation(text)).toBe(true);
  });
  it.each(['It is done.', 'the sun.', 'constructor.', 'Really?'])('behind %j does', (text) => {
    expect(endsInAbbreviation(text)).toBe(false);
  });
});
