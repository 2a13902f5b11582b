import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNINTELLIGIBLE } from '../../src/dialogue/caller-line.ts';
import { SAID_UNCLEARLY } from '../../src/dialogue/models/language-model.ts';
import { act, CONFIRM, type HowHeard, PIN, PROMPTS, Stage, say } from './stage.ts';

let s: Stage;
beforeEach(async () => {
  s = new Stage();
  await s.greet();
});
afterEach(() => s.scope.close());

/** The caller says it, and the recogniser is not sure that it was that. */
async function sayInNoise(...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await s.say(text, { rejected: true, confidence: 0.01 });
    await s.voice.play();
  }
}
/** The caller says it, and the recogniser thinks that it may have been that. */
async function sayPerhaps(text: string, confidence: number, how: HowHeard = {}): Promise<void> {
  await s.say(text, { rejected: true, confidence, ...how });
  await s.voice.play();
}
const heardByModel = () =>
  s.conversation.history.filter(({ role }) => role === 'caller').map((item) => 'text' in item && item.text);

describe('a caller of whom it is likely what was said,', () => {
  it('hears what was understood, and then the answer, where it is noisy and nothing is changed for it', async () => {
    await sayPerhaps('so what is my balance please', 0.4, { noisy: true });
    expect(s.desk.asked).toEqual(['account_balance']);
    expect(s.voice.said.at(-1)).toBe('So what is my balance.');
    expect(heardByModel()).toEqual(['so what is my balance please']);
    await s.desk.done('Twelve dollars.');
    expect(s.requests.at(-1)?.history.at(-1)).toMatchObject({ role: 'action', result: { say: 'Twelve dollars.' } });
  });

  describe('or only possible,', () => {
    beforeEach(() => sayPerhaps('what is my balance', 0.1));

    it('is asked whether it was that, and served after a yes', async () => {
      expect(s.voice.said.at(-1)).toBe('Was it what is my balance?');
      expect(s.ear.expectations.at(-1)).toEqual({ kind: 'yes-no', secret: false });
      expect(s.desk.asked).toEqual([]);
      await s.say('yes');
      expect(s.desk.asked).toEqual(['account_balance']);
    });

    it('is served after a likely yes, a key, or the same words again, however doubtful', async () => {
      const again = async (answer: () => Promise<void> | void) => {
        await answer();
        expect(s.desk.asked).toEqual(['account_balance']);
        await s.scope.close();
        s = new Stage();
        await s.greet();
        await sayPerhaps('what is my balance', 0.1);
      };
      await again(() => sayPerhaps('yes', 0.3));
      await again(() => s.conversation.onKey('1'));
      await again(() => sayPerhaps('what is my balance', 0.01));
      await again(() => s.say('what is my balance'));
    });

    it('is asked for other words after a no, and never about the same again', async () => {
      await s.say('no');
      await s.voice.play();
      const last = s.requests.at(-1)?.history.at(-1);
      expect(last).toMatchObject({ role: 'action', result: { ok: false, code: 'misheard', say: 'My mistake.' } });
      await sayPerhaps('what is my balance', 0.1);
      expect(heardByModel().at(-1)).toBe(UNINTELLIGIBLE);
      expect(s.desk.asked).toEqual([]);
    });

    it('gets what they say instead', async () => {
      await s.say('my last transactions');
      await s.voice.play();
      expect(heardByModel().at(-1)).toBe('my last transactions');
      expect(s.desk.asked).not.toContain('account_balance');
    });

    it('is asked about what they seem to say instead', async () => {
      await sayPerhaps('my last transactions', 0.1);
      expect(s.voice.said.at(-1)).toBe('Was it my last transactions?');
    });

    it('is offered the keypad at once where it is noisy', async () => {
      await sayPerhaps('', 0, { noisy: true });
      expect(s.voice.said.slice(-2)).toEqual(['Was it what is my balance?', PROMPTS.yesNoByKeys]);
    });
  });

  it('is asked before anything is ordered for it, also when it was believed so far', async () => {
    await s.say('i want an agent', { confidence: 0.6 });
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Was it i want an agent?');
    await sayPerhaps('yes', 0.4);
    expect(s.desk.asked).toEqual([]);
    await s.say('yes');
    expect(s.desk.asked).toEqual(['speak_to_agent']);
  });

  it('in noise gets the request, and not the agent that the noise behind it sounds like', async () => {
    await sayPerhaps('what is my balance and an agent', 0.4, { noisy: true });
    expect(s.desk.asked).toEqual(['account_balance']);
    expect(s.voice.said.at(-1)).toBe('So what is my balance.');
  });

  it('in noise hears again what they seem to ask for again, but nothing for a single word', async () => {
    await sayPerhaps('can you repeat that please', 0.2, { noisy: true });
    expect(heardByModel().at(-1)).toBe('can you repeat that please');
    await sayPerhaps('sorry', 0.2, { noisy: true });
    expect(heardByModel().at(-1)).toBe(UNINTELLIGIBLE);
    await sayPerhaps('goodbye and have a good day', 0.2, { noisy: true });
    expect(s.voice.said).toContain(PROMPTS.menu);
    expect(s.ends).toEqual([]);
  });

  it('is told nothing of numbers that may be wrong', async () => {
    await sayPerhaps('my pin is two five eight zero', 0.4);
    expect(heardByModel()).toEqual([UNINTELLIGIBLE]);
  });

  it('is not hung up on: who says goodbye so that it is hardly understood may have said something else', async () => {
    await s.say('goodbye', { confidence: 0.6 });
    expect(s.conversation.history.at(-2)).toEqual({ role: 'system', text: SAID_UNCLEARLY });
  });
});

