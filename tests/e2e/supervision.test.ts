import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { amplitudeOf, tone } from '../media/support.ts';
import { type RecordedCall, recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone } from '../support/phone/phone.ts';
import { header } from '../support/phone/sip-message.ts';
import { VoiceBox } from '../support/phone/voice.ts';

const SHIPPED = fileURLToPath(new URL('../../sip-config', import.meta.url));
const CODE = '482915';
const BALANCE = 'what is my balance';

let connector: Connector;
let folder: string;
/** The office's own telephones, by the gateway. */
let office: AnsweringPhone;
let busy: AnsweringPhone;
const voiceBox = new VoiceBox();
const phones: Phone[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervision-'));
  await cp(SHIPPED, folder, { recursive: true });
  office = await AnsweringPhone.open({ record: true });
  busy = await AnsweringPhone.open({ refuse: { status: 486, reason: 'Busy Here' } });
  const gateway = (name: string, { endpoint }: AnsweringPhone) => [
    `  - name: ${name}`,
    `    to: sip:127.0.0.1:${endpoint.wire.local.port}`,
    `    destinations: [{ host: "127.0.0.1:${endpoint.wire.local.port}" }]`,
  ];
  const lines = ['gateways:', ...gateway('desk', office), ...gateway('busy', busy)];
  lines.push('supervisors:', '  number: "9000"', '  trunks: [this-machine]');
  lines.push('  codes:', `    - { name: anna, code: "\${ANNA_CODE}" }`);
  await writeFile(join(folder, 'supervision.yaml'), `${lines.join('\n')}\n`);
  connector = await startConnector({ SIP_CONFIG: folder, ANNA_CODE: CODE, MAX_SUPERVISORS: '2' });
});
afterAll(async () => {
  expect(await connector.stop()).toBe(0);
  await office.close();
  await busy.close();
  await voiceBox.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});

async function dial(user: string, from: string): Promise<Phone> {
  const phone = await Phone.open({ voiceBox, from, record: true });
  phones.push(phone);
  await phone.prepare([BALANCE]);
  await phone.dial(`sip:${user}@127.0.0.1:${connector.sipPort}`);
  return phone;
}

/** A caller whom the bot has greeted. */
async function caller(): Promise<{ phone: Phone; sessionId: string }> {
  const phone = await dial('bank', '+15550100');
  await phone.waitForReply();
  const { sessionId } = await recordedCall(connector, phone.sipCallId, () => true);
  return { phone, sessionId };
}

interface Supervision {
  supervisionId: string;
  name: string;
  state: string;
  mode: string | null;
  sessionId: string | null;
}

const now = () =>
  connector.api<{ calls: { sessionId: string; shortNumber: string }[]; supervisors: Supervision[] }>(
    '/api/v1/supervision',
  );

async function api(method: string, path: string, body?: object): Promise<{ status: number; body: Supervision }> {
  const response = await connector.send(method, `/api/v1${path}`, body);
  return { status: response.status, body: (response.status === 204 ? {} : await response.json()) as Supervision };
}

/** Dialled in, known by the code, waiting. */
async function onTheLine(): Promise<{ phone: Phone; supervisionId: string }> {
  const phone = await dial('9000', '+15550199');
  await phone.waitForSpeech();
  await phone.press(`${CODE}#`, { expectReply: false });
  const waiting = async () => (await now()).supervisors.find(({ state }) => state === 'waiting');
  await expect.poll(waiting).toMatchObject({ name: 'anna', mode: null });
  return { phone, supervisionId: (await waiting())!.supervisionId };
}

/** `speaker` makes a sound of `hz`; does `listener` hear it? */
async function hears(listener: Phone, speaker: Phone, hz = 1300): Promise<boolean> {
  await speaker.say(tone(5600, hz, 0.2), { expectReply: false });
  return amplitudeOf(listener.heard(400), hz) > 0.04;
}

