import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReplyPart, SAID_IN_PASSING } from '../../src/dialogue/models/language-model.ts';
import { settle } from '../support/manual-time.ts';
import { act, CONFIRM, PIN, Stage, say } from './stage.ts';

let s: Stage;
beforeEach(() => {
  s = new Stage();
});
afterEach(() => s.scope.close());

describe('a caller who asks', () => {
  it('is greeted, answered, and both stand in the transcript with the latencies', async () => {
    s.answer = () => say('You have ten dollars.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play();
    expect(s.scribe.lines()).toEqual([
      'assistant: Welcome.',
      'caller: what is my balance',
      'assistant: You have ten dollars.',
    ]);
    const answer = [...s.scribe.utterances.values()].at(-1)!;
    expect(answer.timings!.endpointMs).toBeGreaterThan(0);
    expect(answer.timings!.firstPacketMs).toBeGreaterThanOrEqual(answer.timings!.endpointMs!);
    expect(answer.interrupted).toBe(false);
  });

  it('goes on after the endpoint, before the answer is heard: it is one request', async () => {
    let release: (parts: ReplyPart[]) => void = () => {};
    s.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await s.greet();
    await s.say('i want to know');
    await s.say('where my card is');
    expect(s.requests.at(-1)!.history.filter((item) => item.role === 'caller')).toEqual([
      { role: 'caller', text: 'i want to know where my card is' },
    ]);
    release(say('Here.'));
  });

  it('is not spoken over: the reply waits until the caller is quiet', async () => {
    let release: (parts: ReplyPart[]) => void = () => {};
    s.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await s.greet();
    await s.say('what is my balance');
    s.startSpeaking();
    release(say('Ten.'));
    await settle();
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.time.pass(200);
    await s.stopSpeaking();
    expect(s.voice.said).toEqual(['Welcome.', 'Ten.']);
  });

  it('is asked again when nothing was understood', async () => {
    await s.greet();
    s.startSpeaking();
    await s.time.pass(600);
    await s.stopSpeaking();
    await s.time.pass(700);
    await s.final('', { rejected: true });
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: '[unintelligible]' });
  });

  it('is not cut short when the recogniser is behind, as long as it catches up', async () => {
    await s.greet();
    s.startSpeaking();
    await s.time.pass(600);
    s.partial('what is my', false);
    await s.stopSpeaking();
    await s.time.pass(3500);
    s.partial('what is my balance', true);
    await s.time.pass(1500);
    await s.final('what is my balance and my last transactions');
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({
      role: 'caller',
      text: 'what is my balance and my last transactions',
    });
  });

  it('is served from the last partial when the recogniser does not answer', async () => {
    await s.greet();
    s.startSpeaking();
    await s.time.pass(600);
    s.partial('what is my balance', true);
    await s.stopSpeaking();
    await s.time.pass(3000);
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: 'what is my balance' });
  });
});

describe('a caller who was taken to have finished too early', () => {
  const request = (text: string) => [{ role: 'caller', text }];
  const asked = () => s.requests.at(-1)!.history.filter((item) => item.role !== 'assistant');

  beforeEach(async () => {
    s.answer = (request) => (request.history.at(-1)?.role === 'caller' ? act('account_balance') : say('Told.'));
    await s.greet();
    await s.say('what is my balance');
    expect(s.desk.asked).toEqual(['account_balance']);
  });

  it('is answered to the whole, and what was read for the half is heard of no more, however late it comes', async () => {
    await s.say('of my savings account');
    expect(asked()).toEqual(request('what is my balance of my savings account'));
    await s.desk.done('You have one dollar in your current account.');
    await s.time.pass(3000);
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.desk.done('You have ten dollars in your savings account.');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Told.');
    const results = s.conversation.history.filter((item) => item.role === 'action');
    expect(results.map(({ result }) => result.say)).toEqual(['You have ten dollars in your savings account.']);
  });

  it('is asked nothing for the half', async () => {
    await s.say('of my savings account');
    await s.desk.ask(PIN);
    expect(s.voice.said).toEqual(['Welcome.']);
    expect(s.desk.asked.at(-1)).toBe('withdraw');
    await s.desk.ask(PIN);
    expect(s.voice.said.at(-1)).toBe(PIN.prompt);
  });
});

