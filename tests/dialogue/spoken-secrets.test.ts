import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withoutSpokenSecrets } from '../../src/dialogue/spoken-secrets.ts';
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
