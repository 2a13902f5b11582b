import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Baresip } from '../support/baresip.ts';
import { recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { type AnsweredCall, AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { header } from '../support/phone/sip-message.ts';
import { heardFrom, reached } from './agents.ts';

let connector: Connector;
let folder: string;
/** Who take calls; Carl's telephone is busy, and Dora's is nobody's to be transferred to. */
let anna: AnsweringPhone;
let ben: AnsweringPhone;
let carl: AnsweringPhone;
let dora: AnsweringPhone;
/** A telephone nobody of us wrote. */
let bare: Baresip;
const phones: Phone[] = [];

const hostOf = ({ uri }: { uri: string }) => uri.slice(uri.indexOf('@') + 1);
const CONFIG = () => `bots: [{ name: bank, actions: all }]
trunks: [{ name: local, from: 127.0.0.1 }]
numbers: [{ any: true, bot: bank }]
gateways:
  - name: pbx
    destinations: [{ host: "${hostOf(anna)}" }, { host: "${hostOf(ben)}" }, { host: "${hostOf(carl)}" }, { host: "${hostOf(bare)}" }]
    from: { number: "+15550199" }
    transfers: { queues: [loans], destinations: [{ host: "${hostOf(ben)}" }, { host: "${hostOf(carl)}" }, { number: "5001" }] }
  - { name: scarce, to: "${hostOf(ben)}", destinations: [{ number: "5001" }], limits: { callsPerDay: 1 } }
  - { name: closed, destinations: [{ host: "${hostOf(dora)}" }], from: { number: "+15550199" } }
handover:
  default: loans
  queues:
    - { name: service, maxWaitSeconds: 0, briefing: { spoken: false }, targets: [{ name: anna, to: "${anna.uri}", how: bridge }] }
    - { name: loans, maxWaitSeconds: 0, briefing: { spoken: false }, targets: [{ name: ben, to: "${ben.uri}", how: bridge }] }
    - { name: guarded, maxWaitSeconds: 0, briefing: { spoken: false }, targets: [{ name: dora, to: "${dora.uri}", how: bridge }] }
    - { name: bare, maxWaitSeconds: 0, briefing: { spoken: false }, targets: [{ name: bare, to: "${bare.uri}", how: bridge }] }
`;

beforeAll(async () => {
  [anna, ben, carl, dora] = await Promise.all([
    AnsweringPhone.open({ ringMs: 50 }),
    AnsweringPhone.open({ ringMs: 300 }),
    AnsweringPhone.open({ ringMs: 300, refuse: { status: 486, reason: 'Busy Here' } }),
    AnsweringPhone.open({ ringMs: 50 }),
  ]);
  bare = await Baresip.open({ user: 'bare' });
  folder = await mkdtemp(join(tmpdir(), 'agent-transfer-'));
  await writeFile(join(folder, 'sip.yaml'), CONFIG());
  connector = await startConnector({ SIP_CONFIG: folder });
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});
afterAll(async () => {
  await connector?.stop();
  await bare?.close();
  for (const phone of [anna, ben, carl, dora]) await phone?.close();
  await rm(folder, { recursive: true, force: true });
});

async function caller(options: PhoneOptions = {}): Promise<Phone> {
  const phone = await Phone.open({ refers: false, ...options });
  phones.push(phone);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  await phone.waitForSpeech();
  return phone;
}

/** A caller who talks with somebody of this queue. */
async function talking(queue: string, agents?: AnsweringPhone, options: PhoneOptions = {}) {
  const phone = await caller(options);
  const { sessionId } = await recordedCall(connector, phone.sipCallId, () => true);
  const before = agents?.calls.length ?? 0;
  const path = `/api/v1/calls/${sessionId}/transfer`;
  expect((await connector.send('POST', path, { queue })).status).toBe(202);
  const status = async () =>
    (await (await connector.send('GET', path)).json()) as { state: string; by: string; outcome: string | null };
  await expect.poll(async () => (await status()).state).toBe('connected');
  const agent = agents?.calls[before] as AnsweredCall;
  return { phone, sessionId, agent, status };
}

const refer = (agent: AnsweredCall, to: string) =>
  agent.signalling.request('REFER', [{ name: 'Refer-To', value: `<${to}>` }]);
/** What the agent's telephone was told of its REFER. */
const notices = ({ received }: AnsweredCall) =>
  received
    .filter(({ method }) => method === 'NOTIFY')
    .map(
      (notify) => `${notify.body.split('\r\n')[0]!.slice(8)}, ${header(notify, 'subscription-state')?.split(';')[0]}`,
    );

describe('an agent transfers the caller', () => {
  it('blind, to a colleague: is told that it rings there and how it goes, is hung up, and the two talk', async () => {
    const it = await talking('service', anna);
    const before = ben.calls.length;
    expect((await refer(it.agent, ben.uri)).status).toBe(202);
    const colleague = await reached(ben, before);
    await expect
      .poll(() => notices(it.agent))
      .toEqual(['100 Trying, active', '180 Ringing, active', '200 OK, terminated']);
    await expect.poll(() => it.agent.end?.how).toBe('bye');
    await heardFrom(it.phone.line, colleague.line);
    await heardFrom(colleague.line, it.phone.line);
    expect(await it.status()).toMatchObject({ state: 'connected', by: 'agent' });
    await it.phone.pause(300);
    void colleague.signalling.hangup();
    await it.phone.waitForHangup();
    const record = await recordedCall(connector, it.phone.sipCallId);
    expect(record).toMatchObject({ status: 'COMPLETED', endCause: 'transferred' });
    const types = record.events.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['agent-parked', 'handover-passed-on']));
    const ends = record.events.filter(({ type }) => type === 'handover-ended').map(({ data }) => data.outcome);
    expect(ends).toEqual(['passed-on', 'finished']);
  });

  it('who is busy: has the caller again, and the caller the agent', async () => {
    const it = await talking('service', anna);
    expect((await refer(it.agent, carl.uri)).status).toBe(202);
    await expect.poll(() => notices(it.agent)).toEqual(['100 Trying, active', '486 Busy Here, terminated']);
    await heardFrom(it.phone.line, it.agent.line);
    await heardFrom(it.agent.line, it.phone.line);
    expect(it.agent.end).toBeUndefined();
    await it.phone.hangup();
    await expect.poll(() => it.agent.end?.how).toBe('bye');
  });

  it('to a number of which its gateway has had enough for today: is told so, nothing rings, and the two go on', async () => {
    const first = await talking('service', anna);
    expect((await refer(first.agent, 'sip:5001@127.0.0.1')).status).toBe(202);
    await expect.poll(() => notices(first.agent).at(-1)).toBe('200 OK, terminated');
    await first.phone.hangup();
    const rung = ben.calls.length;
    const it = await talking('service', anna);
    expect((await refer(it.agent, 'sip:5001@127.0.0.1')).status).toBe(202);
    await expect.poll(() => notices(it.agent)).toEqual(['100 Trying, active', '503 Service Unavailable, terminated']);
    await heardFrom(it.phone.line, it.agent.line);
    await heardFrom(it.agent.line, it.phone.line);
    expect(ben.calls).toHaveLength(rung);
    await it.phone.hangup();
    await expect.poll(() => it.agent.end?.how).toBe('bye');
  });

  it('and hangs up at once: when nobody takes the call, the bot has the caller again', async () => {
    const it = await talking('service', anna);
    expect((await refer(it.agent, carl.uri)).status).toBe(202);
    void it.agent.signalling.hangup();
    await expect.poll(async () => (await it.status()).outcome).toBe('nobody');
    await it.phone.waitForSpeech();
    expect(it.phone.ended).toBeUndefined();
    await it.phone.hangup();
    expect(await recordedCall(connector, it.phone.sipCallId)).toMatchObject({ endCause: 'caller-hangup' });
  });

  it('to a queue by its name', async () => {
    const it = await talking('service', anna);
    const before = ben.calls.length;
    expect((await refer(it.agent, `sip:loans@127.0.0.1:${connector.sipPort}`)).status).toBe(202);
    await expect.poll(() => notices(it.agent)).toEqual(['100 Trying, active', '200 OK, terminated']);
    const colleague = await reached(ben, before);
    await expect.poll(async () => (await it.status()).state).toBe('connected');
    await heardFrom(it.phone.line, colleague.line);
    await it.phone.hangup();
    await expect.poll(() => colleague.end?.how).toBe('bye');
  });

  it('only where that is allowed: elsewhere, and by whose gateway says nothing of it, it is refused and the talk goes on', async () => {
    const it = await talking('service', anna);
    for (const to of [dora.uri, 'sip:+19005550100@127.0.0.1', 'sip:service@127.0.0.1', 'tel:+19005550100']) {
      expect([to, (await refer(it.agent, to)).status]).toEqual([to, 403]);
    }
    expect((await refer(it.agent, 'nothing at all')).status).toBe(400);
    await heardFrom(it.phone.line, it.agent.line);
    await it.phone.hangup();
    const guarded = await talking('guarded', dora);
    expect((await refer(guarded.agent, ben.uri)).status).toBe(403);
    expect(notices(guarded.agent)).toEqual([]);
    await guarded.phone.hangup();
  });

  it('attended, by their own exchange: the colleague’s telephone is told whose place it is', async () => {
    const it = await talking('service', anna);
    const before = ben.calls.length;
    const place = 'consulted%40pbx%3Bto-tag%3Db%3Bfrom-tag%3Da';
    expect((await refer(it.agent, `${ben.uri}?Replaces=${place}`)).status).toBe(202);
    const colleague = await reached(ben, before);
    expect(header(colleague.invite, 'replaces')).toBe('consulted@pbx;to-tag=b;from-tag=a');
    await expect.poll(() => notices(it.agent).at(-1)).toBe('200 OK, terminated');
    await heardFrom(it.phone.line, colleague.line);
    await it.phone.hangup();
  });

  it('attended, between two calls with us: whom they asked first gets the caller, and both their calls end', async () => {
    const it = await talking('service', anna);
    // Anna calls the bank herself, and asks for a colleague.
    const before = ben.calls.length;
    const consulting = await caller({ from: 'anna' });
    await consulting.press('0', { expectReply: false });
    const colleague = await reached(ben, before);
    const consulted = () => recordedCall(connector, consulting.sipCallId, () => true);
    await expect.poll(async () => (await consulted()).events.map(({ type }) => type)).toContain('handover-connected');
    const { callId, localTag, remoteTag } = consulting.call!.dialog!;
    const place = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`);
    const refered = await refer(it.agent, `sip:bank@127.0.0.1:${connector.sipPort}?Replaces=${place}`);
    expect(refered.status).toBe(202);
    await expect.poll(() => notices(it.agent).at(-1)).toBe('200 OK, terminated');
    await consulting.waitForHangup();
    await expect.poll(() => it.agent.end?.how).toBe('bye');
    await heardFrom(it.phone.line, colleague.line);
    await heardFrom(colleague.line, it.phone.line);
    expect(colleague.end).toBeUndefined();
    await it.phone.pause(300);
    void colleague.signalling.hangup();
    await it.phone.waitForHangup();
    expect(await recordedCall(connector, consulting.sipCallId)).toMatchObject({ endCause: 'transferred' });
    expect(await recordedCall(connector, it.phone.sipCallId)).toMatchObject({ endCause: 'transferred' });
  });

  it('with baresip: it transfers, and is content with what it is told', async () => {
    const it = await talking('bare');
    const before = ben.calls.length;
    bare.command('transfer', ben.uri);
    const colleague = await reached(ben, before);
    await heardFrom(it.phone.line, colleague.line);
    const record = () => recordedCall(connector, it.phone.sipCallId, () => true);
    await expect
      .poll(async () => (await record()).events.find(({ type }) => type === 'handover-passed-on')?.data)
      .toMatchObject({ reached: true, status: 200 });
    await it.phone.hangup();
  });
});

describe('keys in the talk', () => {
  it('reach the other side, as long as they were pressed; those that call the bot back do not', async () => {
    const it = await talking('service', anna);
    it.phone.line.mouth.press('15#', { keyMs: 120 });
    await expect.poll(() => it.agent.digits).toBe('15#');
    it.agent.line.mouth.press('7*8');
    await expect.poll(() => it.phone.line.ear.digits).toBe('7*8');
    const { sessionId } = it;
    const { events } = await connector.api<{ events: { type: string; data: { digit?: string } }[] }>(
      `/api/v1/calls/${sessionId}`,
    );
    expect(events.filter(({ type }) => type === 'dtmf').map(({ data }) => data.digit)).toEqual(Array(3).fill('hidden'));
    it.agent.line.mouth.press('*9');
    await expect.poll(() => it.agent.end?.how).toBe('bye');
    expect(it.phone.line.ear.digits).toBe('7*8');
    await it.phone.hangup();
  });

  it('reach a telephone that takes no events by INFO', async () => {
    const it = await talking('service', anna, { telephoneEvent: false });
    it.agent.line.mouth.press('42', { keyMs: 200 });
    const infos = () => it.phone.received.filter(({ method }) => method === 'INFO').map(({ body }) => body);
    await expect.poll(infos).toEqual(['Signal=4\r\nDuration=200\r\n', 'Signal=2\r\nDuration=200\r\n']);
    await it.phone.hangup();
  });
});

it('a caller whose gateway sends tones and no events is understood by them', async () => {
  const phone = await caller({ telephoneEvent: false });
  const before = ben.calls.length;
  const zero = (i: number) => Math.sin((2 * Math.PI * 941 * i) / 8000) + Math.sin((2 * Math.PI * 1336 * i) / 8000);
  phone.line.mouth.say(Int16Array.from({ length: 960 }, (_, i) => 6000 * zero(i)));
  const colleague = await reached(ben, before);
  await heardFrom(phone.line, colleague.line);
  await phone.hangup();
});
