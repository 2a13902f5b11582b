import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { amplitudeOf, tone } from '../media/support.ts';
import { type RecordedCall, recordedCall, recordingOf } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { type AnsweredCall, AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone } from '../support/phone/phone.ts';
import { header } from '../support/phone/sip-message.ts';
import { channelOf, readWav } from '../support/phone/wav.ts';
import { heardFrom, reached } from './agents.ts';

// What happens at the same moment, and where two things are true at once.

let connector: Connector;
let folder: string;
/** Answers when the test says so. */
let anna: AnsweringPhone;
/** Answers at once. */
let ben: AnsweringPhone;
const phones: Phone[] = [];

beforeAll(async () => {
  [anna, ben] = await Promise.all([
    AnsweringPhone.open({ ringMs: Number.POSITIVE_INFINITY }),
    AnsweringPhone.open({ record: true }),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'bridge-edges-'));
  const unsaid = 'maxWaitSeconds: 0, briefing: { spoken: false }';
  await writeFile(
    join(folder, 'sip.yaml'),
    `bots: [{ name: bank, actions: all }]
trunks: [{ name: local, from: 127.0.0.1 }]
numbers: [{ any: true, bot: bank }]
gateways: [{ name: pbx, destinations: [{ host: 127.0.0.1 }], limits: { calls: 50, callsPerSecond: 50, callsPerNumberPerDay: 500 } }]
handover:
  queues:
    - { name: anna, ${unsaid}, targets: [{ name: anna, to: "${anna.uri}", how: bridge }] }
    - { name: both, ${unsaid}, targets: [{ name: anna, to: "${anna.uri}", how: bridge }, { name: ben, to: "${ben.uri}", how: bridge }] }
    - { name: ben, ${unsaid}, targets: [{ name: ben, to: "${ben.uri}", how: bridge }] }
    - { name: briefed, maxWaitSeconds: 0, targets: [{ name: anna, to: "${anna.uri}", how: bridge }] }
`,
  );
  connector = await startConnector({ SIP_CONFIG: folder, RECORDING_DELAY_SECONDS: '1', RECORDING_FORMAT: 'wav' });
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
  // Whatever has happened, no leg and no audio is left.
  await expect
    .poll(async () => [await gauge('voice_sip_dialogs'), await gauge('voice_media_sessions')])
    .toEqual([0, 0]);
});
afterAll(async () => {
  await connector?.stop();
  for (const phone of [anna, ben]) await phone?.close();
  await rm(folder, { recursive: true, force: true });
});

async function gauge(name: string): Promise<number> {
  const text = await (await connector.send('GET', '/metrics')).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}

/** A caller whom the bot has begun to greet. */
async function caller() {
  const phone = await Phone.open({ refers: false, record: true });
  phones.push(phone);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  await phone.waitForSpeech();
  const { sessionId } = await recordedCall(connector, phone.sipCallId, () => true);
  const call = `/api/v1/calls/${sessionId}`;
  const status = async () =>
    (await (await connector.send('GET', `${call}/transfer`)).json()) as {
      state: string;
      outcome: string | null;
      attempts: { target: string; outcome: string }[];
    };
  return {
    phone,
    sessionId,
    call,
    status,
    transfer: async (queue: string) =>
      expect((await connector.send('POST', `${call}/transfer`, { queue })).status).toBe(202),
    now: () => connector.api<RecordedCall>(call),
    record: () => recordedCall(connector, phone.sipCallId),
  };
}

/** Unless the call has been taken back. */
function pickUp({ signalling, line }: AnsweredCall): void {
  if (signalling.state === 'ringing') signalling.answer(line.describe('answer'));
}
const ofType = ({ events }: RecordedCall, type: string) => events.filter((event) => event.type === type);