describe('a caller who interrupts', () => {
  beforeEach(async () => {
    s.answer = () => say('One two three four five six seven eight.');
    await s.greet();
    await s.say('tell me');
    await s.voice.play(3);
  });

  it('silences the bot, and the transcript keeps what was heard', async () => {
    s.bargeIn();
    s.partial('what is my balance', true);
    await s.time.pass(1000);
    const cut = [...s.scribe.utterances.values()].find((u) => u.interrupted)!;
    expect(cut).toMatchObject({ heard: 'One two three', text: 'One two three four five six seven eight.' });
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('what is my balance');
    expect(s.requests.at(-1)!.history.slice(-2)).toEqual([
      { role: 'assistant', text: 'One two three', interrupted: true },
      { role: 'caller', text: 'what is my balance' },
    ]);
  });

  it('who only coughs hears the bot go on from where it stopped', async () => {
    s.bargeIn();
    await s.time.pass(150);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
    expect(s.scribe.events.map(([type]) => type)).toContain('barge-in-ignored');
  });

  describe('and is not understood', () => {
    const unknown = async (text = '', rejected = true) => {
      s.bargeIn();
      await s.time.pass(200);
      s.partial(text);
      await s.time.pass(150);
      await s.stopSpeaking();
      await s.time.pass(700);
      await s.final(text, { rejected });
    };

    it('is heard who says it again as soon as the bot goes on', async () => {
      await unknown();
      await s.voice.play(2);
      await unknown();
      const cut = [...s.scribe.utterances.values()].find((u) => u.interrupted)!;
      expect(cut.heard).toBe('One two three four five');
      expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: '[unintelligible]' });
    });

    it.each([
      ['a while later', 12, '', true, false],
      ['and then says "mm hm"', 2, 'mm hm', false, false],
      ['which may be the bot itself from a loudspeaker', 2, '', true, true],
    ])('hears the bot go on who makes a sound again, %s', async (_, words, text, rejected, echoes) => {
      s.echoes = echoes;
      s.answer = () =>
        say('One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen.');
      await s.say('tell me more');
      await s.voice.play(3);
      const asked = s.requests.length;
      await unknown();
      await s.voice.play(words);
      await unknown(text, rejected);
      await s.voice.play();
      expect(s.scribe.lines().at(-1)).toMatch(/sixteen\.$/);
      expect(s.requests.length).toBe(asked);
    });
  });

  it.each(['okay', 'mm hm', 'right i see', 'bye', 'nothing', 'confirm'])(
    'who only says "%s" hears the bot go on, and it is no turn of theirs',
    async (word) => {
      const asked = s.requests.length;
      s.bargeIn();
      await s.time.pass(200);
      s.partial(word, true);
      await s.time.pass(300);
      await s.stopSpeaking();
      await s.time.pass(300);
      await s.final(word);
      await s.voice.play();
      expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
      expect(s.requests.length).toBe(asked);
      expect(s.scribe.events.map(([type]) => type)).toContain('backchannel');
    },
  );

  it.each([
    ['a grunt that looked like a word and fits nothing', '', true],
    ['an "okay" whose words come at the very end', 'okay', false],
  ])('with %s hears the bot go on', async (_, text, rejected) => {
    const asked = s.requests.length;
    s.bargeIn();
    await s.time.pass(200);
    s.partial(text === '' ? 'an agent' : '', true);
    await s.time.pass(200);
    await s.stopSpeaking();
    await s.time.pass(210);
    await s.final(text, { rejected });
    await s.time.pass(800);
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
    expect(s.requests.length).toBe(asked);
  });

  it('with an "okay" into its breath, which pauses nothing, hears it go on', async () => {
    const asked = s.requests.length;
    await s.say('okay');
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
    expect(s.requests.length).toBe(asked);
  });

  it('with a short sentence that the recogniser knows in the end is served', async () => {
    s.bargeIn();
    await s.time.pass(200);
    s.partial('help', true);
    await s.time.pass(150);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('help');
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: 'help' });
  });

  it.each([
    ['before it was interrupted', 350],
    ['after it was interrupted', 950],
  ])('with a word or two is not taken at their word where something would change, %s', async (_, ms) => {
    s.bargeIn();
    await s.time.pass(200);
    s.partial('an agent', true);
    await s.time.pass(ms - 200);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('an agent');
    expect(s.requests.at(-1)!.history.slice(-2)).toEqual([
      { role: 'system', text: SAID_IN_PASSING },
      { role: 'caller', text: 'an agent' },
    ]);
  });

  it('with a doubtful "stop" is obeyed all the same', async () => {
    s.bargeIn();
    await s.time.pass(350);
    await s.stopSpeaking();
    await s.time.pass(210);
    await s.final('stop', { rejected: true });
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });

  it('with a "stop" of which nothing is left in the end is obeyed', async () => {
    s.bargeIn();
    await s.time.pass(250);
    s.partial('stop', true);
    await s.time.pass(100);
    s.partial('', false);
    await s.stopSpeaking();
    await s.time.pass(700);
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(false);
    await s.final('', { rejected: true });
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: 'stop' });
  });

  it('with "stop" is obeyed as soon as it is sure that this is the word', async () => {
    s.bargeIn();
    await s.time.pass(100);
    s.partial('stop', true);
    await s.time.pass(150);
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });

  it('with a drawn-out "mm-hm" that sounds like "no" for a moment hears the bot go on', async () => {
    const asked = s.requests.length;
    s.bargeIn();
    await s.time.pass(200);
    s.partial('no', true);
    await s.time.pass(100);
    s.partial('', false);
    await s.time.pass(500);
    await s.stopSpeaking();
    await s.time.pass(250);
    await s.final('', { rejected: true });
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
    expect(s.requests.length).toBe(asked);
  });

  it('with a key is heard at once', async () => {
    s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit: '7', durationMs: 80 });
    await settle();
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });
});