describe('a caller in noise, of whom nobody is sure what was said,', () => {
  it('is believed when it is the same again', async () => {
    await sayInNoise('what is my balance', 'please what is my balance');
    expect(heardByModel()).toEqual([UNINTELLIGIBLE, 'please what is my balance']);
    expect(s.scribe.lines().at(-2)).toBe('caller: please what is my balance');
  });

  it('is not when it is another thing, or nothing that is a request, or something was clear in between', async () => {
    await sayInNoise('what is my balance', 'my last transactions', 'so it rains', 'so it rains', 'what is my balance');
    await s.say('thank you');
    await s.voice.play();
    await sayInNoise('what is my balance');
    expect(heardByModel().filter((text) => text !== UNINTELLIGIBLE)).toEqual(['thank you']);
  });

  describe('when asked', () => {
    const asked = async (question: typeof PIN) => {
      s.answer = ({ history }) => (history.at(-1)?.role === 'caller' ? act('block_card') : say('Done.'));
      await s.say('block my card');
      await s.desk.ask(question);
      await s.voice.play();
    };

    it('for a PIN is asked again, and believed when it is the same number', async () => {
      await asked(PIN);
      await sayInNoise('two five eight zero');
      expect(s.voice.said.at(-1)).toBe(PIN.reprompt);
      expect(s.desk.asked).toEqual(['block_card']);
      await sayInNoise('my number is two five eight oh');
      expect(s.desk.asked.at(-1)).toBe('answer 2580');
      expect([...s.scribe.utterances.values()].at(-1)?.text).not.toContain('five');
    });

    it('for a PIN is not believed when it is another one', async () => {
      await asked(PIN);
      await sayInNoise('two five eight zero', 'two nine eight zero');
      expect(s.desk.asked).toEqual(['block_card']);
    });

    it('whether something is to be changed, is not believed to say yes', async () => {
      await asked(CONFIRM);
      await sayInNoise('yes', 'yes');
      expect(s.desk.asked).toEqual(['block_card']);
    });

    it('whether something is to be changed, is offered the keypad, and asked once more before it is left', async () => {
      await asked(CONFIRM);
      await sayInNoise('');
      expect(s.voice.said.at(-1)).toBe(CONFIRM.reprompt);
      await sayInNoise('', '');
      expect(s.voice.said.slice(-4)).toEqual([
        CONFIRM.reprompt,
        PROMPTS.yesNoByKeys,
        CONFIRM.reprompt,
        PROMPTS.yesNoByKeys,
      ]);
      s.conversation.onKey('1');
      await s.voice.play();
      expect(s.desk.asked.at(-1)).toBe('answer yes');
    });

    it('for a PIN, orders nothing by digits that look like an order', async () => {
      await asked(PIN);
      await s.say('i want an agent', { confidence: 0.6 });
      expect(s.voice.said.at(-1)).toBe(PIN.reprompt);
      expect(s.desk.asked).toEqual(['block_card']);
      await s.voice.play();
      await s.say('i want an agent');
      expect(heardByModel().at(-1)).toBe('i want an agent');
    });

    it('for a PIN where it is noisy, is told of the keypad at once, and each time', async () => {
      s.answer = () => act('account_balance');
      await s.say('what is my balance', { noisy: true });
      await s.desk.ask(PIN);
      expect(s.voice.said.slice(-2)).toEqual([PIN.prompt, PROMPTS.numberByKeys]);
      await s.voice.play();
      await sayPerhaps('', 0, { noisy: true });
      expect(s.voice.said.slice(-2)).toEqual([PIN.reprompt, PROMPTS.numberByKeys]);
    });

    it('whether something is to be changed, where it is noisy, hears the question last, and then of the keypad', async () => {
      s.answer = () => act('block_card');
      await s.say('block my card', { noisy: true });
      await s.desk.ask(CONFIRM);
      await s.voice.play();
      expect(s.voice.said.at(-1)).toBe(CONFIRM.prompt);
      await sayPerhaps('', 0, { noisy: true });
      expect(s.voice.said.slice(-2)).toEqual([CONFIRM.reprompt, PROMPTS.yesNoByKeys]);
    });

    it('whether something is to be changed, is believed to say no at once when it is likely, and never yes', async () => {
      await asked(CONFIRM);
      await sayPerhaps('yes', 0.4);
      await sayPerhaps('yes', 0.4);
      expect(s.desk.asked).toEqual(['block_card']);
      await sayPerhaps('no', 0.4);
      expect(s.desk.asked.at(-1)).toBe('answer no');
    });

    it('whether something is to be changed, is believed to say no', async () => {
      await asked(CONFIRM);
      await sayInNoise('no', 'nope');
      expect(s.desk.asked.at(-1)).toBe('answer no');
    });
  });
});
