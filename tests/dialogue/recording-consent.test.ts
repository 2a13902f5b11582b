import { afterEach, describe, expect, it } from 'vitest';
import { Stage, say } from './stage.ts';

let s: Stage;
const settled: boolean[] = [];
afterEach(() => {
  settled.length = 0;
  return s.scope.close();
});

function stage(): Stage {
  s = new Stage({
    consent: {
      announcement: 'This call is recorded, say no if you mind.',
      declined: 'All right, it is not.',
      declineKey: '9',
      onSettled: (recorded) => settled.push(recorded),
    },
  });
  s.answer = () => say('It is on its way.');
  return s;
}

describe('a caller who is told that the call is recorded', () => {
  it('hears that before the greeting', async () => {
    await stage().greet();
    expect(s.voice.said).toEqual(['This call is recorded, say no if you mind.', 'Welcome.']);
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'yes-no', secret: false });
    expect(settled).toEqual([]);
  });

  it.each(['no', 'no thank you', 'please do not record this call'])(
    'and says "%s" is told that it is not',
    async (no) => {
      await stage().greet();
      await s.say(no);
      await s.voice.play();
      expect(settled).toEqual([false]);
      expect(s.voice.said.at(-1)).toBe('All right, it is not.');
      // What was thought of ahead, in the pause, is not said.
      expect(s.voice.said).not.toContain('It is on its way.');
      // Said later, it is an answer to something else.
      await s.say('no');
      await s.voice.play();
      expect(settled).toEqual([false]);
      expect(s.voice.said.at(-1)).toBe('It is on its way.');
    },
  );

  it('and presses the key as well', async () => {
    await stage().greet();
    s.conversation.onKey('9');
    await s.voice.play();
    expect(settled).toEqual([false]);
    expect(s.voice.said.at(-1)).toBe('All right, it is not.');
  });

  it('and goes on has agreed, and is served', async () => {
    await stage().greet();
    await s.say('where is my card');
    await s.voice.play();
    expect(settled).toEqual([true]);
    expect(s.voice.said.at(-1)).toBe('It is on its way.');
  });

  it('and says nothing, or nothing that is understood, has not answered', async () => {
    await stage().greet();
    await s.say('');
    await s.voice.play();
    await s.time.pass(3_000);
    expect(settled).toEqual([]);
  });
});
