import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Question } from '../../src/dialogue/questions/action-desk.ts';
import { Keypad } from '../../src/dialogue/questions/keypad.ts';
import { SentenceSplitter } from '../../src/dialogue/speaking/sentence-splitter.ts';
import { BargeIn, DEFAULT_BARGE_IN } from '../../src/dialogue/turn-taking/barge-in.ts';
import { CallerPace } from '../../src/dialogue/turn-taking/caller-pace.ts';
import {
  adaptiveEndpointing,
  DIGITS,
  Endpointing,
  endpointingBy,
  OPEN_REQUEST,
} from '../../src/dialogue/turn-taking/endpointing.ts';
import { DEFAULT_IDLE, Idle } from '../../src/dialogue/turn-taking/idle.ts';
import { isBesides, weighed } from '../../src/dialogue/turn-taking/wholeness.ts';

const words = (
  text: string,
  complete: boolean | undefined,
  more: { confidence?: number; endOfTurn?: number } = {},
) => ({
  text,
  confidence: 0.5,
  ...(complete === undefined ? {} : { complete }),
  ...more,
});

describe('endpointing', () => {
  it('answers soon after a whole sentence, waits longer in the middle of one', () => {
    const whole = new Endpointing(OPEN_REQUEST, 0);
    whole.partial(words('what is my balance', true));
    whole.speechEnd(1000);
    const half = new Endpointing(OPEN_REQUEST, 0);
    half.partial(words('what is my', false));
    half.speechEnd(1000);
    expect(whole.deadline()).toBe(1000 + OPEN_REQUEST.completeMs);
    expect(half.deadline()).toBe(1000 + OPEN_REQUEST.begunMs);
    expect(half.reason(half.deadline())).toBe('incomplete');
  });

  it('answers sooner still what the recogniser is sure of once the caller has fallen silent', () => {
    const wait = (confidence: number, options = OPEN_REQUEST) => {
      const one = new Endpointing(options, 0);
      one.partial(words('what is my balance', true, { confidence }));
      one.speechEnd(1000);
      return one.deadline() - 1000;
    };
    expect(wait(0.5)).toBe(200);
    expect(wait(0.95)).toBe(150);
    // Of a number that is whole nobody knows whether it was read to its end.
    expect(wait(0.95, DIGITS)).toBe(200);
    const hesitant = new CallerPace();
    for (const ms of [200, 200]) hesitant.pause(ms);
    expect(wait(0.95, adaptiveEndpointing(undefined, hesitant))).toBe(240);
  });

  it('waits through a pause of a second and a half where a sentence has begun, not after a mere sound or where nobody knows', () => {
    const waits = (text: string, complete: boolean | undefined) => {
      const one = new Endpointing(OPEN_REQUEST, 0);
      one.partial(words(text, complete));
      one.speechEnd(1000);
      return one.deadline() - 1000;
    };
    expect(waits('how much money is in', false)).toBeGreaterThan(1600);
    expect(waits('what', false)).toBe(OPEN_REQUEST.incompleteMs);
    expect(waits('how much money is in my', undefined)).toBe(OPEN_REQUEST.incompleteMs);
  });

  it('waits a second for another request behind "and", which may have been a breath', () => {
    const actions = [{ name: 'verify', description: '', parameters: {}, examples: ['[please] verify me'] }];
    const waits = (text: string, confidence: number) => {
      const one = new Endpointing(OPEN_REQUEST, 0);
      const partial = { segment: 1, kind: 'partial', at: 1000, ...words(text, false, { confidence }) } as const;
      one.partial(weighed(partial, undefined, actions));
      one.speechEnd(1000);
      return one.deadline() - 1000;
    };
    expect(waits('please verify me and', 0.9)).toBe(OPEN_REQUEST.incompleteMs);
    expect(waits('please verify me and then', 0.9)).toBe(OPEN_REQUEST.incompleteMs);
    expect(waits('please verify me and what is', 0.9)).toBe(OPEN_REQUEST.begunMs);
    expect(waits('my name and', 0.9)).toBe(OPEN_REQUEST.begunMs);
  });

  it('waits for what is asked for behind a mere "please", which answers nothing, unless something was asked', () => {
    const heard = { segment: 1, kind: 'partial', at: 0, ...words('please', true) } as const;
    expect(weighed(heard, undefined, []).complete).toBe(false);
    expect(weighed({ ...heard, text: 'hello please' }, undefined, []).complete).toBe(false);
    expect(weighed({ ...heard, text: 'balance please' }, undefined, []).complete).toBe(true);
    const question = { slot: 'sure', expects: { kind: 'yes-no' }, secret: false, prompt: '', reprompt: '' } as const;
    expect(weighed(heard, { question: { ...question, mustBeHeard: true }, digits: '' }, []).complete).toBe(true);
  });

  it('does not wait for the rest of a sentence of which the recogniser believes nothing, but of a number', () => {
    const waits = (confidence: number, asked: typeof OPEN_REQUEST) => {
      const one = new Endpointing(asked, 0);
      one.partial(words('please let me', false));
      one.speechEnd(1000);
      one.partial(words('please let me', false, { confidence }));
      return one.deadline() - 1000;
    };
    expect(waits(0.45, OPEN_REQUEST)).toBe(OPEN_REQUEST.begunMs);
    expect(waits(0.2, OPEN_REQUEST)).toBe(OPEN_REQUEST.doubtfulMs);
    expect(waits(0.2, DIGITS)).toBe(DIGITS.begunMs);
  });

  it('waits through a pause of a second for the rest of a number that looks whole, and is not believed', () => {
    const number = new Endpointing(DIGITS, 0);
    number.partial(words('one three nine oh', true));
    number.speechEnd(1000);
    expect(number.deadline()).toBe(1000 + DIGITS.completeMs);
    number.partial(words('one three nine oh', true, { confidence: 0.01 }));
    expect(number.deadline()).toBeGreaterThan(2000);
    expect(number.reason(number.deadline())).toBe('doubtful');
  });

  it('waits as long after a word or two that are no number where one was asked for', () => {
    const expects = { kind: 'digits', length: 6 } as const;
    const question = { slot: 'n', expects, secret: false, prompt: '', reprompt: '', mustBeHeard: false };
    const asked = { question, digits: '' };
    const waits = (text: string) => {
      const number = new Endpointing(DIGITS, 0);
      number.partial({ ...words(text, true, { confidence: 0.9 }), besides: isBesides({ text }, asked) });
      number.speechEnd(1000);
      return number.deadline() - 1000;
    };
    expect(waits('agent please')).toBeGreaterThan(1000);
    expect(waits('eight three zero four six five')).toBe(DIGITS.completeMs);
    expect(waits('i want to speak to an agent')).toBe(DIGITS.completeMs);
    expect(isBesides({ text: 'an agent' }, undefined)).toBe(false);
  });

  it('waits for the rest of a number through a long pause', () => {
    const number = new Endpointing(DIGITS, 0);
    number.partial(words('four seven one', false));
    number.speechEnd(1000);
    expect(number.deadline()).toBeGreaterThanOrEqual(2500);
    number.speechStart();
    number.partial(words('four seven one nine two zero', true));
    number.speechEnd(3000);
    expect(number.deadline()).toBe(3000 + DIGITS.completeMs);
  });

  it('hears from an end-of-turn model that a caller is done, or will go on, until they do', () => {
    const open = new Endpointing(OPEN_REQUEST, 0);
    open.partial(words('what about my', false));
    open.speechEnd(1000);
    expect(open.deadline()).toBe(1000 + OPEN_REQUEST.begunMs);
    open.partial(words('what about my', false, { endOfTurn: 0.5 }));
    expect(open.deadline()).toBe(1000 + OPEN_REQUEST.begunMs);
    open.partial(words('what about my', false, { endOfTurn: 0.9 }));
    expect(open.deadline()).toBe(1000 + OPEN_REQUEST.model!.doneMs);
    expect(open.reason(open.deadline())).toBe('model');
    open.speechStart();
    open.speechEnd(2000);
    expect(open.deadline()).toBe(2000 + OPEN_REQUEST.begunMs);
    open.partial(words('what about my card', true, { endOfTurn: 0.1 }));
    expect(open.deadline()).toBe(2000 + OPEN_REQUEST.model!.goesOnMs);
    expect(open.reason(open.deadline())).toBe('complete');
  });

  it('leaves an end-of-turn model, which is asked in the pause, the time to say that a caller goes on', () => {
    const waits = (endOfTurnModel: string | undefined) => {
      const policy = endpointingBy({ endpointingFixedMs: undefined, endOfTurnModel });
      const sure = new Endpointing(policy(undefined, new CallerPace()), 0);
      sure.partial(words('what is my balance', true, { confidence: 0.95 }));
      sure.speechEnd(1000);
      return sure.deadline() - 1000;
    };
    expect(waits(undefined)).toBe(OPEN_REQUEST.sureMs);
    expect(waits('smart-turn.onnx')).toBe(OPEN_REQUEST.completeMs);
  });

  it('does not ask a model whether a number is whole', () => {
    const number = new Endpointing(DIGITS, 0);
    number.partial(words('four seven one', false, { endOfTurn: 0.99 }));
    number.speechEnd(1000);
    expect(number.deadline()).toBe(1000 + DIGITS.incompleteMs);
  });

  it('never waits past the maximum, however long somebody talks', () => {
    const endless = new Endpointing(OPEN_REQUEST, 500);
    expect(endless.deadline()).toBe(500 + OPEN_REQUEST.maxUtteranceMs);
    expect(endless.reason(endless.deadline())).toBe('too-long');
  });
});

