import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReplyPart } from '../../src/dialogue/models/language-model.ts';
import {
  ANNOUNCEMENTS_LIMIT,
  type Announcement,
  Announcements,
  defaultMode,
} from '../../src/dialogue/speaking/announcements.ts';
import { settle } from '../support/manual-time.ts';
import { act, CONFIRM, PIN, Stage, say } from './stage.ts';

let ids = 0;
function announcement(text: string, over: Partial<Announcement> = {}): Announcement {
  const { priority = 5 } = over;
  return { id: `say-${++ids}`, text, priority, mode: defaultMode(priority), interruptible: true, ...over };
}

describe('the queue of announcements', () => {
  it('gives the highest priority first, and within one the one that came first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: ANNOUNCEMENTS_LIMIT }), (priorities) => {
        const queue = new Announcements();
        const offered = priorities.map((priority, at) => announcement(String(at), { priority }));
        for (const one of offered) expect(queue.offer(one)).toBe(true);
        const given = Array.from({ length: offered.length }, () => queue.next()!);
        expect(given).toEqual(offered.toSorted((a, b) => b.priority - a.priority));
        expect(queue.next()).toBeUndefined();
      }),
    );
  });

  it('refuses one too many and takes another when there is room again', () => {
    const queue = new Announcements(2);
    expect([1, 2, 10].map((priority) => queue.offer(announcement('x', { priority })))).toEqual([true, true, false]);
    queue.next();
    expect(queue.offer(announcement('y'))).toBe(true);
  });

  it('lets only those replace that ask for it and are not below what they cut', () => {
    const queue = new Announcements();
    queue.offer(announcement('high but patient', { priority: 9, mode: 'queue' }));
    queue.offer(announcement('replaces', { priority: 8 }));
    expect(queue.replacing(9)).toBeUndefined();
    expect(queue.replacing(8)?.text).toBe('replaces');
    expect(queue.replacing(0)).toBeUndefined();
  });

  it('gives one that was not heard back its place', () => {
    const queue = new Announcements();
    const [first, second] = [announcement('first'), announcement('second')];
    queue.offer(first);
    queue.offer(second);
    queue.giveBack(queue.next()!);
    expect([queue.next(), queue.next()]).toEqual([first, second]);
  });
});

