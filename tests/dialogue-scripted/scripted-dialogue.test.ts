import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BACK_TO_IT,
  type HistoryItem,
  MORE_TO_COME,
  SAID_IN_PASSING,
  SAID_UNCLEARLY,
} from '../../src/dialogue/models/language-model.ts';
import { ScriptedDialogue } from '../../src/dialogue/scripted/scripted-dialogue.ts';
import { ACTIONS, answer, bot, caller, done, NO_AGENT, note } from './calls.ts';

const SHIPPED = 'Your credit card was shipped yesterday. The tracking number is one two three four five.';
const BALANCE = 'You have one thousand two hundred four dollars and fifty cents in your current account.';
const BLOCKED = 'I have blocked your debit card ending in four four one one.';
const ANYTHING_ELSE = 'Is there anything else I can do for you?';

const misheard = (name: string): HistoryItem => ({
  role: 'action',
  id: 'a1',
  name,
  arguments: {},
  result: { ok: false, code: 'misheard', data: {}, say: 'I am sorry, I got that wrong.' },
});

describe('a request', () => {
  it.each([
    ['where is my new card', 'card_delivery_status', {}],
    ["um hi, where's my debit card please?", 'card_delivery_status', { card_kind: 'debit' }],
    ['tell me my last five transactions', 'last_transactions', { count: 5 }],
    ['my customer number is four seven one nine two oh', 'verify_customer', { customer_number: '471920' }],
    ["yes I'd like to block my credit card", 'block_card', { card_kind: 'credit' }],
    ['could I speak to a person', 'speak_to_agent', {}],
  ])('%j asks for %s', async (said, name, args) => {
    const reply = await answer([bot('How can I help you?'), caller(said)]);
    expect(reply.parts).toEqual([{ type: 'action', id: expect.stringMatching(/.{8,}/), name, arguments: args }]);
  });

  it('gets a fresh id each time, even for the same history', async () => {
    const history = [caller('where is my card')];
    const ids = await Promise.all([answer(history), answer(history)]);
    const [a, b] = ids.map(({ parts }) => (parts[0]?.type === 'action' ? parts[0].id : ''));
    expect(a).not.toBe(b);
  });

  it('is understood with actions other than the bank knows', async () => {
    const pizza = [{ name: 'order', description: 'x', parameters: {}, examples: ['[one] pizza [please]'] }];
    expect((await answer([caller('a pizza please')], pizza)).actions).toEqual([{ name: 'order', arguments: {} }]);
  });

  it('is not read into its opposite', async () => {
    const reply = await answer([caller('please do not block my card')]);
    expect(reply.actions).toEqual([]);
    expect(reply.ends).toBe(false);
  });
});

describe('a word or two over the bot', () => {
  const changing = ACTIONS.map((one) =>
    one.name === 'speak_to_agent' ? ({ ...one, effect: 'change' } as const) : one,
  );
  const over = (said: string) => [bot('Here they are: fifty', true), note(SAID_IN_PASSING), caller(said)];

  it('that would change something is asked about first', async () => {
    const asked = await answer(over('an agent'), changing);
    expect(asked.actions).toEqual([]);
    expect(asked.text).toMatch(/did you mean: a person to speak to\?/i);
    const agreed = [...over('an agent'), bot(asked.text), caller('yes')];
    expect((await answer(agreed, changing)).actions).toMatchObject([{ name: 'speak_to_agent' }]);
    const refused = [...over('an agent'), bot(asked.text), caller('no')];
    expect((await answer(refused, changing)).actions).toEqual([]);
  });

  it('that sounds like a goodbye ends the call only when that is meant', async () => {
    const asked = await answer(over('bye'), changing);
    expect([asked.ends, asked.actions]).toEqual([false, []]);
    expect((await answer([...over('bye'), bot(asked.text), caller('yes')], changing)).ends).toBe(true);
    expect((await answer([...over('bye'), bot(asked.text), caller('no')], changing)).ends).toBe(false);
    expect((await answer([bot('Here they are: fifty.'), caller('bye')], changing)).ends).toBe(true);
  });

  it('that only asks for something is answered', async () => {
    expect((await answer(over('my balance'), changing)).actions).toMatchObject([{ name: 'account_balance' }]);
  });
});