describe('the pace of a caller', () => {
  const complete = (pace: CallerPace) => adaptiveEndpointing(undefined, pace).completeMs;

  it('gets quick answers until they hesitate, and more time from then on', () => {
    const pace = new CallerPace();
    expect(complete(pace)).toBe(OPEN_REQUEST.completeMs);
    pace.pause(60);
    expect(complete(pace)).toBe(OPEN_REQUEST.completeMs);
    pace.pause(350);
    pace.pause(380);
    expect(complete(pace)).toBeGreaterThan(380);
  });

  it('that was cut off once is not cut off at the same pause again', () => {
    const pace = new CallerPace();
    pace.cutOff(400);
    expect(complete(pace)).toBeGreaterThan(400);
  });

  it('is waited for less and less where nothing came of waiting, until they do go on after a pause', () => {
    const pace = new CallerPace();
    const begun = () => adaptiveEndpointing(undefined, pace).begunMs;
    pace.waitedInVain();
    expect(begun()).toBe(900);
    pace.waitedInVain();
    pace.waitedInVain();
    expect(begun()).toBe(600);
    expect(adaptiveEndpointing(undefined, pace).incompleteMs).toBe(600);
    expect(complete(pace)).toBe(OPEN_REQUEST.completeMs);
    pace.pause(250);
    expect(begun()).toBe(600);
    pace.pause(550);
    expect(begun()).toBe(OPEN_REQUEST.begunMs);
  });

  it('is waited for as long as ever in the middle of a number', () => {
    const pace = new CallerPace();
    for (let i = 0; i < 3; i++) pace.waitedInVain();
    const number: Question = {
      slot: 'customer_number',
      expects: { kind: 'digits', length: 6 },
      secret: false,
      prompt: 'Which number?',
      reprompt: 'Six digits, please.',
      mustBeHeard: false,
    };
    expect(adaptiveEndpointing(number, pace)).toEqual(adaptiveEndpointing(number, new CallerPace()));
  });

  it('never makes everybody wait for ever, and is forgotten after a while', () => {
    const pace = new CallerPace();
    pace.cutOff(5000);
    expect(complete(pace)).toBeLessThanOrEqual(OPEN_REQUEST.completeMs * 2.5);
    for (let i = 0; i < 8; i++) pace.pause(130);
    expect(complete(pace)).toBe(OPEN_REQUEST.completeMs);
  });
});