/** Call-IDs in the SIP ladder of a call. */
async function legsOf(sessionId: string): Promise<Set<string>> {
  const { messages } = await connector.api<{ messages: { callId: string }[] }>(`/api/v1/calls/${sessionId}/sip`);
  return new Set(messages.map(({ callId }) => callId));
}

const at = ({ endpoint }: AnsweringPhone, user = 'x') => `sip:${user}@127.0.0.1:${endpoint.wire.local.port}`;
const types = (call: RecordedCall) => call.events.map(({ type }) => type);

describe('a supervisor who dials in', () => {
  it('keys a code and a call, hears both sides, takes over while the bot is silent, and gives back', async () => {
    const { phone, sessionId } = await caller();
    const { phone: anna } = await onTheLine();
    const number = (await now()).calls.find((call) => call.sessionId === sessionId)!.shortNumber;
    await anna.press(`${number}#`, { expectReply: false });
    await expect.poll(async () => (await now()).supervisors[0]?.state).toBe('active');
    await anna.waitForSilence();
    expect([await hears(anna, phone), await hears(phone, anna, 900)]).toEqual([true, false]);
    // The bot is heard by both.
    await phone.say(BALANCE);
    await phone.waitForSpeech();
    await anna.press('4', { expectReply: false });
    await expect.poll(async () => (await now()).supervisors[0]?.mode).toBe('take-over');
    await phone.waitForSilence(700);
    expect([await hears(phone, anna, 900), await hears(anna, phone)]).toEqual([true, true]);
    const bots = async () =>
      (await recordedCall(connector, phone.sipCallId, () => true)).utterances.filter(
        ({ speaker }) => speaker === 'assistant',
      ).length;
    const before = await bots();
    await phone.say(BALANCE, { expectReply: false });
    await phone.pause(1500);
    expect(await bots()).toBe(before);
    await anna.press('5', { expectReply: false });
    await recordedCall(connector, phone.sipCallId, (call) =>
      call.utterances.some(({ heard }) => heard.includes('automatic assistant again')),
    );
    await phone.waitForSilence();
    await phone.hangup();
    const call = await recordedCall(connector, phone.sipCallId);
    expect(await legsOf(sessionId)).toEqual(new Set([phone.sipCallId, anna.sipCallId]));
    const ours = types(call).filter((type) => type.startsWith('supervision') || type.startsWith('bot-'));
    expect(ours).toEqual([
      'supervision-started',
      'bot-suspended',
      'supervision-changed',
      'bot-resumed',
      'supervision-changed',
      'supervision-ended',
    ]);
    expect(call.events.find(({ type }) => type === 'supervision-started')!.data).toMatchObject({
      supervisor: 'anna',
      mode: 'listen',
    });
    // The call is over; she is on the line still, and may choose another.
    await expect.poll(async () => (await now()).supervisors[0]?.state).toBe('waiting');
    await anna.hangup();
    await expect.poll(async () => (await now()).supervisors).toEqual([]);
  });

  it('is slowed by wrong codes, and after the third is hung up', async () => {
    const phone = await dial('9000', '+15550666');
    await phone.waitForSpeech();
    const started = Date.now();
    for (let i = 0; i < 3; i++) {
      await phone.press('111111#', { expectReply: false });
      if (i < 2) await phone.pause(2500 * (i + 1));
    }
    await phone.waitForHangup();
    expect(Date.now() - started).toBeGreaterThan(5000);
    const warned = connector.logs.filter(({ message }) => message === 'a wrong supervisor code');
    expect(warned).toHaveLength(3);
    expect(connector.output()).not.toContain('111111');
  });
});

