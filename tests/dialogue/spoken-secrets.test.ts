import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withoutAnsweredSecrets, withoutSpokenSecrets } from '../../src/dialogue/questions/spoken-secrets.ts';
import { digitsIn } from '../../src/sentences/understand.ts';
import { spokenForms } from '../sentences/spoken-forms.ts';
import { Stage, say } from './stage.ts';

describe('a secret in the middle of a sentence', () => {
  it.each([
    ['block my card my pin is one two three four', 'block my card my pin is [pin, not shown]'],
    ['my PIN number is actually 2580 thanks', 'my PIN number is actually [pin number, not shown] thanks'],
    ['pin twelve thirty four', 'pin [pin, not shown]'],
    ['two five eight oh is my pin', '[pin, not shown] is my pin'],
    ['the one time code was four one double two nine seven', 'the one time code was [one time code, not shown]'],
    ['four one one one one one one one one one one one one one one one', '[card number, not shown]'],
    ['it is 4111 1111 1111 1111', 'it is [card number, not shown]'],
    ['my pin is one nought two three', 'my pin is [pin, not shown]'],
    ['naught nil o quadruple five that was my pin', '[pin, not shown] that was my pin'],
    ['my pin is one two sorry one two three four', 'my pin is [pin, not shown]'],
    ['my pin is one um two and then three four ok', 'my pin is [pin, not shown] ok'],
    ['my pin is two five ate one', 'my pin is [pin, not shown]'],
    ['my pin is for seven one nine', 'my pin is [pin, not shown]'],
    ['the One-Time Code is 47-19-20.', 'the One-Time Code is [one-time code, not shown].'],
    ['o t p nine nine one two', 'o t p [o t p, not shown]'],
    [
      'one two three four is my pin and two five eight zero is my password',
      '[pin, not shown] is my pin and [password, not shown] is my password',
    ],
    ['my pin is 1397 send 500 dollars', 'my pin is [pin, not shown] send 500 dollars'],
  ])('%s', (said, shown) => {
    expect(withoutSpokenSecrets(said)).toBe(shown);
    expect(withoutSpokenSecrets(shown)).toBe(shown);
  });

  it.each([
    'my customer number is four seven one nine two zero',
    'send fifty dollars to my savings account',
    'i forgot my pin',
    'can i change my pin in two days',
    'my pin has four digits',
    'transfer one hundred twenty three dollars and fifty cents',
  ])('is none in: %s', (said) => {
    expect(withoutSpokenSecrets(said)).toBe(said);
  });

  const fillers = fc.constantFrom('', 'um', 'er', 'and', 'dash', 'uh and');
  const zeros = fc.constantFrom('oh', 'o', 'nought', 'naught', 'nil', 'zero');
  it('is hidden in every form that is understood as a number', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9]{4,8}$/),
        fc.array(fc.nat(9)),
        fc.array(fillers, { minLength: 20, maxLength: 20 }),
        zeros,
        fc.constantFrom('pin', 'security code', 'one time password', 'c v v'),
        fc.boolean(),
        (digits, choices, between, zero, name, first) => {
          for (const form of [...spokenForms(digits, choices), digits, [...digits].join('-')]) {
            const words = form.replaceAll(/\boh\b/g, zero).split(' ');
            const number = words
              .flatMap((word, i) => (i % 3 === 2 ? [word, between[i % 20]!] : [word]))
              .join(' ')
              .trim();
            fc.pre(digitsIn(number).length >= 3);
            const said = first ? `block it my ${name} is ${number} thanks` : `${number} is my ${name} thanks`;
            const shown = withoutSpokenSecrets(said);
            expect(shown).toContain(`[${name}, not shown]`);
            expect([said, digitsIn(shown.replaceAll('one time', ''))]).toEqual([said, '']);
            expect(withoutSpokenSecrets(shown)).toBe(shown);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['one two three four', 'can you tell me your PIN please', '[pin, not shown]'],
    ['it is twelve, thirty-four', 'and the security code on the back', 'it is [security code, not shown]'],
    ['one two', 'what is your pin', '[pin, not shown]'],
    // The question was misheard.
    ["it's four seven one one yes", 'can you tell me you are complete', "it's [number, not shown] yes"],
    ['double four one two', 'hello', '[number, not shown]'],
    // It was given before.
    ['flat two', 'my [pin, not shown]', 'flat two'],
    ['within two or three days', 'your new pin comes by mail', 'within two or three days'],
    ['at four thirty', 'when can you come', 'at four thirty'],
    ['six thousand two hundred and fifty', 'how much', 'six thousand two hundred and fifty'],
    ['five five five zero one zero zero seven two', 'your telephone', 'five five five zero one zero zero seven two'],
  ])('between people, %j behind %j is %j', (text, before, shown) => {
    expect(withoutAnsweredSecrets(text, ['hello', before])).toBe(shown);
  });

  let s: Stage;
  beforeEach(() => {
    s = new Stage();
  });
  afterEach(() => s.scope.close());

  it('is neither in the transcript, nor in the history, nor in the recording', async () => {
    s.answer = () => say('I will look at your card.');
    await s.greet();
    const before = s.time.now();
    await s.say('block my card my pin is one two three four');
    await s.voice.play();
    expect(s.scribe.lines()).toContain('caller: block my card my pin is [pin, not shown]');
    expect(JSON.stringify(s.conversation.history)).not.toContain('one two three');
    const [[from, to]] = s.ear.silenced as [[number, number]];
    expect(s.ear.silenced).toHaveLength(1);
    expect(from).toBeGreaterThanOrEqual(before);
    expect(to).toBeGreaterThan(from);
    await s.say('what is my balance');
    expect(s.ear.silenced).toHaveLength(1);
  });
});