describe('barge-in', () => {
  it('is an interruption almost at once when the word is "stop", and soon when there are other words', () => {
    const pause = new BargeIn(DEFAULT_BARGE_IN, 0);
    expect(pause.verdict(50)).toBe('undecided');
    pause.partial('stop', 50);
    expect(pause.verdict(51)).toBe('undecided');
    expect(pause.verdict(pause.deadline())).toBe('interrupt');
    expect(pause.deadline()).toBeLessThan(200);
    const words = new BargeIn(DEFAULT_BARGE_IN, 0);
    words.partial('what is', 50);
    expect(words.verdict(51)).toBe('undecided');
    expect(words.verdict(words.deadline())).toBe('interrupt');
  });

  it('is left to the final result when a short sound looks like a word', () => {
    const grunt = new BargeIn(DEFAULT_BARGE_IN, 0);
    grunt.partial('an agent', 100);
    grunt.speechEnd(400);
    expect(grunt.verdict(400 + DEFAULT_BARGE_IN.resumeAfterMs)).toBe('undecided');
    expect(grunt.verdict(grunt.deadline())).toBe('resume');
  });

  it('is one when the word is "no", and none when "no" only begins what a short sound looks like', () => {
    for (const words of ['no', 'no no', 'nope', 'no thanks']) {
      const pause = new BargeIn(DEFAULT_BARGE_IN, 0);
      pause.partial(words, 200);
      expect(pause.verdict(200 + DEFAULT_BARGE_IN.haltMs)).toBe('interrupt');
    }
    const uhHuh = new BargeIn(DEFAULT_BARGE_IN, 0);
    uhHuh.partial('no the', 200);
    expect(uhHuh.verdict(200 + DEFAULT_BARGE_IN.haltMs)).toBe('undecided');
    uhHuh.speechEnd(500);
    expect(uhHuh.verdict(uhHuh.deadline())).toBe('resume');
  });

  it('is none when somebody says "mhm", "okay" or "right", however slowly', () => {
    for (const word of ['mhm', 'okay', 'right', 'yes okay', 'uh-huh', 'I see']) {
      const pause = new BargeIn(DEFAULT_BARGE_IN, 0);
      pause.partial(word, 100);
      expect(pause.verdict(900)).toBe('undecided');
      pause.speechEnd(950);
      expect(pause.verdict(pause.deadline())).toBe('resume');
    }
  });

  it('takes "yes" for an answer when that is what was asked', () => {
    const pause = new BargeIn({ ...DEFAULT_BARGE_IN, anyWordAnswers: true }, 0);
    pause.partial('yes', 100);
    expect(pause.verdict(DEFAULT_BARGE_IN.wordsMs)).toBe('interrupt');
    const short = new BargeIn({ ...DEFAULT_BARGE_IN, anyWordAnswers: true }, 0);
    short.partial('yes', 100);
    short.speechEnd(300);
    expect(short.verdict(300 + DEFAULT_BARGE_IN.resumeAfterMs)).toBe('undecided');
  });

  it('lets the bot go on after a cough', () => {
    const cough = new BargeIn(DEFAULT_BARGE_IN, 0);
    cough.speechEnd(180);
    expect(cough.verdict(cough.deadline() - 1)).toBe('undecided');
    expect(cough.verdict(cough.deadline())).toBe('resume');
  });

  it('is an interruption when the speech lasts, understood or not', () => {
    const talk = new BargeIn(DEFAULT_BARGE_IN, 0);
    expect(talk.verdict(talk.deadline())).toBe('interrupt');
  });
});

