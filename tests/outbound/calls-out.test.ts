import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connector } from '../support/connector.ts';
import { hasFreeSpeechModel } from '../support/free-speech-model.ts';
import type { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { header } from '../support/phone/sip-message.ts';
import { tone, VoiceBox } from '../support/phone/voice.ts';
import { callOf, isOver, order, orderOnce, request, Town } from './town.ts';

const town = new Town();
const voices = new VoiceBox();
let connector: Connector;
let listener: AnsweringPhone;
let ringing: AnsweringPhone;
let machine: AnsweringPhone;
let pretender: AnsweringPhone;

beforeAll(async () => {
  const [yes, no] = [await voices.speak('yes'), await voices.speak('no')];
  const greeting = { pcm: await voices.speak('hello', 'rms'), afterMs: 400 };
  await town.phone('+491001', { greeting, reply: { pcm: yes, afterMs: 500 }, hangupAfterReplies: 2 });
  await town.phone('+491002', { greeting, reply: { pcm: no, afterMs: 500 } });
  listener = await town.phone('+491003');
  await town.phone('+491004', { refuse: { status: 486, reason: 'Busy Here' } });
  await town.phone('+491005', { refuse: { status: 603, reason: 'Decline' } });
  ringing = await town.phone('+491006', { ringMs: Number.POSITIVE_INFINITY });
  const recorded = { greeting: { pcm: await machineGreeting(), afterMs: 700 } };
  machine = await town.phone('+491008', recorded);
  await town.phone('+491012', recorded);
  pretender = await town.phone('+491009', { greeting: { pcm: await pretence(), afterMs: 500 } });
  await town.phone('+491007', { refuse: { status: 404, reason: 'Not Found' } });
  const words = await voices.speak('the number you have dialed is not in service', 'awb');
  const information = joined(tone(950, 330), tone(1400, 330), tone(1800, 330), new Int16Array(800), words);
  await town.phone('+491010', { greeting: { pcm: information, afterMs: 300 } });
  await town.phone('+491011', { greeting: { pcm: tone(2100, 4000), afterMs: 1900 } });
  connector = await town.connector();
});
afterAll(async () => {
  await voices.close();
  await town.close();
});

const joined = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

async function machineGreeting(): Promise<Int16Array> {
  const words =
    "Hi, you've reached Anna Smith. I can't come to the phone right now. Please leave a message after the beep.";
  return joined(await voices.speak(words, 'awb'), new Int16Array(4800), tone(1000, 400), new Int16Array(800));
}

/** "Hello?", as a person would, and then it talks on. */
async function pretence(): Promise<Int16Array> {
  return joined(await voices.speak('hello', 'rms'), new Int16Array(12_000), await machineGreeting());
}

const reminder = (to: string) => ({ to, bot: 'reminder', variables: { name: 'Anna Smith' } });

// Called at the same time: what they wait for is speech and ringing, not each other.
describe.concurrent('somebody who is called', () => {
  it('is asked whether it is they, and then told what it is about', async () => {
    const placed = await order(connector, {
      ...reminder('+49 1001'),
      purpose: 'Your loan for {thing} is agreed.',
      variables: { name: 'Anna Smith', thing: 'the boat' },
    });
    expect(placed).toMatchObject({ state: 'QUEUED', to: '+491001', outcome: null });
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'callee-hangup', answeredBy: 'person' });
    const call = await callOf(connector, over);
    expect(call).toMatchObject({
      direction: 'OUTBOUND',
      calledNumber: '+491001',
      orderId: placed.orderId,
      status: 'COMPLETED',
      endCause: 'callee-hangup',
      trunk: 'line-0',
    });
    const said = call.utterances.filter((one) => one.speaker === 'assistant').map((one) => one.text);
    expect(said[0]).toBe('Hello, this is the bank. Am I speaking with Anna Smith?');
    expect(said[1]).toMatch(/^Your loan for the boat is agreed\./);
    expect(call.recording).toBeTruthy();
  });

  it('is told nothing when somebody else answers', async () => {
    const placed = await order(connector, reminder('+491002'));
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'wrong-party' });
    const call = await callOf(connector, over);
    const said = call.utterances
      .filter((one) => one.speaker === 'assistant')
      .map((one) => one.text)
      .join(' ');
    expect(said).toContain('sorry to have disturbed you');
    expect(said).not.toContain('card');
  });

  it('is called by the number of another bank’s gateway never: only where a gateway goes', async () => {
    const placed = await order(connector, reminder('+4420'));
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'FAILED', outcome: 'not-allowed' });
    expect((await callOf(connector, over)).status).toBe('FAILED');
  });
});

