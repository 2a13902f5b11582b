import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signatureOf } from '../../src/call/handover/webhook.ts';
import { type RecordedCall, recordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { hasFreeSpeechModel } from '../support/free-speech-model.ts';
import { type AnsweredCall, AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { header } from '../support/phone/sip-message.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { heardFrom, reached } from './agents.ts';
import { sayUntilUnderstood } from './customers.ts';

const SECRET = 'a-secret-of-the-webhook';

let connector: Connector;
let folder: string;
let hook: Server;
const hooked: { body: string; signature: string; delivery: string }[] = [];
let refusals = 0;
/** Far ends: takes calls, is busy, rings for ever. */
let anna: AnsweringPhone;
let busy: AnsweringPhone;
let nobody: AnsweringPhone;
const phones: Phone[] = [];
const voices = new VoiceBox();

const CONFIG = () => `bots: [{ name: bank, actions: all }]
trunks: [{ name: local, from: 127.0.0.1 }]
numbers: [{ any: true, bot: bank }]
hours: [{ name: never, zone: UTC, week: {} }]
gateways: [{ name: pbx, destinations: [{ host: 127.0.0.1 }], from: { number: "+15550199" } }]
handover:
  default: service
  queues:
    - name: service
      maxWaitSeconds: 0
      briefing:
        header: X-Call-Summary
        webhook: { url: "http://127.0.0.1:${(hook.address() as AddressInfo).port}/briefing", secret: "\${HOOK_SECRET}" }
      targets: [{ name: anna, to: "${anna.uri}" }]
    - { name: in-order, maxWaitSeconds: 0, targets: [{ name: busy, to: "${busy.uri}" }, { name: anna, to: "${anna.uri}" }] }
    - { name: ringing, maxWaitSeconds: 0, targets: [{ name: nobody, to: "${nobody.uri}", ringSeconds: 2 }] }
    - { name: long, maxWaitSeconds: 0, targets: [{ name: nobody, to: "${nobody.uri}" }] }
    - { name: shut, hours: never, targets: [{ name: anna, to: "${anna.uri}" }] }
    - { name: attended, maxWaitSeconds: 0, targets: [{ name: anna, to: "${anna.uri}", how: attended }] }
    - name: again
      maxWaitSeconds: 0
      afterwards: bot
      briefing: { spoken: false }
      targets: [{ name: anna, to: "${anna.uri}", how: bridge }]
`;

beforeAll(async () => {
  hook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const delivery = String(request.headers['x-delivery-id']);
      hooked.push({ body, signature: String(request.headers['x-signature']), delivery });
      response.writeHead(refusals-- > 0 ? 503 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  [anna, busy, nobody] = await Promise.all([
    AnsweringPhone.open({ ringMs: 100 }),
    AnsweringPhone.open({ refuse: { status: 486, reason: 'Busy Here' } }),
    AnsweringPhone.open({ ringMs: Number.POSITIVE_INFINITY }),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'handover-'));
  await writeFile(join(folder, 'sip.yaml'), CONFIG());
  connector = await startConnector({ SIP_CONFIG: folder, HOOK_SECRET: SECRET });
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});
afterAll(async () => {
  await connector?.stop();
  for (const phone of [anna, busy, nobody]) await phone?.close();
  hook.close();
  await voices.close();
  await rm(folder, { recursive: true, force: true });
});

interface Transfer {
  state: string;
  outcome: string | null;
  attempts: { target: string; way: string; outcome: string; status?: number }[];
}

/** A caller who hears the greeting. */
async function call(options: PhoneOptions = {}) {
  const phone = await Phone.open({ refers: false, ...options });
  phones.push(phone);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  await phone.waitForSpeech();
  const { sessionId } = await recordedCall(connector, phone.sipCallId, () => true);
  const api = (method: string, body?: object) => connector.send(method, `/api/v1/calls/${sessionId}/transfer`, body);
  const events = async () => {
    const detail = await connector.api<{ events: { type: string; data: Record<string, unknown> }[] }>(
      `/api/v1/calls/${sessionId}`,
    );
    return detail.events;
  };
  return {
    phone,
    sessionId,
    api,
    events,
    transfer: async (body: object) => expect((await api('POST', body)).status).toBe(202),
    status: async () => (await (await api('GET')).json()) as Transfer,
    state: async () => ((await (await api('GET')).json()) as Transfer).state,
    happened: async (type: string) => (await events()).some((event) => event.type === type),
    record: () => recordedCall(connector, phone.sipCallId),
  };
}

const heard = (call: AnsweredCall) => call.line.ear.spells.length > 0;

describe('a caller who asks for a person', () => {
  it('waits with music, is announced to her, and talks to her when she takes the call', async () => {
    const it = await call();
    const before = anna.calls.length;
    await it.phone.press('0', { expectReply: false });
    const agent = await reached(anna, before);
    await expect.poll(() => heard(agent)).toBe(true);
    expect(header(agent.invite, 'x-call-summary')).toMatch(/^call=[0-9a-f-]{36}; verified=no; asked=nothing$/);
    expect(await it.state()).toBe('briefing');
    agent.line.mouth.press('1');
    await expect.poll(it.state).toBe('connected');
    await heardFrom(it.phone.line, agent.line);
    await heardFrom(agent.line, it.phone.line);
    void agent.signalling.hangup();
    await it.phone.waitForHangup();
    const record = await it.record();
    expect(record).toMatchObject({ status: 'COMPLETED', endCause: 'transferred' });
    // What happened in one millisecond has no order.
    const told = record.events.flatMap(({ type }) => (type.startsWith('handover-') ? [type.slice(9)] : []));
    expect(told.toSorted()).toEqual([
      'answered',
      'briefed',
      'calling',
      'connected',
      'ended',
      'progress',
      'referred',
      'referring',
      'started',
      'talk-ended',
    ]);
    const ladder = await connector.api<{ messages: { callId: string }[] }>(`/api/v1/calls/${it.sessionId}/sip`);
    const legs = new Set(ladder.messages.map(({ callId }) => callId));
    expect(legs).toEqual(new Set([it.phone.sipCallId, header(agent.invite, 'call-id')]));
  });

  it('who is declined hears why, and books the call-back instead', async () => {
    refusals = 1;
    hooked.length = 0;
    const it = await call();
    const before = anna.calls.length;
    await it.phone.press('0', { expectReply: false });
    const agent = await reached(anna, before);
    await expect.poll(() => heard(agent)).toBe(true);
    agent.line.mouth.press('2');
    await expect.poll(() => agent.end?.how).toBe('bye');
    await expect.poll(async () => (await it.status()).outcome).toBe('nobody');
    await expect
      .poll(async () => JSON.stringify(await connector.api(`/api/v1/calls/${it.sessionId}`)))
      .toContain('Shall a colleague call you back?');
    await it.phone.waitForSilence();
    await it.phone.press('1');
    await expect.poll(() => it.happened('action-done')).toBe(true);
    const done = (await it.events()).findLast(({ type }) => type === 'action-done');
    expect(done?.data).toMatchObject({ action: 'speak_to_agent', ok: true });
    await it.phone.hangup();
    expect(await it.record()).toMatchObject({ endCause: 'caller-hangup' });
    // The bank's own system was told, and told again since it was away at first.
    await expect.poll(() => hooked.map(({ body }) => JSON.parse(body).event)).toContain('handover.ended');
    const calling = hooked.filter(({ body }) => JSON.parse(body).event === 'handover.calling');
    expect(new Set(calling.map(({ delivery }) => delivery)).size).toBeLessThan(calling.length);
    for (const { body, signature } of hooked) {
      const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature)!;
      expect(mac).toBe(signatureOf(SECRET, Number(seconds), body));
      expect(JSON.parse(body)).toMatchObject({
        sessionId: it.sessionId,
        queue: 'service',
        caller: { verified: false },
      });
    }
  });

  it('who hangs up while she hears what it is about leaves nobody behind', async () => {
    const it = await call();
    const before = anna.calls.length;
    await it.phone.press('0', { expectReply: false });
    const agent = await reached(anna, before);
    await expect.poll(() => heard(agent)).toBe(true);
    await it.phone.hangup();
    await expect.poll(() => agent.end?.how).toBe('bye');
    expect(await it.record()).toMatchObject({ endCause: 'caller-hangup' });
  });

  it('and who would rather be called back is not put through to anybody', async () => {
    const it = await call();
    const before = anna.calls.length;
    const said = 'please call me back';
    await it.phone.waitForSilence();
    await sayUntilUnderstood(connector, it.phone, said, {
      understood: (record) => transcript(record).includes(`caller: ${said}`),
    });
    await expect.poll(() => it.happened('action-done')).toBe(true);
    const done = (await it.events()).findLast(({ type }) => type === 'action-done');
    expect(done?.data).toMatchObject({ action: 'request_callback', ok: true });
    await it.phone.hangup();
    const { transactions } = await it.record();
    expect(transactions).toMatchObject([{ transactionType: 'AGENT_CALLBACK', outcome: 'POSTED' }]);
    expect(await it.happened('handover-started')).toBe(false);
    expect(anna.calls).toHaveLength(before);
  });
});

describe('staff hand a caller over', () => {
  it('to the next when the first is busy', async () => {
    const it = await call();
    const before = anna.calls.length;
    await it.transfer({ queue: 'in-order', how: 'bridge' });
    const agent = await reached(anna, before);
    await expect.poll(() => heard(agent)).toBe(true);
    agent.line.mouth.press('1');
    await expect.poll(it.state).toBe('connected');
    expect((await it.status()).attempts).toEqual([
      { target: 'busy', way: 'bridge', outcome: 'busy', status: 486 },
      { target: 'anna', way: 'bridge', outcome: 'connected', status: 200 },
    ]);
    await it.phone.hangup();
    await expect.poll(() => agent.end?.how).toBe('bye');
  });

  it('to nobody: the bot has the caller back, when it has rung long enough, is closed, or the caller keys *', async () => {
    const it = await call();
    await it.transfer({ queue: 'ringing', how: 'bridge' });
    await expect.poll(async () => (await it.status()).outcome).toBe('nobody');
    expect((await it.status()).attempts).toMatchObject([{ outcome: 'no-answer' }]);
    await it.phone.waitForSpeech();
    await it.transfer({ queue: 'shut' });
    await expect.poll(async () => (await it.status()).outcome).toBe('closed');
    await it.phone.pause(300);
    const before = nobody.calls.length;
    await it.transfer({ queue: 'long', how: 'bridge' });
    const ringing = await reached(nobody, before);
    await it.phone.press('*', { expectReply: false });
    await expect.poll(() => ringing.end?.how).toBe('cancel');
    await expect.poll(async () => (await it.status()).outcome).toBe('cancelled');
    await it.phone.waitForSpeech();
    const texts = JSON.stringify(await connector.api(`/api/v1/calls/${it.sessionId}`));
    expect(texts).toContain('none of my colleagues could take your call');
    expect(texts).toContain('my colleagues are not in at this time');
    await it.phone.hangup();
  });

  it('and take the caller back out of the talk; or the agent does, by keys', async () => {
    for (const back of ['api', 'keys'] as const) {
      const it = await call();
      const before = anna.calls.length;
      await it.transfer({ queue: 'again' });
      const agent = await reached(anna, before);
      await expect.poll(it.state).toBe('connected');
      expect((await it.api('POST', { queue: 'again' })).status).toBe(409);
      if (back === 'api') expect((await it.api('DELETE')).status).toBe(202);
      else agent.line.mouth.press('*9');
      await expect.poll(() => agent.end?.how).toBe('bye');
      await expect.poll(async () => (await it.status()).outcome).toBe('recalled');
      await it.phone.waitForSpeech();
      expect(it.phone.ended).toBeUndefined();
      await it.phone.hangup();
    }
  });

  it('who hangs up after the talk leaves the caller with the bot, where that is wanted', async () => {
    const it = await call();
    const before = anna.calls.length;
    await it.transfer({ queue: 'again' });
    const agent = await reached(anna, before);
    await expect.poll(it.state).toBe('connected');
    await heardFrom(it.phone.line, agent.line);
    await it.phone.pause(300);
    void agent.signalling.hangup();
    await expect.poll(async () => (await it.status()).outcome).toBe('finished');
    await it.phone.waitForSpeech();
    await it.phone.hangup();
    expect(await it.record()).toMatchObject({ endCause: 'caller-hangup' });
  });

  it('by the caller’s own telephone, blind: it calls her itself and leaves us', async () => {
    const it = await call({ refers: true });
    const before = anna.calls.length;
    await it.transfer({ to: anna.uri, how: 'refer' });
    const agent = await reached(anna, before);
    await it.phone.waitForHangup();
    expect(await it.record()).toMatchObject({ endCause: 'transferred' });
    await heardFrom(it.phone.line, agent.line);
    await it.phone.referred?.signalling.hangup();
  });

  it('attended: she is told first, then the two telephones talk without us', async () => {
    const it = await call({ refers: true });
    const before = anna.calls.length;
    await it.transfer({ queue: 'attended' });
    const told = await reached(anna, before);
    await expect.poll(() => heard(told)).toBe(true);
    told.line.mouth.press('1');
    const agent = await reached(anna, before + 1);
    expect(header(agent.invite, 'replaces')).toContain(told.signalling.callId);
    await it.phone.waitForHangup();
    expect(await it.record()).toMatchObject({ endCause: 'transferred' });
    await heardFrom(it.phone.line, agent.line);
    expect(told.end).toBeDefined();
    await it.phone.referred?.signalling.hangup();
  });

  it('attended, where the caller’s telephone goes nowhere: they talk through us', async () => {
    const it = await call();
    const before = anna.calls.length;
    await it.transfer({ queue: 'attended' });
    const agent = await reached(anna, before);
    await expect.poll(() => heard(agent)).toBe(true);
    agent.line.mouth.press('1');
    await expect.poll(it.state).toBe('connected');
    await heardFrom(it.phone.line, agent.line);
    await it.phone.hangup();
    await expect.poll(() => agent.end?.how).toBe('bye');
  });
});

describe.skipIf(!hasFreeSpeechModel)('what caller and agent say to each other', () => {
  it('stands in the record when the call is over, in words that no bank has a sentence for, and who said it', async () => {
    const talk = [
      { speaker: 'agent', text: 'could you tell me the name of the street please' },
      { speaker: 'caller', text: 'we moved to a smaller place near the station' },
    ] as const;
    await voices.prepare([talk[0].text], 'slt');
    await voices.prepare([talk[1].text], 'rms');
    const it = await call({ voiceBox: voices });
    const before = anna.calls.length;
    await it.transfer({ queue: 'again' });
    const agent = await reached(anna, before);
    await expect.poll(it.state).toBe('connected');
    await it.phone.waitForSilence(500);
    agent.line.mouth.say(await voices.speak(talk[0].text, 'slt'));
    await it.phone.waitForSpeech();
    await it.phone.waitForSilence(900);
    await it.phone.say(talk[1].text, { expectReply: false });
    await it.phone.pause(900);
    await it.phone.hangup();
    const lines = ({ utterances }: RecordedCall) => utterances.filter(({ source }) => source === 'recording');
    const record = await recordedCall(connector, it.phone.sipCallId, (it) => lines(it).length === talk.length, 90_000);
    expect(lines(record).map(({ speaker, text }) => ({ speaker, text }))).toEqual(talk);
    expect(record.utterances.filter(({ source }) => source === 'overheard')).toEqual([]);
  });
});
