import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNINTELLIGIBLE } from '../../src/dialogue/caller-line.ts';
import { KeyMenu } from '../../src/dialogue/questions/key-menu.ts';
import { settle } from '../support/manual-time.ts';
import { PROMPTS, Stage } from './stage.ts';

const MENU = ['Keys, then.', 'To block a card: one.', 'For your balance: two.', 'For a person: zero.'];

let s: Stage;
beforeEach(async () => {
  s = new Stage();
  await s.greet();
});
afterEach(() => s.scope.close());

async function notUnderstood(noisy = true): Promise<void> {
  await s.say('', { rejected: true, confidence: 0, noisy });
  await s.voice.play();
}
async function press(digit: string): Promise<void> {
  s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit, durationMs: 80 });
  await settle();
}

describe('a caller who is not understood twice where it is noisy', () => {
  beforeEach(async () => {
    await notUnderstood();
    expect(s.requests.at(-1)?.history.at(-1)).toMatchObject({ text: UNINTELLIGIBLE });
    await notUnderstood();
  });

  it('is told what there is by keys, and gets it at the first key, without a wait', async () => {
    expect(s.voice.said.slice(-4)).toEqual(MENU);
    await press('2');
    expect(s.desk.asked).toEqual(['account_balance']);
    expect(s.scribe.lines()).toContain('caller: [key 2]');
  });

  it('need not hear all of it first', async () => {
    await notUnderstood();
    await s.voice.play(1);
    await press('1');
    expect(s.desk.asked).toEqual(['block_card']);
  });

  it('gets a person by zero', async () => {
    await press('0');
    expect(s.desk.asked).toEqual(['speak_to_agent']);
  });

  it('hears the keys again behind one that stands for nothing, or words that are not understood either', async () => {
    await press('7');
    await s.voice.play();
    expect(s.voice.said.slice(-4)).toEqual(MENU);
    await notUnderstood();
    expect(s.voice.said.slice(-8)).toEqual([...MENU, ...MENU]);
    expect(s.desk.asked).toEqual([]);
  });

  it('may say it all the same, and then keys mean nothing any more', async () => {
    await s.say('what is my balance', { noisy: true });
    await s.voice.play();
    expect(s.requests.at(-1)?.history.at(-1)).toMatchObject({ text: 'what is my balance' });
    await press('1');
    await s.time.pass(5000);
    expect(s.desk.asked).toEqual([]);
  });
});

it('on a quiet line, who is not understood is asked to say it again, however often', async () => {
  for (let times = 0; times < 3; times++) await notUnderstood(false);
  expect(s.voice.said).not.toContain(PROMPTS.menu);
  expect(s.requests).toHaveLength(3);
});

it.each([
  [true, false],
  [false, true],
])('a room that is noisy one time (%s) or the other (%s) is a noisy one', async (first, second) => {
  await notUnderstood(first);
  await notUnderstood(second);
  expect(s.voice.said.slice(-4)).toEqual(MENU);
});

it('who was understood in between is asked again first', async () => {
  await notUnderstood();
  await s.say('what is my balance', { noisy: true });
  await s.voice.play();
  await notUnderstood();
  expect(s.voice.said).not.toContain(PROMPTS.menu);
});

it('a bot whose actions have no name for a menu has none, and of more than nine the first have keys', () => {
  const action = (name: string, menu?: string) => ({ name, description: name, parameters: {}, examples: [name], menu });
  const menuOf = (actions: ReturnType<typeof action>[]) => {
    const menu = new KeyMenu(actions, PROMPTS);
    menu.missed(true);
    menu.missed(true);
    return menu;
  };
  expect(menuOf([action('a'), action('b')])).toMatchObject({ open: false, sentences: undefined });
  const many = menuOf(Array.from({ length: 12 }, (_, at) => action(`a${at}`, `for ${at}`)));
  expect(many.sentences).toHaveLength(10);
  expect(many.choose('9')?.name).toBe('a8');
});
