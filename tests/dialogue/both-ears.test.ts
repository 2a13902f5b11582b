import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import { heardOtherwise } from '../../src/dialogue/heard-otherwise.ts';
import { decided, LIKELY } from '../../src/dialogue/requests/certainty.ts';
import { askedIn, readerOf } from '../../src/dialogue/requests/request-reader.ts';
import { bySound } from '../../src/dialogue/requests/sentences-by-sound.ts';
import type { Utterance } from '../../src/dialogue/turn-taking/listener.ts';
import { CONFIRM, PIN } from './stage.ts';

const FILE = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));
const actions = actionsOf(loadActions(FILE));

interface Ears {
  /** By the grammar; '' for nothing. */
  grammar: string;
  confidence: number;
  rejected?: boolean;
  /** By the other ear. */
  other: string;
  /** How well sentences fit what it heard. */
  fits?: Record<string, number>;
  sure?: number;
  noisy?: boolean;
}

function utterance({
  grammar,
  confidence,
  rejected = confidence < 0.5,
  other,
  sure = 0.6,
  noisy = true,
  fits,
}: Ears): Utterance {
  const times = { startedAt: 0, endedAt: 1000, endpointAt: 1200, finalAt: 1210 };
  const otherwise = {
    ...{ text: other, confidence: sure },
    ...(fits && { fits: Object.entries(fits).map(([text, fit]) => ({ text, fit })) }),
  };
  return { text: grammar, confidence, rejected, noisy, otherwise, ...times, why: 'complete' };
}

const heard = (ears: Ears, question?: typeof CONFIRM) =>
  heardOtherwise(utterance(ears), { question, over: false, actions });
const nameOf = (text: string) => {
  const reading = readerOf(actions).read(text);
  return reading.kind === 'requests' ? reading.requests.map(({ name }) => name).join(' and ') : reading.kind;
};

describe('a caller in a noisy room', () => {
  it('is understood when one ear doubts its guess and the other wrote something that sounds like it', () => {
    const { text, rejected, confidence } = heard({
      grammar: 'uh what is my balance',
      confidence: 0.38,
      other: 'what is my problem',
    });
    expect({ name: nameOf(text), rejected }).toEqual({ name: 'account_balance', rejected: false });
    expect(confidence).toBeGreaterThan(0.65);
  });

  it('is told what was understood when one ear understood nothing and the other wrote nearly a request', () => {
    const how = heard({ grammar: '', confidence: 0, other: 'how much money did in my current account' });
    const { course, asked } = decided(askedIn(how.text, actions), how, actions);
    expect({ course, name: asked[0]?.name }).toEqual({ course: 'do-and-say', name: 'account_balance' });
  });

  it('has not said what one ear believes when the other wrote clearly something else', () => {
    const { text, rejected } = heard({
      grammar: 'tell me my last nine payments',
      confidence: 0.52,
      other: 'block my debit card',
      sure: 0.9,
    });
    expect(nameOf(text) === 'transaction_list' && !rejected, `${text} ${rejected}`).toBe(false);
  });

  it('has asked about a card when nobody can tell which one was named', () => {
    const { text, rejected } = heard({
      grammar: 'i am still waiting for my credit card',
      confidence: 0.9,
      other: 'i am still waiting for my guided card',
    });
    expect({ text, rejected }).toEqual({ text: 'i am still waiting for my card', rejected: false });
    const clear = heard({
      grammar: 'i am still waiting for my credit card',
      confidence: 0.9,
      other: 'i am still waiting for my credit card',
    });
    expect(clear.text).toBe('i am still waiting for my credit card');
  });

  it('has said nothing to the bank when both ears hear other talk', () => {
    for (const other of [
      'there is somebody at the door',
      'the train will be late again',
      'my sister plays the violin',
    ]) {
      expect(heard({ grammar: '', confidence: 0, other, sure: 0.9 }).rejected, other).toBe(true);
      const guessed = heard({ grammar: 'where is my card thanks', confidence: 0.11, other, sure: 0.9 });
      expect(guessed.rejected && guessed.confidence < LIKELY, other).toBe(true);
    }
  });
});