describe('silence', () => {
  it('asks twice, then says farewell; any sign of life starts it afresh', () => {
    const idle = new Idle(DEFAULT_IDLE);
    const wait = (from: number) => {
      idle.quiet(from);
      expect(idle.due(idle.deadline()! - 1)).toBeUndefined();
      return idle.due(idle.deadline()!);
    };
    expect(wait(0)).toBe('still-there');
    idle.callerActive();
    expect(wait(20_000)).toBe('still-there');
    expect(wait(40_000)).toBe('still-there');
    expect(wait(60_000)).toBe('farewell');
  });

  it('does not run while somebody speaks', () => {
    const idle = new Idle(DEFAULT_IDLE);
    idle.quiet(0);
    idle.busy();
    expect(idle.deadline()).toBeUndefined();
  });
});

describe('the keypad', () => {
  it('ends an entry at its length, at #, or when no more keys come; * starts over', () => {
    const keypad = new Keypad();
    expect('2580'.split('').map((key, i) => keypad.press(key, i * 100, 4))).toEqual([
      undefined,
      undefined,
      undefined,
      '2580',
    ]);
    expect('12#'.split('').map((key, i) => keypad.press(key, i * 100, 6))).toEqual([undefined, undefined, '12']);
    for (const key of '99*47') keypad.press(key, 1000, 6);
    expect(keypad.deadline()).toBeGreaterThan(1000);
    expect(keypad.take()).toBe('47');
    expect(keypad.deadline()).toBeUndefined();
  });
});

describe('the sentence splitter', () => {
  it('loses and changes no word, however the text is cut into tokens', () => {
    const text = fc.array(
      fc.constantFrom('Hello', 'there.', 'It', 'is', '1.5', 'Mr.', 'Smith?', 'yes,', 'well!', 'e.g.', 'now.'),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (words, cuts) => {
        const whole = words.join(' ');
        const splitter = new SentenceSplitter();
        const out: string[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = cuts[i % cuts.length]!;
          out.push(...splitter.push(whole.slice(at, at + size)));
          at += size;
        }
        out.push(...splitter.flush());
        expect(out.join(' ')).toBe(whole);
      }),
    );
  });

  it('hands a sentence on as soon as it is certain, and not at a decimal point or a title', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('Your balance is 1.')).toEqual([]);
    expect(splitter.push('5 dollars, Mr.')).toEqual([]);
    expect(splitter.push(' Smith. Is')).toEqual(['Your balance is 1.5 dollars, Mr. Smith.']);
    expect(splitter.push(' there more?')).toEqual([]);
    expect(splitter.flush()).toEqual(['Is there more?']);
  });
});
