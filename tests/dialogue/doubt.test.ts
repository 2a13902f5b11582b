import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNINTELLIGIBLE } from '../../src/dialogue/caller-line.ts';
import { act, CONFIRM, PIN, PROMPTS, Stage, say } from './stage.ts';

let s: Stage;
beforeEach(async () => {
  s = new Stage();
  await s.greet();
});
afterEach(() => s.scope.close());

/** The caller says it, and the recogniser is not sure that it was that. */
async function sayInNoise(...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await s.say(text, true);
    await s.voice.play();
  }
}
const heardByModel = () =>
  s.conversation.history.filter(({ role }) => role === 'caller').map((item) => 'text' in item && item.text);

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

    it('whether something is to be changed, is believed to say no', async () => {
      await asked(CONFIRM);
      await sayInNoise('no', 'nope');
      expect(s.desk.asked.at(-1)).toBe('answer no');
    });
  });
});