describe('a caller who hangs up in the moment in which the person answers', () => {
  it.each([
    ['behind the answer', 0, undefined],
    ['before it', undefined, 0],
    ['a little behind it', 0, 3],
    ['a little before it', 3, 0],
  ])('%s: leaves nobody on the line', async (_what, answerAfter, hangUpAfter) => {
    const one = await caller();
    const before = anna.calls.length;
    await one.transfer('anna');
    const person = await reached(anna, before);
    const answer = async () => {
      if (answerAfter) await sleep(answerAfter);
      pickUp(person);
    };
    const hangUp = async () => {
      if (hangUpAfter) await sleep(hangUpAfter);
      await one.phone.hangup();
    };
    await Promise.all(answerAfter === 0 ? [answer(), hangUp()] : [hangUp(), answer()]);
    await expect.poll(() => person.end?.how).toMatch(/^(bye|cancel)$/);
    expect(await one.record()).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
    await expect.poll(async () => (await one.now()).events.map(({ type }) => type)).toContain('handover-ended');
    expect(ofType(await one.now(), 'handover-ended')).toMatchObject([{ data: { outcome: 'caller-gone' } }]);
    expect(anna.calls).toHaveLength(before + 1);
  });
});

describe('a person who hangs up as soon as they have answered', () => {
  it.each([0, 10])('%i ms: the caller is with the next one, whom nothing is missing from', async (afterMs) => {
    const one = await caller();
    const before = [anna.calls.length, ben.calls.length] as const;
    await one.transfer('both');
    const gone = await reached(anna, before[0]);
    pickUp(gone);
    if (afterMs > 0) await sleep(afterMs);
    await gone.signalling.hangup();
    const next = await reached(ben, before[1]);
    await heardFrom(one.phone.line, next.line);
    await heardFrom(next.line, one.phone.line);
    const { attempts } = await one.status();
    expect(attempts.map(({ target }) => target)).toEqual(['anna', 'ben']);
    // Before we had acknowledged the answer, or behind it.
    expect(attempts[0]!.outcome).toMatch(/^(gone|party-gone)$/);
    await one.phone.hangup();
    await one.record();
  });

  it.each(['anna', 'briefed'])('and is the only one (%s): the bot has the caller again, and says so', async (queue) => {
    const one = await caller();
    const before = anna.calls.length;
    await one.transfer(queue);
    const gone = await reached(anna, before);
    pickUp(gone);
    await sleep(10);
    await gone.signalling.hangup();
    await expect.poll(async () => (await one.status()).outcome).toBe('nobody');
    const told = ({ utterances }: RecordedCall) => utterances.some(({ heard }) => /none of my colleagues/.test(heard));
    await expect.poll(async () => told(await one.now()), { timeout: 15_000 }).toBe(true);
    expect(one.phone.ended).toBeUndefined();
    await one.phone.hangup();
    expect(await one.record()).toMatchObject({ endCause: 'caller-hangup' });
  });
});

it('a colleague picks up what rings at the person’s telephone (Replaces): the caller is with them, and it rings no more', async () => {
  const one = await caller();
  const before = anna.calls.length;
  await one.transfer('anna');
  const ringing = await reached(anna, before);
  const { invite, signalling } = ringing;
  const tagOf = (name: string) => /;tag=([^;]+)/.exec(header(invite, name) ?? '')?.[1];
  await expect.poll(() => signalling.dialog?.localTag).toBeDefined();
  const place = `${signalling.callId};to-tag=${tagOf('from')};from-tag=${signalling.dialog!.localTag};early-only`;
  const colleague = await Phone.open({ refers: false, headers: [{ name: 'Replaces', value: place }] });
  phones.push(colleague);
  await colleague.dial(`sip:connector@127.0.0.1:${connector.sipPort}`);
  await expect.poll(async () => (await one.status()).state).toBe('connected');
  await expect.poll(() => ringing.end?.how).toBe('cancel');
  await heardFrom(one.phone.line, colleague.line);
  await heardFrom(colleague.line, one.phone.line);
  const ladder = await connector.api<{ messages: { callId: string }[] }>(`${one.call}/sip`);
  const legs = new Set(ladder.messages.map(({ callId }) => callId));
  expect(legs).toEqual(new Set([one.phone.sipCallId, signalling.callId, colleague.sipCallId]));
  await one.phone.pause(300);
  await colleague.hangup();
  await one.phone.waitForHangup();
  expect(await one.record()).toMatchObject({ endCause: 'transferred' });
});