describe('what may have been misheard', () => {
  const unclear = (said: string) => [bot('How can I help you?'), note(SAID_UNCLEARLY), caller(said)];

  it('ends no call and arranges nothing that nobody reads back, before the caller has said that it is meant', async () => {
    const leaving = await answer(unclear('goodbye'));
    expect([leaving.ends, leaving.text]).toEqual([false, 'Do you want to end the call?']);
    const changing = ACTIONS.map((one) => ({ ...one, effect: 'change' as const, readBack: one.name === 'block_card' }));
    expect((await answer(unclear('my balance and an agent'), changing)).actions).toEqual([]);
    expect((await answer(unclear('block my card'), changing)).actions).toMatchObject([{ name: 'block_card' }]);
  });

  it('and was, counts among what was not understood, until a person is offered', async () => {
    const wrong = [caller('what is my balance'), bot('Did you say: what is my balance?'), misheard('account_balance')];
    const once = await answer(wrong);
    expect(once.text).toBe('I am sorry, I got that wrong.');
    const twice = [...wrong, bot(once.text), caller('[unintelligible]')];
    expect((await answer(twice)).text).not.toMatch(/person\?$/);
    const thrice = [...twice, bot((await answer(twice)).text), caller('[unintelligible]')];
    expect((await answer(thrice)).text).toMatch(/Would you like to speak to a person\?$/);
  });
});

describe('a sound of listening', () => {
  it.each(['mm hmm', 'uh huh'])('%j is a yes where something was offered', async (said) => {
    const offer = bot('I am not sure that I understood you. Did you mean: the balance of your accounts?');
    expect((await answer([offer, caller(said)])).actions).toMatchObject([{ name: 'account_balance' }]);
  });

  it.each(['i see', 'hmm', 'okay got it'])('%j is understood, and asks for nothing', async (said) => {
    const reply = await answer([bot(BALANCE), caller(said)]);
    expect(reply.actions).toEqual([]);
    expect(reply.text).not.toMatch(/did not get/);
  });
});

describe('a result', () => {
  it('is told, with an offer of more that is not repeated every time', async () => {
    let history: HistoryItem[] = [];
    const offers: boolean[] = [];
    for (let turn = 0; turn < 4; turn++) {
      history = [...history, caller('what is my balance'), done('account_balance', BALANCE)];
      const { text, actions, ends } = await answer(history);
      expect(text.startsWith(BALANCE)).toBe(true);
      expect([actions, ends]).toEqual([[], false]);
      offers.push(text.endsWith('?'));
      history.push(bot(text));
    }
    expect(offers[0]).toBe(true);
    expect(offers).toContain(false);
  });

  it('that asks something itself is followed by nothing', async () => {
    const say = 'Thank you, Ada. You are verified. What can I do for you?';
    expect((await answer([caller('verify me'), done('verify_customer', say)])).text).toBe(say);
  });

  it('that is a failure offers a person, whom a yes brings', async () => {
    const say = 'I am sorry, the bank does not answer right now.';
    const history = [caller('my balance'), done('account_balance', say, { ok: false, code: 'bank-unavailable' })];
    const { text } = await answer(history);
    expect(text).toMatch(/^I am sorry, the bank does not answer right now\. .*person\?$/);
    expect((await answer([...history, bot(text), caller('yes please')])).actions).toEqual([
      { name: 'speak_to_agent', arguments: {} },
    ]);
    const refused = await answer([...history, bot(text), caller('no')]);
    expect([refused.actions, refused.ends]).toEqual([[], false]);
    expect((await answer(history, NO_AGENT)).text).not.toMatch(/person/);
  });

  it('of bringing a person is the last word', async () => {
    const say = 'A colleague will call you back within ten minutes.';
    expect((await answer([caller('agent'), done('speak_to_agent', say)])).text).toBe(say);
  });
});