describe('a bot that asks while it speaks', () => {
  it('takes "yes" over its question for the answer', async () => {
    s.answer = () => say('I can do that. Would you like me to?');
    await saidOver('yes', 7);
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });

  it('takes no "yes" for the answer to a question that it had hardly begun', async () => {
    s.answer = () => say('I can do that. Would you like me to?');
    await saidOver('yes', 5);
    expect(s.scribe.lines().at(-1)).toBe('assistant: I can do that. Would you like me to?');
  });

  it.each(['What else can I do for you?', 'So, how can I help you?'])(
    'goes on when it hears "right" over a question that no yes answers: %s',
    async (question) => {
      s.answer = () => say(`That is done. ${question}`);
      await saidOver('right', 7);
      expect(s.scribe.lines().at(-1)).toBe(`assistant: That is done. ${question}`);
    },
  );

  async function saidOver(word: string, after: number): Promise<void> {
    await s.greet();
    await s.say('tell me');
    await s.voice.play(after);
    s.bargeIn();
    await s.time.pass(200);
    s.partial(word, true);
    await s.time.pass(100);
    await s.stopSpeaking();
    await s.time.pass(210);
    await s.final(word);
    await s.voice.play();
  }
});

describe('working ahead', () => {
  const pause = async (text: string) => {
    s.startSpeaking();
    await s.time.pass(600);
    s.partial(text, true);
    await s.stopSpeaking();
  };

  it('drafts the reply in the pause, speaks it at the endpoint, and asks the model once', async () => {
    s.answer = () => say('You have ten dollars. And more.');
    await s.greet();
    await pause('what is my balance');
    expect(s.voice.prepared).toEqual(['You have ten dollars.']);
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.time.pass(250);
    await s.final('what is my balance');
    expect(s.voice.said).toEqual(['Welcome.', 'You have ten dollars.', 'And more.']);
    expect(s.requests).toHaveLength(1);
  });

  it('drafts it in what may become a pause, also for words that are understood only then', async () => {
    s.answer = (request) => say(`You said: ${(request.history.at(-1) as { text: string }).text}.`);
    await s.greet();
    s.startSpeaking();
    await s.time.pass(600);
    s.partial('what is my', false);
    await s.lull();
    expect(s.voice.prepared).toEqual([]);
    s.partial('what is my balance', true);
    await s.time.pass(0);
    expect(s.voice.prepared).toEqual(['You said: what is my balance.']);
    // The caller goes on all the same: nothing is drafted while they speak.
    s.partial('what is my balance and where is my card', true);
    await s.time.pass(300);
    expect(s.requests).toHaveLength(1);
    await s.stopSpeaking();
    await s.time.pass(250);
    await s.final('what is my balance and where is my card');
    expect(s.voice.said.at(-1)).toBe('You said: what is my balance and where is my card.');
  });

  it('makes ready what the bank has answered ahead, for a dialogue that tells it in these words', async () => {
    s.answer = (request) => (request.history.at(-1)?.role === 'caller' ? act('account_balance') : say('Ten.'));
    s.desk.foretold = 'You have ten dollars. Your limit is five.';
    await s.greet();
    await pause('what is my balance');
    // A language model finds words of its own.
    expect(s.voice.prepared).toEqual([]);
    s.model.tellsResultsAsGiven = true;
    await pause('tell me my balance');
    expect(s.voice.prepared).toEqual(['You have ten dollars.']);
  });

  it('throws the draft away when the caller goes on, and when the last words turn out different', async () => {
    s.answer = (request) => say(`You said: ${(request.history.at(-1) as { text: string }).text}.`);
    await s.greet();
    await pause('where is my card');
    s.conversation.onMedia({ type: 'speech-start', at: s.time.now(), segment: s.segment });
    await s.time.pass(500);
    s.partial('where is my card and my balance', true);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('where is my card and what is my balance');
    expect(s.voice.said.at(-1)).toBe('You said: where is my card and what is my balance.');
    expect(s.requests).toHaveLength(3);
  });

  it('carries nothing out before the turn is certain', async () => {
    s.answer = (request) => (request.history.at(-1)?.role === 'caller' ? act('block_card') : say('Done.'));
    await s.greet();
    await pause('block my card');
    expect(s.desk.asked).toEqual([]);
    // The desk knows what may be fetched and what may not.
    expect(s.desk.foreseen).toEqual(['block_card']);
    await s.time.pass(250);
    await s.final('block my card');
    expect(s.desk.asked).toEqual(['block_card']);
  });

  it('tells the desk that what it fetched was for nothing when the caller goes on', async () => {
    s.answer = (request) => (request.history.at(-1)?.role === 'caller' ? act('account_balance') : say('Done.'));
    await s.greet();
    await pause('what is my balance');
    s.conversation.onMedia({ type: 'speech-start', at: s.time.now(), segment: s.segment });
    expect(s.desk.foreseen).toEqual(['account_balance', 'forget']);
  });

  it('that fails is not held against the turn', async () => {
    let asked = 0;
    s.answer = () => (asked++ === 0 ? Promise.reject(new Error('too soon')) : say('Fine.'));
    await s.greet();
    await pause('what is my balance');
    await s.time.pass(250);
    await s.final('what is my balance');
    expect(s.voice.said.at(-1)).toBe('Fine.');
  });
});