describe.concurrent('a call that is not answered says why', () => {
  it.each([
    ['is declined', '+491005', 'declined'],
    ['goes to a number nobody has', '+491007', 'unknown-number'],
  ])('it %s', async (_what, to, outcome) => {
    const placed = await order(connector, reminder(to));
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'FAILED', outcome });
    expect(await callOf(connector, over)).toMatchObject({ status: 'FAILED', endCause: outcome });
  });

  it('busy: and is tried again later, as the bot’s rule says', async () => {
    const placed = await order(connector, reminder('+491004'));
    const again = await orderOnce(connector, placed.orderId, (one) => one.attempts[0]?.outcome === 'busy');
    expect(again).toMatchObject({ state: 'QUEUED', outcome: null });
    const waits = new Date(again.nextAttemptAt!).getTime() - Date.now();
    expect(waits).toBeGreaterThan(50_000);
    expect(waits).toBeLessThanOrEqual(60_000);
  });

  it('not answered, after ringing as long as the order says', async () => {
    const placed = await order(connector, {
      ...reminder('+491006'),
      ringSeconds: 5,
      retry: { maxAttempts: 1, afterMinutes: {} },
    });
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'FAILED', outcome: 'no-answer' });
  });
});

describe('an answering machine', () => {
  it('is left the message behind its beep', async () => {
    const placed = await order(connector, reminder('+491008'));
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'message-left', answeredBy: 'machine' });
    const call = await callOf(connector, over);
    expect(call).toMatchObject({ endCause: 'message-left', answeredBy: 'machine', status: 'COMPLETED' });
    // Its first seconds were understood in any words as well.
    if (hasFreeSpeechModel) {
      const metrics = await (await connector.send('GET', '/metrics')).text();
      expect(metrics).toMatch(/voice_asr_second_ear_besides_total\{outcome="words"\} [1-9]/);
    }
    const said = call.utterances.map((one) => one.heard);
    expect(said).toEqual(['This is the bank with a message for Anna Smith. Please call us back.']);
    // The phone itself heard nothing before its beep had ended.
    const { line, ackedAt } = machine.calls.at(-1)!;
    const beepEnds = ackedAt! + 700 + ((await machineGreeting()).length - 800) / 8;
    expect(line.ear.spells[0]!.startAt).toBeGreaterThan(beepEnds - 100);
  });

  it('that was taken for a person is found out by its beep: the bot stops, and leaves the message', async () => {
    const placed = await order(connector, reminder('+491009'));
    const over = await orderOnce(connector, placed.orderId, isOver, 60_000);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'message-left', answeredBy: 'machine' });
    const call = await callOf(connector, over);
    const who = call.events.filter(({ type }) => type === 'answered-by').map(({ data }) => data);
    expect(who).toMatchObject([{ by: 'person' }, { by: 'machine', why: 'tone', late: true }]);
    const last = call.utterances.filter(({ speaker }) => speaker === 'assistant').at(-1)!;
    expect(last.heard).toBe('This is the bank with a message for Anna Smith. Please call us back.');
    const { line, ackedAt } = pretender.calls.at(-1)!;
    const beepEnds = ackedAt! + 500 + ((await pretence()).length - 800) / 8;
    expect(line.ear.spells.some(({ startAt }) => startAt > beepEnds - 100)).toBe(true);
  });

  it('is hung up on, where the order says so', async () => {
    const placed = await order(connector, { ...reminder('+491012'), onMachine: 'hang-up' });
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'answering-machine', answeredBy: 'machine' });
    expect((await callOf(connector, over)).utterances).toEqual([]);
  });
});

describe('a number behind which nobody can be left a message', () => {
  it.each([
    ['the network announces so, behind its tones', '+491010', 'announcement'],
    ['a fax answers', '+491011', 'fax'],
  ])('is hung up: %s', async (_what, to, why) => {
    const placed = await order(connector, reminder(to));
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'answering-machine', answeredBy: 'machine' });
    const call = await callOf(connector, over);
    expect(call.events.filter(({ type }) => type === 'answered-by').at(-1)?.data).toMatchObject({
      by: 'machine',
      why,
    });
    expect(call.utterances.filter(({ text }) => text.includes('message'))).toEqual([]);
  });
});

