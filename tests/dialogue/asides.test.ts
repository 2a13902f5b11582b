import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNINTELLIGIBLE } from '../../src/dialogue/caller-line.ts';
import { asideIn } from '../../src/dialogue/questions/asides.ts';
import { requestsIn } from '../../src/dialogue/requests/request-reader.ts';
import { ScriptedDialogue } from '../../src/dialogue/scripted/scripted-dialogue.ts';
import { CONFIRM, PIN, Stage, TestDesk } from './stage.ts';

let s: Stage;
let clock = 0;
beforeEach(() => {
  s = new Stage();
  const scripted = new ScriptedDialogue({ newId: () => `id-${++clock}` });
  s.answer = async (request) => {
    const parts = [];
    for await (const part of scripted.reply(request, new AbortController().signal)) parts.push(part);
    return parts;
  };
});
afterEach(() => s.scope.close());

/** Everything the bot said, without the greeting. */
const told = () => s.voice.said.slice(1).join(' ');

/** Keys the PIN, which is served, among voices: what the VAD takes for speech, and is these words, begins before the last key. */
async function keysInNoise(words: string, facts: { rejected?: boolean } = {}): Promise<void> {
  s.startSpeaking();
  await s.time.pass(400);
  for (const digit of '2580') s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit, durationMs: 80 });
  await s.desk.done('Blocked.');
  await s.voice.play();
  await s.time.pass(4000);
  await s.stopSpeaking();
  await s.time.pass(1000);
  await s.final(words, { ...facts, noisy: true });
  await s.voice.play();
}