describe('something that staff or an integrator wants said', () => {
  let s: Stage;
  beforeEach(async () => {
    s = new Stage();
    s.answer = () => say('One two three four five six.');
    await s.greet();
  });
  afterEach(() => s.scope.close());

  const events = () => s.scribe.events.map(([type]) => type);

  it('is said while nobody speaks, stands in the transcript under its id, and the language model knows of it', async () => {
    const asked = announcement('Your callback is booked.');
    expect(s.conversation.say(asked)).toBe(true);
    await settle();
    await s.voice.play();
    expect(s.scribe.utterances.get(asked.id)).toMatchObject({
      speaker: 'assistant',
      source: 'say:api',
      heard: 'Your callback is booked.',
      interrupted: false,
    });
    await s.say('thanks');
    expect(s.requests.at(-1)!.history).toContainEqual({
      role: 'assistant',
      text: 'Your callback is booked.',
      interrupted: false,
      announcement: true,
    });
  });

  it('waits until the bot has said its answer, and comes before "are you still there"', async () => {
    await s.say('tell me');
    await s.voice.play(2);
    s.conversation.say(announcement('Later.', { priority: 2 }));
    s.conversation.say(announcement('First.', { priority: 7 }));
    await settle();
    expect(s.voice.said.at(-1)).toBe('One two three four five six.');
    await s.voice.play();
    await s.voice.play();
    await s.voice.play();
    expect(s.voice.said.slice(-2)).toEqual(['First.', 'Later.']);
    expect(events()).not.toContain('barge-in');
  });

  it('with priority 8 and up cuts what is being said; that was not the caller’s doing', async () => {
    await s.say('tell me');
    await s.voice.play(3);
    s.conversation.say(announcement('Stop the press.', { priority: 8 }));
    await settle();
    expect(s.voice.said.at(-1)).toBe('Stop the press.');
    const cut = [...s.scribe.utterances.values()].find((one) => one.interrupted)!;
    expect(cut).toMatchObject({ heard: 'One two three' });
    expect(cut.timings?.bargeInToSilenceMs).toBeUndefined();
    expect(events()).toContain('replaced');
    expect(events()).not.toContain('barge-in');
  });

  it('never cuts something of higher priority, but a higher one cuts it', async () => {
    s.conversation.say(announcement('Nine nine nine nine.', { priority: 9 }));
    await settle();
    await s.voice.play(1);
    s.conversation.say(announcement('Eight.', { priority: 8 }));
    await settle();
    expect(s.voice.said.at(-1)).toBe('Nine nine nine nine.');
    s.conversation.say(announcement('Ten.', { priority: 10 }));
    await settle();
    expect(s.voice.said.at(-1)).toBe('Ten.');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Eight.');
  });

  it('is not lost when a higher one comes before a word of it was heard', async () => {
    s.startSpeaking();
    await s.time.pass(400);
    s.conversation.say(announcement('Low.', { priority: 8 }));
    s.conversation.say(announcement('High.', { priority: 9 }));
    s.conversation.say(announcement('Equal.', { priority: 8 }));
    s.partial('hello', true);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('hello');
    for (let i = 0; i < 5; i++) await s.voice.play();
    expect(s.voice.said.slice(1)).toEqual(['High.', 'Low.', 'Equal.', 'One two three four five six.']);
  });

  it('is never said over the caller, whose request is answered after it', async () => {
    s.startSpeaking();
    await s.time.pass(300);
    s.conversation.say(announcement('Urgent news.', { priority: 10 }));
    await settle();
    s.partial('what is my balance', true);
    await s.stopSpeaking();
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.time.pass(300);
    await s.final('what is my balance');
    expect(s.voice.said.at(-1)).toBe('Urgent news.');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('One two three four five six.');
    expect(s.requests.at(-1)!.history.slice(-2)).toEqual([
      { role: 'assistant', text: 'Urgent news.', interrupted: false, announcement: true },
      { role: 'caller', text: 'what is my balance' },
    ]);
  });

  it('stops for the caller, unless it is not to be interrupted: then the caller is answered after it', async () => {
    s.conversation.say(announcement('A b c d e f.'));
    await settle();
    await s.voice.play(2);
    expect(s.voice.armed).toBe(true);
    s.bargeIn();
    s.partial('what is my balance', true);
    await s.time.pass(1000);
    expect([...s.scribe.utterances.values()].at(-1)).toMatchObject({ heard: 'A b', interrupted: true });
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('what is my balance');
    await s.voice.play();

    s.conversation.say(announcement('This call is recorded by law.', { interruptible: false }));
    await settle();
    expect(s.voice.armed).toBe(false);
    await s.voice.play(2);
    await s.say('where is my card');
    expect(s.voice.said.at(-1)).toBe('This call is recorded by law.');
    await s.voice.play();
    expect(s.voice.armed).toBe(true);
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: 'where is my card' });
    await s.voice.play();
    expect(s.scribe.lines().slice(-3)).toEqual([
      'assistant: This call is recorded by law.',
      'caller: where is my card',
      'assistant: One two three four five six.',
    ]);
  });

  it('lets "mhm" over a protected text pass', async () => {
    const requests = s.requests.length;
    s.conversation.say(announcement('This call is recorded by law.', { interruptible: false }));
    await settle();
    await s.voice.play(2);
    await s.say('mhm');
    await s.voice.play();
    expect(s.requests.length).toBe(requests);
  });

  it('is refused when twenty wait, and what is left at the end of the call is told', async () => {
    s.startSpeaking();
    const taken = Array.from({ length: 21 }, () => s.conversation.say(announcement('x')));
    expect(taken.filter(Boolean)).toHaveLength(20);
    expect(taken.at(-1)).toBe(false);
    await s.scope.close();
    expect(events().filter((type) => type === 'say-unspoken')).toHaveLength(20);
    expect(s.conversation.say(announcement('too late'))).toBe(false);
  });

  it('waits for the call to begin', async () => {
    const early = new Stage();
    early.conversation.say(announcement('Early.'));
    await settle();
    expect(early.voice.said).toEqual([]);
    await early.greet();
    await early.voice.play();
    expect(early.voice.said).toEqual(['Welcome.', 'Early.']);
    await early.scope.close();
  });
});