describe('an order', () => {
  it('is taken back while it waits, and while it rings; not when somebody talks', async () => {
    const later = await order(connector, {
      ...reminder('+491006'),
      earliest: new Date(Date.now() + 60_000).toISOString(),
    });
    const waiting = await request(connector, 'DELETE', `/orders/${later.orderId}`);
    expect(waiting).toMatchObject({ status: 200, body: { state: 'CANCELLED', outcome: 'cancelled' } });
    expect((await request(connector, 'DELETE', `/orders/${later.orderId}`)).status).toBe(200);

    const before = ringing.calls.length;
    const now = await order(connector, reminder('+491006'));
    await expect.poll(() => ringing.calls.length).toBe(before + 1);
    expect((await request(connector, 'DELETE', `/orders/${now.orderId}`)).status).toBe(202);
    expect(await orderOnce(connector, now.orderId, isOver)).toMatchObject({ state: 'CANCELLED', outcome: 'cancelled' });
    await expect.poll(() => ringing.calls.at(-1)!.end).toBeDefined();

    const talking = await order(connector, reminder('+491003'));
    const { attempts } = await orderOnce(connector, talking.orderId, ({ state }) => state === 'TALKING');
    expect((await request(connector, 'DELETE', `/orders/${talking.orderId}`)).status).toBe(409);
    expect((await request(connector, 'POST', `/calls/${attempts[0]!.sessionId}/hangup`)).status).toBe(202);
    // Staff have ended it: no goodbye of the bot's stands in the record that nobody has heard.
    const over = await orderOnce(connector, talking.orderId, isOver);
    expect(over).toMatchObject({ state: 'DONE', outcome: 'staff-hangup' });
    expect(await callOf(connector, over)).toMatchObject({
      status: 'COMPLETED',
      endCause: 'staff-hangup',
    });
  });

  it('sent again with its key is the same order, and is dialled once', async () => {
    const before = listener.calls.length;
    const body = { to: '+491003', bot: 'caller', variables: { name: 'Anna' } };
    const sent = await Promise.all(Array.from({ length: 10 }, () => order(connector, body, 'the-same')));
    expect(new Set(sent.map(({ orderId }) => orderId)).size).toBe(1);
    const { attempts } = await orderOnce(connector, sent[0]!.orderId, ({ state }) => state === 'TALKING');
    await request(connector, 'POST', `/calls/${attempts[0]!.sessionId}/hangup`);
    await orderOnce(connector, sent[0]!.orderId, isOver);
    expect((await order(connector, body, 'the-same')).state).toBe('DONE');
    expect(listener.calls.length).toBe(before + 1);
    const other = await request(
      connector,
      'POST',
      '/calls',
      { ...body, to: '+491004' },
      { 'idempotency-key': 'the-same' },
    );
    expect(other.status).toBe(409);
  });

  it('and asks again when its time has passed is told what became of it, and an order that was never made is refused', async () => {
    const latest = new Date(Date.now() + 2000).toISOString();
    const body = { to: '+491003', bot: 'caller', variables: { name: 'A' }, latest };
    const before = listener.calls.length;
    const first = await order(connector, body, 'late-repeat');
    const { sessionId } = (await orderOnce(connector, first.orderId, ({ state }) => state === 'TALKING')).attempts[0]!;
    await request(connector, 'POST', `/calls/${sessionId}/hangup`);
    await orderOnce(connector, first.orderId, isOver);
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(latest));
    expect(await order(connector, body, 'late-repeat')).toMatchObject({ orderId: first.orderId, state: 'DONE' });
    const never = await request(connector, 'POST', '/calls', body, { 'idempotency-key': 'too-late' });
    expect(never).toMatchObject({ status: 400, body: { errors: [{ field: 'latest' }] } });
    expect(listener.calls.length).toBe(before + 1);
  });

  it.each([
    ['without a key', { to: '+491003', bot: 'caller', variables: { name: 'A' } }, {}],
    ['for a bot that does not call', { to: '+491003', bot: 'bank' }, { 'idempotency-key': 'x' }],
    ['without a variable that the bot says', { to: '+491003', bot: 'caller' }, { 'idempotency-key': 'x' }],
    ['to what is no number', { to: 'a b', bot: 'caller' }, { 'idempotency-key': 'x' }],
    [
      'for yesterday',
      { to: '+491003', bot: 'caller', variables: { name: 'A' }, latest: '2020-01-01T00:00:00Z' },
      { 'idempotency-key': 'x' },
    ],
    [
      'with a header in its number',
      { to: 'sip:a@b\r\nX: y', bot: 'caller', variables: { name: 'A' } },
      { 'idempotency-key': 'x' },
    ],
  ])('%s is refused', async (_what, body, headers) => {
    expect((await request(connector, 'POST', '/calls', body, headers as Record<string, string>)).status).toBe(400);
  });

  it('is found in the list, the latest first, page by page', async () => {
    const first = await connector.api<{ orders: { orderId: string }[]; nextCursor: string }>('/api/v1/orders?limit=2');
    expect(first.orders).toHaveLength(2);
    const second = await connector.api<{ orders: { orderId: string }[] }>(
      `/api/v1/orders?limit=2&cursor=${first.nextCursor}`,
    );
    expect(new Set([...first.orders, ...second.orders].map(({ orderId }) => orderId)).size).toBe(4);
    const done = await connector.api<{ orders: { state: string }[] }>('/api/v1/orders?state=CANCELLED');
    expect(new Set(done.orders.map(({ state }) => state))).toEqual(new Set(['CANCELLED']));
    const to = await connector.api<{ orders: { to: string }[] }>(`/api/v1/orders?to=${encodeURIComponent('+49 1001')}`);
    expect(to.orders.map((one) => one.to)).toEqual(['+491001']);
  });
});

it('the invitation shows nobody’s words or variables', () => {
  for (const { invite } of listener.calls) {
    expect(JSON.stringify(invite)).not.toContain('Anna');
    expect(header(invite, 'from')).toBeDefined();
  }
});
