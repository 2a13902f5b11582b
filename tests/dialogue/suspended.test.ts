import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BACK_IN_SEAT, LEFT_SEAT } from '../../src/dialogue/seat.ts';
import { settle } from '../support/manual-time.ts';
import { act, PIN, Stage, say } from './stage.ts';

let s: Stage;
beforeEach(() => {
  s = new Stage();
});
afterEach(() => s.scope.close());

const notes = () => s.conversation.history.flatMap((item) => (item.role === 'system' ? [item.text] : []));

describe('a bot in whose place a person speaks', () => {
  it('falls silent in mid-word, and nothing of it is said late', async () => {
    s.answer = () => say('You have one hundred and twenty three dollars.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play(2);
    expect(s.conversation.suspend()).toBe(true);
    await settle();
    await s.voice.play();
    await s.time.pass(60_000);
    expect(s.scribe.lines().at(-1)).toBe('assistant: You have');
    expect(s.voice.said).toEqual(['Welcome.', 'You have one hundred and twenty three dollars.']);
    expect(s.ends).toEqual([]);
    expect(s.conversation.suspend()).toBe(false);
  });

  it('takes the caller down, answers nothing, and asks no "are you still there"', async () => {
    await s.greet();
    s.conversation.suspend();
    await s.say('what is my balance');
    s.conversation.onKey('0');
    s.startSpeaking();
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('block my card', { rejected: true });
    await s.time.pass(60_000);
    expect(s.scribe.lines()).toEqual(['assistant: Welcome.', 'caller: what is my balance', 'caller: [unintelligible]']);
    expect(s.requests).toEqual([]);
    expect(s.desk.asked).toEqual([]);
    expect(s.desk.foreseen.filter((what) => what !== 'forget')).toEqual([]);
  });

  it('asks its secret no more: the recording hears the caller again, and keys reach no bank', async () => {
    s.answer = () => act('account_balance');
    await s.greet();
    await s.say('what is my balance');
    await s.desk.ask(PIN);
    await s.voice.play();
    s.conversation.onKey('2');
    expect(s.ear.masked).toBe(true);
    s.conversation.suspend();
    await settle();
    expect(s.ear.masked).toBe(false);
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'request' });
    for (const key of '2580') s.conversation.onKey(key);
    s.conversation.resume();
    await settle();
    await s.voice.play();
    await s.time.pass(5000);
    expect(s.desk.asked).toEqual(['account_balance', 'withdraw']);
  });

  it('is back with its own words, knows what was said, and serves the caller as before', async () => {
    await s.greet();
    s.conversation.suspend();
    await s.say('i lost my card');
    s.conversation.overhear('agent', 'I will send you a new one.');
    s.conversation.resume();
    await settle();
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: Here I am again.');
    s.answer = () => say('You have ten dollars.');
    await s.say('what is my balance');
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: You have ten dollars.');
    const heard = ['caller: i lost my card', 'agent: I will send you a new one.'];
    expect(notes()).toEqual([LEFT_SEAT, ...heard, BACK_IN_SEAT]);
    expect(s.requests[0]!.history.at(-1)).toEqual({ role: 'caller', text: 'what is my balance' });
  });

  it('may be told what to say first, and reports what the bank came to meanwhile', async () => {
    s.answer = ({ history }) => (history.some(({ role }) => role === 'action') ? say('Done.') : act('account_balance'));
    await s.greet();
    await s.say('what is my balance');
    s.conversation.suspend();
    await s.desk.done('You have ten dollars.');
    await s.time.pass(10_000);
    expect(s.voice.said).toEqual(['Welcome.']);
    s.conversation.resume('Nobody is free. I am sorry.');
    await settle();
    await s.voice.play();
    await s.time.pass(100);
    await s.voice.play();
    expect(s.voice.said).toEqual(['Welcome.', 'Nobody is free.', 'I am sorry.', 'Done.']);
  });

  it('forgets the oldest of a long talk, not the newest', async () => {
    await s.greet();
    s.conversation.suspend();
    for (let i = 0; i < 100; i++) s.conversation.overhear('agent', `line ${i}`);
    s.conversation.resume();
    expect(notes().slice(0, 2)).toEqual([LEFT_SEAT, 'agent: line 60']);
    expect(notes().slice(-2)).toEqual(['agent: line 99', BACK_IN_SEAT]);
  });

  it('says goodbye all the same when the connector stops', async () => {
    await s.greet();
    s.conversation.suspend();
    s.conversation.goodbye('I must go. Goodbye.');
    await settle();
    await s.voice.play();
    expect(s.ends).toEqual(['bot-goodbye']);
    expect(s.conversation.suspend()).toBe(false);
  });
});