describe('an action', () => {
  beforeEach(async () => {
    s.answer = (request) => {
      const last = request.history.at(-1);
      if (last?.role === 'action') return say(last.result.say);
      if (last?.role === 'caller' && last.text.includes('block')) return act('block_card');
      return say('Fine.');
    };
    await s.greet();
    await s.say('block my card');
  });

  it('asks for the PIN, which only the keypad or the local ears get, and which stands nowhere', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'digits', length: 4, secret: true });
    expect(s.ear.masked).toBe(true);
    for (const digit of '2580') s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit, durationMs: 80 });
    await s.desk.done('Blocked.');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card', 'answer 2580']);
    expect(s.ear.masked).toBe(false);
    const everything = JSON.stringify([s.scribe.lines(), s.scribe.events, s.conversation.history, s.requests]);
    expect(everything).not.toContain('2580');
    expect(s.scribe.lines()).toContain('caller: [pin, not shown]');
    expect(s.scribe.lines().at(-1)).toBe('assistant: Blocked.');
  });

  it('takes the PIN spoken, in two breaths, and asks to go on in between', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('two five');
    await s.time.pass(2000);
    await s.final('two five');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('two of four, go on.');
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'digits', length: 4, missing: 2, secret: true });
    await s.say('eight zero');
    expect(s.desk.asked.at(-1)).toBe('answer 2580');
  });

  it('waits for the rest of a PIN whose beginning the recogniser takes for all that is said', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    s.startSpeaking();
    await s.time.pass(600);
    s.partial('two five', true);
    await s.stopSpeaking();
    const before = s.ear.ended;
    await s.time.pass(1500);
    expect(s.ear.ended).toBe(before);
    await s.time.pass(500);
    expect(s.ear.ended).toBe(before + 1);
  });

  it('is not confirmed by a yes that came before the read-back was heard', async () => {
    await s.desk.ask(CONFIRM);
    expect(s.voice.armed).toBe(false);
    await s.voice.play(1);
    await s.say('yes');
    expect(s.desk.asked).toEqual(['block_card']);
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Yes or no?');
    await s.voice.play();
    await s.say('yes');
    expect(s.desk.asked.at(-1)).toBe('answer yes');
  });

  it('goes on when the caller interrupts, once, and its result is told', async () => {
    await s.desk.ask(CONFIRM);
    await s.voice.play();
    await s.say('yes');
    await s.say('hello');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card', 'answer yes']);
    await s.desk.done('Your card is blocked.');
    await s.time.pass(10);
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: Your card is blocked.');
  });

  it('is left when the caller says never mind', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('never mind');
    expect(s.desk.asked.at(-1)).toBe('withdraw');
    expect(s.voice.said.at(-1)).toBe('Left it.');
    expect(s.ear.masked).toBe(false);
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'request' });
  });

  it('is left after three answers that nobody understands', async () => {
    await s.desk.ask(PIN);
    for (let i = 0; i < 3; i++) {
      await s.voice.play();
      await s.say('purple');
    }
    expect(s.voice.said.slice(-3)).toEqual(['Again, please.', 'Again, please.', 'I could not get that.']);
    expect(s.desk.asked.at(-1)).toBe('withdraw');
    expect(JSON.stringify(s.scribe.lines())).not.toContain('purple');
  });
});