describe('two requests in one breath', () => {
  const said = caller('where is my card and what is my balance');
  const balance = { name: 'account_balance', arguments: {} };
  const card = { name: 'card_delivery_status', arguments: {} };

  it('are asked for in order and told together', async () => {
    expect((await answer([said])).actions).toEqual([card, balance]);
    const both = await answer([said, done('card_delivery_status', SHIPPED), done('account_balance', BALANCE)]);
    expect(both.text).toContain(`${SHIPPED} ${BALANCE}`);
    expect(both.actions).toEqual([]);
  });

  it('of which another engine has done one are finished', async () => {
    const second = await answer([said, done('card_delivery_status', SHIPPED)]);
    expect([second.text, second.actions]).toEqual(['', [balance]]);
  });

  it.each([
    ['what is my balance and then where is my card and also my last three transactions', 3],
    ['block my credit card and block my debit card', 2],
    ['what is my balance and what is my balance', 1],
  ])('%j are %i', async (text, count) => {
    expect((await answer([caller(text)])).actions).toHaveLength(count);
  });

  it.each([
    ['my balance no my last three transactions', [{ name: 'last_transactions', arguments: { count: 3 } }]],
    ['what is my balance sorry I mean where is my card', [card]],
    ['what is my balance and block my card no actually where is my card', [balance, card]],
    ['no what is my balance', [balance]],
  ])('%j takes back what came before', async (text, actions) => {
    expect((await answer([caller(text)])).actions).toEqual(actions);
  });

  it('that are refused for one reason are refused once', async () => {
    const no = 'I could not verify you.';
    const refused = (name: string) => done(name, no, { ok: false, code: 'not-verified' });
    const { text } = await answer([said, refused('card_delivery_status'), refused('account_balance')]);
    expect(text.match(/could not verify/g)).toHaveLength(1);
  });

  it('are told together also when the second had to ask for something', async () => {
    const history = [said, done('card_delivery_status', SHIPPED), bot('Which account do you mean?')];
    expect((await answer([...history, done('account_balance', BALANCE)])).text).toContain(`${SHIPPED} ${BALANCE}`);
  });

  it('stop at the first that fails', async () => {
    const failed = done('card_delivery_status', 'I could not verify you.', { ok: false, code: 'not-verified' });
    expect((await answer([said, failed])).actions).toEqual([]);
  });

  it('are one when they are the same', async () => {
    const reply = await answer([caller('what is my balance and how much money do i have')]);
    expect(reply.actions).toHaveLength(1);
    expect(
      (await answer([caller('what is my balance and how much money do i have'), done('account_balance', BALANCE)]))
        .actions,
    ).toEqual([]);
  });
});

describe('an earlier matter that is still open', () => {
  const besides = [note(MORE_TO_COME), caller('what is my balance'), done('account_balance', BALANCE)];

  it('keeps the answer to what was asked meanwhile from ending in an offer', async () => {
    expect((await answer(besides)).text).toBe(BALANCE);
    const { text } = await answer([note(MORE_TO_COME), caller('what can you do')]);
    expect(text).not.toMatch(/\?$/);
  });

  it('is followed by an offer when it has been taken up and is done', async () => {
    const back = [...besides, bot(BALANCE), note(BACK_TO_IT)];
    const third = done('last_transactions', 'There are no transactions.');
    const { text } = await answer([done('verify_customer', 'You are verified.'), ...back, third]);
    expect(text).toBe(`There are no transactions. ${'Can I help you with anything else?'}`);
  });
});