/** In any 200 ms of it. */
function loudest(of: Int16Array, hz: number): number {
  let most = 0;
  for (let at = 0; at + 1600 <= of.length; at += 800)
    most = Math.max(most, amplitudeOf(of.subarray(at, at + 1600), hz));
  return most;
}

/** Says a tone of `hz` on one line; how loud it is on another. */
async function loudnessOn(listener: Line, speaker: Line, hz: number): Promise<number> {
  const from = listener.tape!.received().length;
  await speaker.mouth.say(tone(6400, hz, 0.2)).done;
  await sleep(400);
  return loudest(listener.tape!.received().subarray(from), hz);
}

/** Says tones until one is heard on the other line, and waits there for the end: a starved machine is late with either. */
async function hears(listener: Line, speaker: Line, hz: number): Promise<void> {
  await expect.poll(() => loudnessOn(listener, speaker, hz)).toBeGreaterThan(HEARD);
  await expect.poll(() => amplitudeOf(listener.tape!.received().subarray(-1600), hz)).toBeLessThan(HEARD / 4);
}
type Line = AnsweredCall['line'];
const HEARD = 0.02;

it('a whisper reaches the agent before a hold and after it, and never the caller, whoever holds', async () => {
  const one = await caller();
  const before = ben.calls.length;
  await one.transfer('ben');
  const agent = await reached(ben, before);
  await expect.poll(async () => (await one.status()).state).toBe('connected');
  const ask = { mode: 'whisper', to: ben.uri, name: 'boss' };
  expect((await connector.send('POST', `${one.call}/supervise`, ask)).status).toBe(202);
  const boss = await reached(ben, before + 1);
  await expect.poll(async () => ofType(await one.now(), 'supervision-started')).toHaveLength(1);
  const notTheCaller = () => expect(loudest(one.phone.heard(1200), 1300)).toBeLessThan(HEARD);
  const whispers = async () => {
    await hears(agent.line, boss.line, 1300);
    notTheCaller();
  };
  await whispers();
  // The caller holds: the agent hears nobody of that side, and the supervisor all the same.
  expect((await one.phone.hold()).status).toBe(200);
  await whispers();
  expect((await one.phone.resume()).status).toBe(200);
  // The agent's own telephone holds: nothing is sent there.
  const held = await agent.signalling.reinvite(agent.line.describe('offer', 'sendonly'));
  expect(held.status).toBe(200);
  expect(held.body).toContain('a=recvonly');
  await sleep(300);
  expect(await loudnessOn(agent.line, boss.line, 1300)).toBeLessThan(HEARD);
  notTheCaller();
  expect((await agent.signalling.reinvite(agent.line.describe('offer', 'sendrecv'))).status).toBe(200);
  await whispers();
  await hears(one.phone.line, agent.line, 900);
  await one.phone.hangup();
  await one.record();
});

it('what is said while the recording is paused is in none, also when a supervisor takes over meanwhile', async () => {
  const one = await caller();
  await one.phone.waitForSilence();
  const before = ben.calls.length;
  expect((await connector.send('POST', `${one.call}/recording/pause`)).status).toBe(200);
  const ask = { mode: 'take-over', to: ben.uri, name: 'boss' };
  expect((await connector.send('POST', `${one.call}/supervise`, ask)).status).toBe(202);
  const boss = await reached(ben, before);
  await expect.poll(async () => ofType(await one.now(), 'supervision-started')).toHaveLength(1);
  await hears(one.phone.line, boss.line, 1300);
  await hears(boss.line, one.phone.line, 1100);
  expect((await connector.send('POST', `${one.call}/recording/resume`)).status).toBe(200);
  await sleep(300);
  await hears(one.phone.line, boss.line, 900);
  await hears(boss.line, one.phone.line, 700);
  await one.phone.hangup();
  const recording = readWav(await recordingOf(connector, await one.record()));
  const [left, right] = [channelOf(recording, 0), channelOf(recording, 1)];
  expect([loudest(right, 1300), loudest(left, 1100)].map((level) => level > HEARD / 2)).toEqual([false, false]);
  expect([loudest(right, 900), loudest(left, 700)].map((level) => level > HEARD)).toEqual([true, true]);
});