describe('an announcement in the middle of an action', () => {
  let s: Stage;
  beforeEach(async () => {
    s = new Stage();
    s.answer = (request): ReplyPart[] => {
      const last = request.history.findLast((item) => item.role !== 'assistant');
      return last?.role === 'action' ? say(last.result.say) : act('block_card');
    };
    await s.greet();
    await s.say('block my card');
  });
  afterEach(() => s.scope.close());

  it('does not repeat or lose the action: its question comes after it', async () => {
    s.conversation.say(announcement('News.', { priority: 10 }));
    await settle();
    expect(s.voice.said.at(-1)).toBe('News.');
    await s.desk.ask(PIN);
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Your PIN, please.');
    expect(s.desk.asked).toEqual(['block_card']);
  });

  it('has the open question put again after it', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    s.conversation.say(announcement('News.'));
    await settle();
    await s.voice.play();
    expect(s.voice.said.slice(-2)).toEqual(['News.', 'Again, please.']);
  });

  it('does not cut a read-back, and no yes counts for one that was not heard', async () => {
    await s.desk.ask(CONFIRM);
    await s.voice.play(2);
    s.conversation.say(announcement('News.', { priority: 10 }));
    await settle();
    expect(s.voice.said.at(-1)).toBe('Block the card ending 4417?');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('News.');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Yes or no?');
    await s.voice.play();
    await s.say('yes');
    expect(s.desk.asked.at(-1)).toBe('answer yes');
  });

  it('takes no yes for a question that came up behind the announcement', async () => {
    s.conversation.say(announcement('Long news that goes on.', { priority: 10 }));
    await settle();
    await s.voice.play(1);
    s.startSpeaking();
    await s.time.pass(300);
    await s.desk.ask(CONFIRM);
    s.partial('yes', true);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('yes');
    expect(s.desk.asked).toEqual(['block_card']);
    await s.voice.play();
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Block the card ending 4417?');
  });
});

describe('the pace of speech', () => {
  let s: Stage;
  beforeEach(async () => {
    s = new Stage();
    s.answer = () => say('You have ten dollars. And more.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play();
  });
  afterEach(() => s.scope.close());
  const slower: ReplyPart[] = [{ type: 'speech-rate', rate: 'slower' }];

  it('goes down on "slower", for the rest of the call, and the last answer is said again', async () => {
    s.answer = () => slower;
    await s.say('slower please');
    await s.voice.play();
    expect(s.voice.said.slice(-2)).toEqual(['You have ten dollars.', 'And more.']);
    expect(s.voice.rates.slice(-4)).toEqual([1, 1, 0.8, 0.8]);
    s.answer = () => say('Fine.');
    await s.say('thanks');
    expect(s.voice.rates.at(-1)).toBe(0.8);
    expect(s.requests.at(-1)!.history).toContainEqual({ role: 'system', text: expect.stringContaining('more slowly') });
  });

  it('goes down a step each time as far as words stay words, up again, and back to normal', async () => {
    const rates: number[] = [];
    for (const rate of ['slower', 'slower', 'slower', 'faster', 'normal', 'faster', 'faster', 'faster'] as const) {
      s.answer = () => [{ type: 'speech-rate', rate }];
      await s.say('please');
      await s.voice.play();
      rates.push(s.voice.rates.at(-1)!);
    }
    expect(rates).toEqual([0.8, 0.65, 0.65, 0.8, 1, 1.2, 1.4, 1.4]);
  });

  it('changes in the middle of an answer: all of it is said again, also what was not heard', async () => {
    s.answer = () => say('One two three four five six.');
    await s.say('tell me');
    await s.voice.play(2);
    s.answer = () => slower;
    s.bargeIn();
    s.partial('slower please', true);
    await s.time.pass(300);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('slower please');
    expect(s.voice.said.at(-1)).toBe('One two three four five six.');
    expect(s.voice.rates.at(-1)).toBe(0.8);
  });

  it('is not changed by a draft of a reply that is thrown away', async () => {
    s.answer = () => slower;
    s.startSpeaking();
    await s.time.pass(600);
    s.partial('slower', true);
    await s.stopSpeaking();
    s.answer = () => say('Fine.');
    await s.time.pass(300);
    await s.final('slower or not where is my card');
    expect(s.voice.rates.at(-1)).toBe(1);
  });

  it('changes while a question is open: it is asked again, slower', async () => {
    s.answer = () => act('block_card');
    await s.say('block my card');
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('can you say that more slowly');
    expect([s.voice.said.at(-1), s.voice.rates.at(-1)]).toEqual(['Your PIN, please.', 0.8]);
    expect(s.scribe.lines()).toContain('caller: can you say that more slowly');
  });
});