describe('a caller who is asked for the PIN', () => {
  beforeEach(async () => {
    await s.greet();
    await s.say('block my card');
    await s.desk.ask(PIN);
    await s.voice.play();
  });

  it('and asks for something else is served with it, and then with what they wanted first', async () => {
    await s.say('what is my balance');
    expect(s.desk.asked).toEqual(['block_card', 'account_balance']);
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('two five eight zero');
    expect(s.desk.asked.at(-1)).toBe('answer 2580');
    await s.desk.done('You have ten dollars.');
    await s.voice.play();
    // No "anything else" while something is open.
    expect(s.voice.said.at(-1)).toBe('You have ten dollars.');
    expect(s.desk.asked.at(-1)).toBe('block_card');
    await s.desk.ask(CONFIRM);
    await s.voice.play();
    await s.say('yes');
    await s.desk.done('It is blocked.');
    await s.voice.play();
    expect(told()).toContain('It is blocked.');
    expect(told()).not.toContain('Again, please.');
    expect(s.desk.asked).not.toContain('withdraw');
  });

  it.each(['no what is my balance', 'sorry i mean what is my balance', 'actually what is my balance'])(
    'and says %j has changed their mind',
    async (words) => {
      await s.say(words);
      expect(s.desk.asked).toEqual(['block_card', 'withdraw', 'account_balance']);
      await s.desk.done('You have ten dollars.');
      await s.voice.play();
      expect(s.desk.asked).toHaveLength(3);
    },
  );

  it('and says again what they want is asked again, however often, which is no wrong PIN', async () => {
    for (let i = 0; i < 4; i++) {
      await s.say('block my card');
      await s.voice.play();
    }
    expect(s.voice.said.slice(-4)).toEqual(Array(4).fill(PIN.prompt));
    expect(s.desk.asked).toEqual(['block_card']);
  });

  it('and says okay first is not hurried, and asked again only when nothing comes', async () => {
    const said = s.voice.said.length;
    await s.say('okay');
    await s.say('all right');
    expect(s.voice.said).toHaveLength(said);
    await s.time.pass(8500);
    expect(s.voice.said.slice(said)).toEqual(['Still there?', PIN.reprompt]);
    await s.voice.play();
    await s.say('two five eight zero');
    expect(s.desk.asked.at(-1)).toBe('answer 2580');
  });

  it('and needs a moment gets it', async () => {
    for (const words of ['one moment please', 'let me look', 'hold on', 'just a second']) {
      await s.say(words);
      await s.voice.play();
      expect(s.voice.said.at(-1)).toBe('Take your time.');
    }
    await s.say('two five eight zero');
    expect(s.desk.asked).toEqual(['block_card', 'answer 2580']);
  });

  it('and asks what the bot can do is told, and asked again', async () => {
    await s.say('what can you do');
    await s.voice.play();
    await s.desk.ask(PIN);
    await s.voice.play();
    expect(told()).toMatch(/I can help you with.*Your PIN, please\.$/);
    expect(told()).not.toContain('What can I do for you');
    expect(s.desk.asked).toEqual(['block_card', 'block_card']);
  });

  it('and says "my PIN is" and keys it has given it, whichever is understood first', async () => {
    s.startSpeaking();
    await s.time.pass(400);
    s.partial('my', false);
    await s.stopSpeaking();
    for (const digit of '2580') s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit, durationMs: 80 });
    await s.desk.ask(CONFIRM);
    await s.time.pass(2000);
    await s.final('', { rejected: true });
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe(CONFIRM.prompt);
    await s.say('yes');
    expect(s.desk.asked).toEqual(['block_card', 'answer 2580', 'answer yes']);
  });

  it('and keys it in a noisy room, and goes on to ask for something, is heard', async () => {
    await keysInNoise('', { rejected: true });
    expect(s.scribe.events.map(([type]) => type)).not.toContain('speech-beside-keys');
    expect(s.scribe.lines().findLast((line) => line.startsWith('caller'))).toBe(`caller: ${UNINTELLIGIBLE}`);
  });

  it('and keys it in a noisy room, and says it aloud, has it told to nobody', async () => {
    await keysInNoise('two five eight zero');
    expect(s.scribe.lines().join()).not.toContain('five eight');
    expect(JSON.stringify(s.conversation.history)).not.toContain('five eight');
  });

  it.each([['never mind'], ['i want an agent']])(
    'and says %j to what they asked for meanwhile is bothered with neither',
    async (words) => {
      await s.say('what is my balance');
      await s.desk.ask(PIN);
      await s.voice.play();
      await s.say(words);
      await s.voice.play();
      expect(s.desk.asked.slice(0, 4)).toEqual(['block_card', 'account_balance', 'withdraw', 'withdraw']);
      expect(s.voice.said.filter((sentence) => sentence === PIN.prompt)).toHaveLength(2);
    },
  );

  it('and asks for a person is not held back by the question', async () => {
    await s.say('i want an agent');
    expect(s.desk.asked).toEqual(['block_card', 'withdraw', 'speak_to_agent']);
  });

  it('and asks for something with a number in it has given no digits of a PIN', async () => {
    await s.say('what are my last five transactions');
    expect(s.desk.asked).toEqual(['block_card', 'last_transactions']);
    expect(s.scribe.lines()).toContain('caller: what are my last five transactions');
  });

  it('and mixes digits with a request keeps them from everybody', async () => {
    await s.say('two five what is my balance');
    expect(s.desk.asked).toEqual(['block_card']);
    expect(JSON.stringify([s.scribe.lines(), s.conversation.history])).not.toContain('two five');
  });
});

describe('a caller who is asked to confirm', () => {
  beforeEach(async () => {
    await s.greet();
    await s.say('block my card');
    await s.desk.ask(CONFIRM);
    await s.voice.play();
  });

  it('and asks something first gets the question again afterwards', async () => {
    await s.say('what is my balance');
    await s.desk.done('You have ten dollars.');
    await s.voice.play();
    await s.desk.ask(CONFIRM);
    await s.voice.play();
    expect(s.voice.said.slice(-2)).toEqual(['You have ten dollars.', CONFIRM.prompt]);
    await s.say('yes');
    expect(s.desk.asked).toEqual(['block_card', 'account_balance', 'block_card', 'answer yes']);
  });

  it('and says yes and something more has both done, in order', async () => {
    await s.say('yes and what is my balance');
    expect(s.desk.asked).toEqual(['block_card', 'answer yes']);
    await s.desk.done('It is blocked.');
    await s.voice.play();
    await s.desk.done('You have ten dollars.');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card', 'answer yes', 'account_balance']);
    expect(told()).toMatch(/It is blocked.*You have ten dollars/);
  });

  it('and pauses after "yes and" has not finished', async () => {
    s.startSpeaking();
    await s.time.pass(500);
    s.partial('yes and what is my', false);
    await s.stopSpeaking();
    await s.time.pass(700);
    expect(s.desk.asked).toEqual(['block_card']);
    s.partial('yes and what is my balance', true);
    await s.time.pass(300);
    await s.final('yes and what is my balance');
    expect(s.desk.asked).toEqual(['block_card', 'answer yes']);
  });

  it('and says no and something else has only that', async () => {
    await s.say('no what is my balance');
    expect(s.desk.asked).toEqual(['block_card', 'withdraw', 'account_balance']);
  });

  it('and says yes in the words of the request has said yes', async () => {
    await s.say('yes block my card');
    expect(s.desk.asked).toEqual(['block_card', 'answer yes']);
  });

  it('does not cut the read-back with a request; it is served after the answer', async () => {
    await s.say('block my card');
    // The question is being read once more.
    await s.voice.play(1);
    await s.say('what is my balance');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card']);
    await s.say('yes');
    await s.desk.done('It is blocked.');
    await s.voice.play();
    expect(s.desk.asked.at(-1)).toBe('account_balance');
  });
});