describe('staff with the page', () => {
  it('click, and the supervisor who waits is heard by the caller; another click, and the bot has the caller back', async () => {
    const { phone, sessionId } = await caller();
    const { phone: anna, supervisionId } = await onTheLine();
    await anna.waitForReply();
    const { status, body } = await api('POST', `/calls/${sessionId}/supervise`, { mode: 'take-over', supervisionId });
    expect([status, body.state, body.mode, body.name]).toEqual([202, 'active', 'take-over', 'anna']);
    expect(await hears(phone, anna)).toBe(true);
    const path = `/calls/${sessionId}/supervise/${supervisionId}`;
    expect((await api('PATCH', path, { mode: 'whisper' })).status).toBe(409);
    expect((await api('PATCH', path, { mode: 'listen' })).body.mode).toBe('listen');
    expect((await api('PATCH', path, { mode: 'take-over' })).status).toBe(200);
    expect((await api('DELETE', path)).status).toBe(204);
    await phone.waitForSpeech();
    expect((await now()).supervisors).toMatchObject([{ state: 'waiting', sessionId: null }]);
    expect((await api('DELETE', path)).status).toBe(404);
    expect(await hears(anna, phone)).toBe(false);
    await phone.hangup();
    await recordedCall(connector, phone.sipCallId);
    expect((await api('POST', `/calls/${sessionId}/supervise`, { mode: 'listen', supervisionId })).status).toBe(409);
    await anna.hangup();
  });

  it('have a supervisor dialled; who takes over by telephone and hangs up leaves the caller with the bot', async () => {
    const { phone, sessionId } = await caller();
    const taken = office.calls.length;
    const { status, body } = await api('POST', `/calls/${sessionId}/supervise`, {
      mode: 'take-over',
      to: at(office, 'bob'),
      name: 'bob',
    });
    expect([status, body.state]).toEqual([202, 'calling']);
    await expect.poll(async () => (await now()).supervisors[0]?.state).toBe('active');
    const bob = office.calls[taken]!;
    bob.line.mouth.say(tone(16_000, 1300, 0.2));
    await phone.pause(1200);
    expect(amplitudeOf(phone.heard(400), 1300)).toBeGreaterThan(0.04);
    await bob.signalling.hangup();
    const call = await recordedCall(connector, phone.sipCallId, (one) => types(one).includes('bot-resumed'));
    expect(types(call)).toContain('supervision-requested');
    expect(call.events.find(({ type }) => type === 'supervision-ended')!.data).toMatchObject({ supervisor: 'bob' });
    await phone.waitForReply();
    await phone.hangup();
    await recordedCall(connector, phone.sipCallId);
    expect(await legsOf(sessionId)).toEqual(new Set([phone.sipCallId, header(bob.invite, 'call-id')]));
  });

  it('see why nobody came: busy, no gateway, too many; and the caller notices nothing', async () => {
    const { phone, sessionId } = await caller();
    const ask = (to: string) => api('POST', `/calls/${sessionId}/supervise`, { mode: 'listen', to });
    expect((await ask(at(busy))).status).toBe(202);
    expect((await ask('sip:x@elsewhere.example')).status).toBe(202);
    const failed = (call: RecordedCall) => call.events.filter(({ type }) => type === 'supervision-failed');
    const call = await recordedCall(connector, phone.sipCallId, (one) => failed(one).length === 2);
    expect(
      failed(call)
        .map(({ data }) => data.code)
        .toSorted(),
    ).toEqual(['dial-busy', 'dial-not-allowed']);
    await expect.poll(async () => (await now()).supervisors).toEqual([]);
    expect((await ask(at(office, 'a'))).status).toBe(202);
    expect((await ask(at(office, 'b'))).status).toBe(202);
    expect((await ask(at(office, 'c'))).status).toBe(503);
    expect((await api('POST', `/calls/${crypto.randomUUID()}/supervise`, { mode: 'listen', to: '1' })).status).toBe(
      404,
    );
    expect((await api('POST', `/calls/${sessionId}/supervise`, { mode: 'shout', to: '1' })).status).toBe(400);
    await phone.hangup();
    const ended = await recordedCall(connector, phone.sipCallId);
    expect(types(ended)).not.toContain('bot-suspended');
    // Who was dialled for a call that is over is hung up.
    await expect.poll(() => office.calls.every(({ end }) => end !== undefined)).toBe(true);
  });
});