describe('a result the caller did not hear', () => {
  const cutOff = [
    caller('block my debit card'),
    done('block_card', BLOCKED, { args: { card_kind: 'debit' } }),
    bot('', true),
  ];

  it('is told before the next request is done, and only then', async () => {
    const next = await answer([...cutOff, caller('what is my balance')]);
    expect(next.parts.map(({ type }) => type)).toEqual(['text', 'action']);
    expect(next.text).toBe(BLOCKED);
    const after = await answer([...cutOff, caller('what is my balance'), done('account_balance', BALANCE)]);
    expect(after.text).not.toContain(BLOCKED);
    const later = await answer([
      ...cutOff,
      caller('what is my balance'),
      done('account_balance', BALANCE),
      bot(`${BLOCKED} ${BALANCE}`),
      caller('thank you'),
    ]);
    expect(later.text).not.toContain(BLOCKED);
  });

  it('is told before goodbye', async () => {
    const reply = await answer([...cutOff, caller('goodbye')]);
    expect(reply.text.startsWith(BLOCKED)).toBe(true);
    expect(reply.ends).toBe(true);
  });

  it.each(['what did you say', 'yes', 'hello?', '[unintelligible]', 'block my debit card'])(
    'is the answer to %j, and nothing is done twice',
    async (said) => {
      expect(await answer([...cutOff, caller(said)])).toMatchObject({ text: BLOCKED, actions: [], ends: false });
    },
  );

  it('is told when it came in while something else was said', async () => {
    const history = [
      caller('block my debit card'),
      caller('hm'),
      done('block_card', BLOCKED),
      bot('I am sorry, I did not get that.'),
    ];
    expect((await answer(history)).text).toContain(BLOCKED);
  });

  it('is told by itself when it came in after the caller interrupted the wait', async () => {
    const history = [caller('block my debit card'), bot('One moment please,', true), done('block_card', BLOCKED)];
    expect((await answer(history)).text).toContain(BLOCKED);
  });

  it('is not told again when enough of it was heard', async () => {
    const heard = bot('I have blocked your debit card ending', true);
    const history = [...cutOff.slice(0, 2), heard, caller('what is my balance')];
    expect((await answer(history)).text).toBe('');
  });

  it('is not told again when another engine told it in its own words', async () => {
    const history = [...cutOff.slice(0, 2), bot('Done! Nobody can use it any more.'), caller('thanks')];
    expect((await answer(history)).text).not.toContain(BLOCKED);
  });

  it('needs no telling when the caller cancelled it', async () => {
    const cancelled = done('block_card', 'All right, I have left that.', { ok: false, code: 'cancelled' });
    const reply = await answer([caller('block my card'), cancelled, caller('agent')]);
    expect(reply.parts.map(({ type }) => type)).toEqual(['action']);
  });
});

describe('small talk', () => {
  it.each([
    ['hello', /help you\?$/],
    ['can you hear me', /^Yes, I can hear you/],
    ['who am I talking to', /automated assistant.*person/],
    ['thank you very much', /welcome/],
    ['wait a moment please', /take your time/],
    ['never mind', /What else can I do for you\?/],
    [
      'what can you do',
      /the delivery status of your card, the balance of your accounts, your last transactions and blocking a lost card.*person/,
    ],
    ['okay', /What can I do for you\?/],
  ])('%j is answered', async (said, expected) => {
    const reply = await answer([bot('Welcome to the bank. How can I help you?'), caller(said)]);
    expect(reply.text).toMatch(expected);
    expect([reply.actions, reply.ends]).toEqual([[], false]);
  });

  it.each(['goodbye', "no that's all thank you", 'nothing else', 'okay thanks bye'])(
    '%j ends the call',
    async (said) => {
      const reply = await answer([
        caller('my balance'),
        done('account_balance', BALANCE),
        bot(`${BALANCE} ${ANYTHING_ELSE}`),
        caller(said),
      ]);
      expect(reply.text).toMatch(/Goodbye\.$/);
      expect(reply.parts.at(-1)).toEqual({ type: 'end-call' });
    },
  );

  it('takes a no for goodbye only where more was offered', async () => {
    expect((await answer([bot(`${BALANCE} ${ANYTHING_ELSE}`), caller('no thanks')])).ends).toBe(true);
    expect((await answer([bot('All right, I have left that. What else can I do for you?'), caller('no')])).ends).toBe(
      true,
    );
    expect((await answer([bot('How can I help you?'), caller('no')])).ends).toBe(false);
    expect((await answer([bot(`${BALANCE} ${ANYTHING_ELSE}`), caller('yes')])).text).toMatch(/What can I do for you\?/);
  });

  it('repeats the last answer', async () => {
    const history = [caller('my balance'), done('account_balance', BALANCE), bot(`${BALANCE} ${ANYTHING_ELSE}`)];
    expect((await answer([...history, caller('sorry what was that')])).text).toBe(BALANCE);
    expect((await answer([bot('Welcome to the bank. How can I help you?'), caller('pardon')])).text).toBe(
      'Welcome to the bank. How can I help you?',
    );
  });

  it('says how to ask where the descriptions were written for a language model', async () => {
    const actions = ACTIONS.map((action) => ({
      ...action,
      description: 'Tells something. Call it when the caller asks.',
    }));
    const { text } = await answer([caller('help')], actions);
    expect(text).toContain('where is my card, what is my balance');
    expect(text).not.toContain('Call it when');
  });
});