describe('a result that must be heard', () => {
  const NOTICE = 'A card that is blocked stays blocked by law.';

  beforeEach(async () => {
    s.answer = (request) => {
      const last = request.history.at(-1);
      if (last?.role === 'caller') return act('block_card');
      return say(last?.role === 'assistant' && last.text === NOTICE ? 'Anything else?' : 'As you like.');
    };
    await s.greet();
    await s.say('block my card');
    await s.desk.notice(NOTICE);
  });

  it('is read out word for word before the model speaks, once', async () => {
    await s.voice.play();
    expect(s.voice.said.slice(1)).toEqual([NOTICE, 'Anything else?']);
  });

  it('is not cut by the caller, who is answered afterwards', async () => {
    expect(s.voice.armed).toBe(false);
    await s.voice.play(2);
    await s.say('what is my balance');
    expect(s.requests.at(-1)!.history.at(-1)).toMatchObject({ role: 'assistant' });
    await s.voice.play();
    expect(s.scribe.lines()).toContain(`assistant: ${NOTICE} Anything else?`);
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: 'what is my balance' });
  });
});

describe('silence', () => {
  it('gets "still there" twice, then a farewell, then the end', async () => {
    await s.greet();
    for (let i = 0; i < 3; i++) {
      await s.time.pass(9000);
      await s.voice.play();
    }
    expect(s.voice.said).toEqual(['Welcome.', 'Still there?', 'Still there?', 'Farewell.']);
    expect(s.ends).toEqual(['silence-farewell']);
  });

  it('never ends a call in which somebody is talking', async () => {
    await s.greet();
    for (let i = 0; i < 2; i++) {
      await s.time.pass(9000);
      await s.voice.play();
    }
    await s.time.pass(8001);
    await s.voice.play(0);
    s.startSpeaking();
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Farewell.');
    expect(s.ends).toEqual([]);
  });
});

