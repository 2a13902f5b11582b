import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNINTELLIGIBLE } from '../../src/dialogue/caller-line.ts';
import { act, CONFIRM, type HowHeard, PIN, Stage, say } from './stage.ts';

let s: Stage;
beforeEach(async () => {
  s = new Stage();
  await s.greet();
});
afterEach(() => s.scope.close());

/** The recogniser rejects its guess; the second ear has heard something. */
async function sayUnclearly(guess: string, otherwise: string, confidence: number, how: HowHeard = {}): Promise<void> {
  await s.say(guess, { rejected: true, confidence: 0.01, ...how, otherwise: { text: otherwise, confidence } });
  await s.voice.play();
}
const lastHeard = () => {
  const item = s.conversation.history.findLast(({ role }) => role === 'caller');
  return item && 'text' in item ? item.text : undefined;
};
const answers = () => s.desk.asked.filter((what) => what.startsWith('answer'));
const interrupted = () => [...s.scribe.utterances.values()].some((u) => u.interrupted);

describe('a caller whose words the grammar does not know', () => {
  it('is served when the second ear surely understood a request', async () => {
    await sayUnclearly('', 'what is my account balance please', 0.8);
    expect(lastHeard()).toBe('what is my account balance please');
  });

  it('is asked whether it was that when it is less sure', async () => {
    await sayUnclearly('', 'what is my balance', 0.6);
    expect(s.voice.said.at(-1)).toBe('Was it what is my balance?');
    expect(s.desk.asked).toEqual([]);
  });

  it('is served when both ears, neither of them sure, come to the same', async () => {
    await sayUnclearly('so what is my balance', 'what is my balance', 0.4);
    expect(lastHeard()).toBe('what is my balance');
    expect(s.voice.said.at(-1)).not.toContain('Was it');
  });

  it('has said it, when it was surely a sentence in quiet, whatever it means', async () => {
    await sayUnclearly('', 'i was wondering about the weather in paris', 0.85);
    expect(lastHeard()).toBe('i was wondering about the weather in paris');
    await sayUnclearly('', 'there is somebody at the door', 0.85, { noisy: true });
    expect(lastHeard()).toBe(UNINTELLIGIBLE);
    await sayUnclearly('', 'there is somebody at the door', 0.5);
    expect(lastHeard()).toBe(UNINTELLIGIBLE);
  });

  it('is taken for what fits, before the words that were written, and asked about what fits less', async () => {
    const fitting = async (fit: number) => {
      const fits = [
        { text: 'what is my balance', fit },
        { text: 'what', fit: -1 },
      ];
      await s.say('what is my balance', {
        ...{ rejected: true, confidence: 0.4 },
        otherwise: { text: 'what in my mind', confidence: 0.78, fits },
      });
      await s.voice.play();
    };
    await fitting(-1.2);
    expect(s.voice.said.at(-1)).toBe('Was it what is my balance?');
    await s.say('no');
    await s.voice.play();
    await fitting(0.5);
    expect(lastHeard()).toBe('what is my balance');
  });

  it('has not said yes to nothing, when a word in a sentence sounds like it', async () => {
    await sayUnclearly('', 'please bear fine', 0.7);
    expect(lastHeard()).toBe(UNINTELLIGIBLE);
    await sayUnclearly('', 'fine', 0.7);
    expect(lastHeard()).toBe('fine');
  });

  it('is not hung up on for what may have been a goodbye', async () => {
    await sayUnclearly('', 'goodbye', 0.6);
    expect(lastHeard()).toBe(UNINTELLIGIBLE);
    await sayUnclearly('', 'goodbye', 0.9);
    expect(lastHeard()).toBe('goodbye');
  });
});

describe('the record', () => {
  const accounts = () => s.scribe.events.filter(([type]) => type === 'heard-twice').map(([, data]) => data);

  it('tells what each ear made of the words, and what was made of both', async () => {
    await sayUnclearly('so what is my balance', 'what is my balance', 0.4);
    await s.say('what is my balance');
    expect(accounts()).toEqual([
      {
        ...{ guess: 'so what is my balance', confidence: 0.01, rejected: true, noisy: false },
        ...{ otherwise: 'what is my balance', certainty: 0.4, fits: 'not asked' },
        ...{ taken: 'what is my balance', believed: true, likelihood: 0.85 },
      },
    ]);
  });

  it('tells nothing of what is said where a PIN is waited for', async () => {
    s.answer = () => act('block_card');
    await s.say('block my card');
    await s.desk.ask(PIN);
    await s.voice.play();
    await sayUnclearly('', 'my pin is one three nine seven', 0.9);
    expect(accounts()).toEqual([]);
  });

  it.each([
    ['', 'my pin is one three nine seven'],
    ['what is my balance', 'my bin is one three nine seven'],
    ['block the card ending in one three nine seven', 'block the card'],
  ])('nor where one ear heard a number that nobody asked for (%j and %j)', async (guess, otherwise) => {
    await sayUnclearly(guess, otherwise, 0.9);
    expect(accounts()).toEqual([]);
  });
});

describe('a caller who is asked something', () => {
  const asked = async (question: typeof CONFIRM) => {
    s.answer = () => act('block_card');
    await s.say('block my card');
    s.answer = () => say('Fine.');
    await s.desk.ask(question);
    await s.voice.play();
  };

  it('has said no by a doubtful no, and yes to a change by a sure one only', async () => {
    await asked(CONFIRM);
    await sayUnclearly('', 'yes', 0.6);
    expect(answers()).toEqual([]);
    await sayUnclearly('', 'no', 0.6);
    expect(answers()).toEqual(['answer no']);
  });

  it('has said yes when both ears heard one', async () => {
    await asked(CONFIRM);
    await sayUnclearly('yes', 'yes please', 0.5);
    expect(answers()).toEqual(['answer yes']);
  });

  it('has not said no in a long sentence with a "not" in it', async () => {
    await asked(CONFIRM);
    await sayUnclearly('', 'they do not remember it any more i think', 0.9);
    expect(answers()).toEqual([]);
  });

  it('has given a number only when both ears heard the same', async () => {
    await asked(PIN);
    await sayUnclearly('two five eight nine', 'two five eight zero', 0.9);
    expect(answers()).toEqual([]);
    await sayUnclearly('two five eight oh', 'two five eight zero', 0.5);
    expect(answers()).toEqual(['answer 2580']);
  });
});

describe('over the bot', () => {
  beforeEach(async () => {
    s.answer = () => say('Your last transactions are these, and there are a great many of them.');
    await s.say('what are my last transactions');
  });
  const shout = async (otherwise: string, confidence: number, fits?: { text: string; fit: number }[]) => {
    s.bargeIn();
    await s.time.pass(400);
    await s.stopSpeaking();
    await s.time.pass(300);
    const heard = { text: otherwise, confidence, ...(fits && { fits }) };
    await s.final('', { rejected: true, confidence: 0, otherwise: heard });
  };

  it('"stop" stops it though something to ask for fits, too', async () => {
    await shout('stop', 0.6, [{ text: 'what is my balance', fit: 0.2 }]);
    expect(interrupted()).toBe(true);
  });

  it('"stop" stops it though the grammar has not heard it', async () => {
    await shout('stop', 0.6);
    expect(interrupted()).toBe(true);
  });

  it.each([
    ['there is somebody at the door', 0.9],
    ['no', 0.3],
  ])('"%s", heard with %f, does not', async (text, confidence) => {
    await shout(text, confidence);
    expect(interrupted()).toBe(false);
  });
});