describe('speech that is not understood', () => {
  it('is asked for again with an example, then offered what there is, then a person', async () => {
    const history: HistoryItem[] = [bot('How can I help you?')];
    const replies = [];
    for (const said of ['[unintelligible]', 'purple monkey dishwasher', '[unintelligible]']) {
      history.push(caller(said));
      const reply = await answer(history);
      replies.push(reply);
      history.push(bot(reply.text));
    }
    expect(replies[0]!.text).toMatch(/You can say, for example: \w+/);
    expect(replies[1]!.text).toContain('the balance of your accounts');
    expect(replies[2]!.text).toMatch(/speak to a person\?$/);
    // Noise in a room orders nothing; a yes does.
    expect(replies.flatMap(({ actions }) => actions)).toEqual([]);
    expect((await answer([...history, caller('yes')])).actions).toEqual([{ name: 'speak_to_agent', arguments: {} }]);
  });

  it('starts to count anew once something was understood', async () => {
    const miss = [caller('[unintelligible]'), bot('I am sorry, I did not get that.')];
    const history = [...miss, ...miss, caller('hello'), bot('Hello. How can I help you?'), caller('[unintelligible]')];
    expect((await answer(history)).text).toMatch(/for example/);
    const afterResult = [...miss, ...miss, done('account_balance', BALANCE), bot(BALANCE), caller('[unintelligible]')];
    expect((await answer(afterResult)).text).toMatch(/for example/);
  });

  it('never ends in a loop to a person who is not there', async () => {
    const misses = Array.from({ length: 6 }, () => [caller('[unintelligible]'), bot('I am sorry.')]).flat();
    const reply = await answer([...misses, caller('[unintelligible]')], NO_AGENT);
    expect(reply.actions).toEqual([]);
    expect(reply.text).not.toBe('');
    const tried = done('speak_to_agent', 'No agent is free.', { ok: false, code: 'bank-unavailable' });
    const again = await answer([
      ...misses.slice(0, 6),
      tried,
      bot('No agent is free.'),
      ...misses.slice(0, 6),
      caller('[unintelligible]'),
    ]);
    expect(again.actions).toEqual([]);
  });

  it('asks whether it means what it nearly says, and a yes does it', async () => {
    const { text: question, actions } = await answer([bot('How can I help you?'), caller('my card')]);
    expect(actions).toEqual([]);
    expect(question).toContain('Did you mean: the delivery status of your card?');
    const asked = [bot('How can I help you?'), caller('my card'), bot(question)];
    expect((await answer([...asked, caller('yes')])).actions).toEqual([
      { name: 'card_delivery_status', arguments: {} },
    ]);
    expect((await answer([...asked, caller('no')])).text).toMatch(/What can I do for you\?/);
  });
});