describe('a caller in a noisy room who is asked about a change', () => {
  it('has said no rather than a yes that one ear heard', () => {
    const twoWays = heard({ grammar: 'nope', confidence: 0.61, other: 'yeah', sure: 0.7 }, CONFIRM);
    expect(twoWays.text).toBe('nope');
    const one = heard({ grammar: '', confidence: 0, other: 'yeah', sure: 0.8 }, CONFIRM);
    expect(one.rejected).toBe(true);
    const doubtful = heard({ grammar: 'yes', confidence: 0.35, other: 'you know', sure: 0.6 }, CONFIRM);
    expect(doubtful.text === 'yes' && !doubtful.rejected).toBe(false);
  });

  it('has said yes when both ears heard it', () => {
    expect(heard({ grammar: 'yes', confidence: 0.42, other: 'yes', sure: 0.6 }, CONFIRM)).toMatchObject({
      text: 'yes',
      rejected: false,
    });
  });

  it('has said no by a doubtful one', () => {
    const { text, confidence } = heard({ grammar: 'no', confidence: 0.34, other: 'no', sure: 0.5 }, CONFIRM);
    expect(text).toBe('no');
    expect(confidence).toBeGreaterThan(0.6);
  });
});

it('a number is not weighed: what one ear believed stays, what both heard counts', () => {
  const sure = { grammar: 'two five eight zero', confidence: 0.8, other: 'two five eight nine' };
  expect(heard(sure, PIN)).toMatchObject({ text: 'two five eight zero', rejected: false });
});

it('on a quiet line what the recogniser believes stays, whatever another ear wrote', () => {
  const believed = { grammar: 'where is my card', confidence: 0.9, other: 'what is my balance', noisy: false };
  expect(heard(believed)).toMatchObject({ text: 'where is my card', rejected: false });
});

it('sentences kept by their sounds are read as the reader reads them', () => {
  const sentences = [...bySound(actions).nearest('what is my balance')].filter((_, i) => i % 9 === 0);
  const differing = sentences.filter(({ text, reading }) => {
    const read = readerOf(actions).read(text);
    return reading.kind === 'requests' && JSON.stringify(read) !== JSON.stringify(reading);
  });
  expect(differing.map(({ text }) => text)).toEqual([]);
});

describe('a caller in a noisy room, of whom is known how well sentences fit', () => {
  it('is understood by the sentence that fits, though neither ear has understood it', () => {
    const { text, rejected } = heard({
      ...{ grammar: '', confidence: 0, other: 'we bear finding', sure: 0.36 },
      fits: { 'please verify me': 1.1, 'identify me': -0.6, 'where is my card': -2 },
    });
    expect({ text, rejected }).toEqual({ text: 'please verify me', rejected: false });
  });

  it('is believed by both against what one ear guesses', () => {
    const { text } = heard({
      ...{ grammar: 'please goodbye now', confidence: 0.6, other: 'please get my knee' },
      fits: { 'please goodbye now': -1.5, 'please verify me': 1.4 },
    });
    expect(text).toBe('please verify me');
  });

  it('is not understood where nothing fits, nor surely where two things do', () => {
    const nothing = heard({
      ...{ grammar: '', confidence: 0, other: 'the violin' },
      fits: { 'where is my card': -2.5, goodbye: -2 },
    });
    expect(nothing).toMatchObject({ rejected: true });
    expect(nothing.confidence).toBeLessThan(LIKELY);
    const two = heard({
      ...{ grammar: '', confidence: 0, other: 'my account cart' },
      fits: { 'block my card': 1, 'what is my balance': 1 },
    });
    expect(two.rejected).toBe(true);
  });

  it('has not said which card where both names fit alike', () => {
    const fits = { 'where is my debit card': 1.6, 'where is my credit card': 1.5, 'what is my balance': -2 };
    const { text, rejected } = heard({ grammar: '', confidence: 0, other: 'where is my get it card', fits });
    expect({ text, rejected }).toEqual({ text: 'where is my card', rejected: false });
    const apart = { ...fits, 'where is my credit card': 0.9 };
    expect(heard({ grammar: '', confidence: 0, other: 'where is my get it card', fits: apart }).text).toBe(
      'where is my debit card',
    );
  });
});
