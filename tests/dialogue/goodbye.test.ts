import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { act, CONFIRM, Stage, say } from './stage.ts';

let s: Stage;
beforeEach(() => {
  s = new Stage();
});
afterEach(() => s.scope.close());

describe('a bot that has to end the call', () => {
  it('cuts what it says, says goodbye, and the call is over', async () => {
    s.answer = () => say('You have one hundred and twenty three dollars.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play(2);
    s.conversation.goodbye('I must go. Goodbye.');
    await settle();
    expect(s.voice.armed).toBe(false);
    await s.voice.play();
    expect(s.scribe.lines().slice(-2)).toEqual(['assistant: You have', 'assistant: I must go. Goodbye.']);
    expect(s.ends).toEqual(['bot-goodbye']);
  });

  it('is not talked out of it: what the caller says and keys meanwhile is written down, and changes nothing', async () => {
    await s.greet();
    s.conversation.goodbye('I must go. Goodbye.');
    await settle();
    await s.voice.play(1);
    s.conversation.onKey('1');
    await s.say('wait stop');
    await s.voice.play();
    await s.time.pass(5_000);
    expect(s.scribe.lines()).toContain('caller: wait stop');
    expect(s.requests).toEqual([]);
    expect(s.voice.said).toEqual(['Welcome.', 'I must go.', 'Goodbye.']);
    expect(s.ends).toEqual(['bot-goodbye']);
  });

  it('waits until the caller has finished the sentence', async () => {
    await s.greet();
    s.startSpeaking();
    s.conversation.goodbye('Goodbye.');
    await settle();
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.stopSpeaking();
    await s.voice.play();
    expect(s.ends).toEqual(['bot-goodbye']);
  });

  it('says it once, takes no more to say, and leaves an open question', async () => {
    s.answer = () => act('block_card');
    await s.greet();
    await s.say('block my card');
    await s.desk.ask(CONFIRM);
    s.conversation.goodbye('Goodbye.');
    s.conversation.goodbye('Goodbye.');
    const later = { id: 'a', text: 'More.', priority: 9, mode: 'replace' as const, interruptible: true };
    expect(s.conversation.say(later)).toBe(false);
    await settle();
    await s.voice.play();
    expect(s.voice.said.filter((sentence) => sentence === 'Goodbye.')).toEqual(['Goodbye.']);
    expect(s.ends).toEqual(['bot-goodbye']);
    expect(s.desk.asked).toEqual(['block_card']);
  });
});