describe('a sound without words that began while the bot was heard', () => {
  const soundOverTheEnd = async (outlastsByMs: number) => {
    s.answer = () => say('You have ten dollars.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play(2);
    s.startSpeaking();
    await s.voice.play();
    await s.time.pass(outlastsByMs);
    await s.stopSpeaking();
    await s.time.pass(1500);
    await s.final('', { rejected: true });
    return s.requests.length;
  };

  it('and ends with it is its echo: nobody is asked what they said', async () => {
    expect(await soundOverTheEnd(100)).toBe(1);
  });

  it('and goes on behind it is the caller: they are asked', async () => {
    expect(await soundOverTheEnd(900)).toBe(2);
  });
});

describe('the end', () => {
  it('comes after the goodbye was heard', async () => {
    s.answer = () => [{ type: 'text', text: 'Goodbye then.' }, { type: 'end-call' }];
    await s.greet();
    await s.say('goodbye');
    expect(s.ends).toEqual([]);
    await s.voice.play();
    await s.time.pass(1600);
    expect(s.ends).toEqual(['bot-goodbye']);
  });

  it('leaves a moment to a caller who was misheard: they say so, and the call goes on', async () => {
    s.answer = ({ history }) =>
      JSON.stringify(history.at(-1)).includes('goodbye')
        ? [{ type: 'text', text: 'Goodbye then.' }, { type: 'end-call' }]
        : say('You have ten dollars.');
    await s.greet();
    await s.say('please goodbye now');
    await s.voice.play();
    await s.time.pass(800);
    await s.say('no what is my balance');
    await s.voice.play();
    await s.time.pass(3000);
    expect(s.voice.said.at(-1)).toBe('You have ten dollars.');
    expect(s.ends).toEqual([]);
  });

  it('is not put off by a sound that nobody can understand', async () => {
    s.answer = () => [{ type: 'text', text: 'Goodbye then.' }, { type: 'end-call' }];
    await s.greet();
    await s.say('goodbye');
    await s.voice.play();
    s.startSpeaking();
    await s.stopSpeaking();
    await s.time.pass(3000);
    await s.final('', { rejected: true });
    await s.time.pass(1600);
    expect(s.voice.said).toEqual(['Welcome.', 'Goodbye then.']);
    expect(s.ends).toEqual(['bot-goodbye']);
  });

  it('does not come when the caller interrupts the goodbye', async () => {
    s.answer = () => [{ type: 'text', text: 'Goodbye then and so on.' }, { type: 'end-call' }];
    await s.greet();
    await s.say('goodbye');
    await s.voice.play(1);
    s.bargeIn();
    s.partial('wait', true);
    await settle();
    await s.voice.play();
    expect(s.ends).toEqual([]);
  });

  it('aborts the running turn at once when the call closes', async () => {
    let aborted = false;
    s.answer = (() => new Promise<ReplyPart[]>(() => {})) as Stage['answer'];
    await s.greet();
    await s.say('tell me');
    s.scope.signal.addEventListener('abort', () => {
      aborted = true;
    });
    void s.scope.close();
    expect(aborted).toBe(true);
  });
});

describe('a caller who hangs up in the middle of an answer', () => {
  it('has heard what the transcript says', async () => {
    s.answer = () => say('You have ten dollars and twenty cents.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play(3);
    await s.scope.close();
    expect(s.scribe.lines().at(-1)).toBe('assistant: You have ten');
    expect([...s.scribe.utterances.values()].at(-1)).toMatchObject({ interrupted: true, endedAt: s.time.now() });
    expect(s.conversation.history.at(-1)).toMatchObject({ text: 'You have ten', interrupted: true });
  });

  it('before anything of it was heard: it was never said', async () => {
    s.answer = (() => new Promise<ReplyPart[]>(() => {})) as Stage['answer'];
    await s.greet();
    await s.say('what is my balance');
    await s.scope.close();
    expect(s.scribe.lines().at(-1)).toBe('caller: what is my balance');
  });
});

describe('a turn that fails', () => {
  it('apologises, and the next one works', async () => {
    s.answer = () => Promise.reject(new Error('engine on fire'));
    await s.greet();
    await s.say('tell me');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Sorry about that.');
    s.answer = () => say('Fine.');
    await s.say('tell me');
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: Fine.');
  });
});