describe('taking over in mid-call', () => {
  it('takes a yes to the other engine as a yes to what it offered', async () => {
    const reply = await answer([bot('I see. Would you like me to block your card?'), caller('yes please')]);
    expect(reply.actions).toEqual([{ name: 'block_card', arguments: {} }]);
  });

  it('tells all the results the other engine had asked for', async () => {
    const history = [caller('how am I doing'), done('account_balance', BALANCE), done('card_delivery_status', SHIPPED)];
    expect((await answer(history)).text).toContain(`${BALANCE} ${SHIPPED}`);
  });

  it('greets when there is nothing yet, and minds notes', async () => {
    expect((await answer([])).text).toBe('How can I help you?');
    expect((await answer([bot('Hello.'), note('The speech was not understood.')])).text).toMatch(/did not get that/);
    expect((await answer([bot('Hello.'), note('The caller has been silent for ten seconds.')])).text).toBe(
      'Are you still there?',
    );
    expect((await answer([caller('my balance'), note('The line is bad.')])).actions).toHaveLength(1);
  });

  it('says what it can do when asked again after a result that says nothing', async () => {
    expect((await answer([done('gone_action', ''), caller('go on')])).text).toMatch(/What can I do for you\?$/);
  });

  it('always answers a caller with words or an action, whatever the history', async () => {
    const item: fc.Arbitrary<HistoryItem> = fc.oneof(
      fc
        .oneof(
          fc.string(),
          fc.constantFrom('where is my card and my balance', 'yes', 'no', 'what', 'bye', '[unintelligible]'),
        )
        .map(caller),
      fc
        .tuple(fc.constantFrom('', SHIPPED, ANYTHING_ELSE, 'Did you mean: the balance of your accounts?'), fc.boolean())
        .map(([text, interrupted]) => bot(text, interrupted)),
      fc.constantFrom(
        done('block_card', BLOCKED),
        done('gone_action', ''),
        done('account_balance', BALANCE, { ok: false, code: 'declined' }),
      ),
      fc.string().map(note),
    );
    const engine = new ScriptedDialogue();
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 8 }),
        fc.constantFrom(ACTIONS, NO_AGENT, []),
        fc.string(),
        async (history, actions, last) => {
          const reply = await answer([...history, caller(last)], actions, engine);
          expect(reply.parts.length).toBeGreaterThan(0);
          expect(reply.text !== '' || reply.actions.length > 0).toBe(true);
          for (const { name } of reply.actions) expect(actions.map((action) => action.name)).toContain(name);
          await answer(history, actions, engine);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('ends quietly when its turn is over', async () => {
    const turn = new AbortController();
    turn.abort();
    const parts = [];
    const request = { instructions: '', history: [caller('my balance')], actions: ACTIONS };
    for await (const part of new ScriptedDialogue().reply(request, turn.signal)) parts.push(part);
    expect(parts).toEqual([]);
  });
});

describe('a wish for another pace', () => {
  it.each([
    ['slower please', 'slower'],
    ['can you speak more slowly', 'slower'],
    ['could you repeat that slowly please', 'slower'],
    ['sorry you are too fast', 'slower'],
    ['please slow down', 'slower'],
    ['a bit faster please', 'faster'],
    ['normal speed please', 'normal'],
  ])('%j is understood', async (said, rate) => {
    const { parts, actions } = await answer([bot('Your card was shipped.'), caller(said)]);
    expect(parts[0]).toEqual({ type: 'speech-rate', rate });
    expect(actions).toEqual([]);
  });

  it('says nothing with "slower", so that the last answer is said again; after "faster" only what was cut off', async () => {
    expect((await answer([bot(SHIPPED), caller('slower please')])).text).toBe('');
    expect((await answer([bot(SHIPPED), caller('faster')])).text).not.toBe('');
    expect((await answer([bot('Your credit', true), caller('faster')])).text).toBe('');
  });

  it('that cuts off the news of a change gets the news, at that pace', async () => {
    const history = [caller('block my debit card'), done('block_card', BLOCKED), bot('I have', true), caller('slower')];
    const changing = ACTIONS.map((one) => (one.name === 'block_card' ? { ...one, effect: 'change' as const } : one));
    expect((await answer(history, changing)).parts).toEqual([
      { type: 'speech-rate', rate: 'slower' },
      { type: 'text', text: BLOCKED },
    ]);
  });

  it('is no answer to a result: an announcement in between does not count as its report', async () => {
    const heard = { role: 'assistant', text: 'Please stay on the line for a colleague.', interrupted: false } as const;
    const history = [caller('block my debit card'), done('block_card', BLOCKED)];
    const asked = caller('thank you');
    expect((await answer([...history, { ...heard, announcement: true }, asked])).text).toContain(BLOCKED);
    expect((await answer([...history, heard, asked])).text).not.toContain(BLOCKED);
  });
});