describe('a caller who wants two things in one breath', () => {
  it('hears both answers, in order', async () => {
    await s.greet();
    await s.say('what is my balance and what are my last transactions');
    expect(s.desk.asked).toEqual(['account_balance']);
    await s.desk.done('You have ten dollars.');
    expect(s.desk.asked).toEqual(['account_balance', 'last_transactions']);
    await s.desk.done('There are none.');
    await s.voice.play();
    expect(told()).toMatch(/^You have ten dollars\. There are none\./);
  });

  it('hears the first answer before the question that belongs to the second', async () => {
    await s.greet();
    await s.say('what is my balance and block my card');
    await s.desk.done('You have ten dollars.');
    await s.desk.ask(CONFIRM);
    await s.voice.play();
    expect(told()).toBe(`You have ten dollars. ${CONFIRM.prompt}`);
    await s.say('yes');
    await s.desk.done('It is blocked.');
    await s.voice.play();
    expect(told().match(/ten dollars/g)).toHaveLength(1);
    expect(told()).toContain('It is blocked.');
  });

  it('gets the second when the first had to be verified and confirmed, and also when they decline it', async () => {
    for (const word of ['yes', 'no']) {
      const before = s.desk.asked.length;
      if (before === 0) await s.greet();
      await s.say('block my card and what is my balance');
      await s.desk.ask(PIN);
      await s.voice.play();
      await s.say('two five eight zero');
      await s.desk.ask(CONFIRM);
      await s.voice.play();
      await s.say(word);
      await s.desk.done(`Card after ${word}.`);
      await s.desk.done(`Balance after ${word}.`);
      await s.voice.play();
      expect(s.desk.asked.slice(before)).toEqual(['block_card', 'answer 2580', `answer ${word}`, 'account_balance']);
      expect(told()).toContain(`Card after ${word}. Balance after ${word}.`);
    }
  });

  it('and says never mind at the first question gets neither', async () => {
    await s.greet();
    await s.say('block my card and what is my balance');
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('never mind');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card', 'withdraw']);
  });

  it('and takes the first back gets only the second', async () => {
    await s.greet();
    await s.say('what is my balance no my last transactions');
    await s.desk.done('There are none.');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['last_transactions']);
  });
});

describe('what words mean while a question is open', () => {
  const { actions } = new TestDesk();
  const read = (text: string) => requestsIn(text, actions);
  const about = { name: 'block_card', arguments: {} };

  it.each([
    [PIN, 'two five eight zero', undefined],
    [PIN, 'two five', undefined],
    [PIN, 'purple', undefined],
    [PIN, 'never mind', undefined],
    [PIN, 'what is my balance', 'besides'],
    [PIN, 'what is my balance instead', 'instead'],
    [PIN, 'block my debit card', 'same'],
    [CONFIRM, 'yes', undefined],
    [CONFIRM, 'no', undefined],
    [CONFIRM, 'no do not block my card', undefined],
    [CONFIRM, 'what is my balance', 'besides'],
  ] as const)('%#: %o', (question, said, kind) => {
    expect([said, asideIn(question, said, '', about, read)?.kind]).toEqual([said, kind]);
  });
});
