import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAskedForProof, sayUntilUnderstood } from '../e2e/customers.ts';
import { heardFromBot, recordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { freePort } from '../support/free-port.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { EDGES, type Edge } from './edge.ts';

const LINES = ['what is my balance', 'thank you goodbye'];
/** Longer than any test waits: a connector that drains goes when its last call has gone, not before. */
const DRAIN_SECONDS = '200';

// Two whole connectors, as in docker-compose.yml, and callers who only know the edge.
describe.each(EDGES)('two connectors behind $name', (kind) => {
  const voiceBox = new VoiceBox();
  const phones: Phone[] = [];
  let ports: [number, number];
  let connectors: [Connector, Connector];
  let edge: Edge;

  const startOne = (port: number) =>
    startConnector({ SIP_PORT: String(port), DRAIN_SECONDS, ...(port === ports[0] ? {} : { BOT_PROFILE: 'silent' }) });

  beforeAll(async () => {
    ports = [await freePort(), await freePort()];
    connectors = await Promise.all([startOne(ports[0]), startOne(ports[1])]);
    edge = await kind.start(ports);
  });
  afterEach(async () => {
    for (const phone of phones.splice(0)) await phone.close();
  });
  afterAll(async () => {
    // Also when one of them did not start.
    await edge?.stop();
    await Promise.all((connectors ?? []).map((connector) => connector.stop()));
    await voiceBox.close();
  });

  async function dial(options: PhoneOptions = {}): Promise<Phone> {
    const phone = await Phone.open({ voiceBox, ...options });
    phones.push(phone);
    await phone.dial(`sip:bank@127.0.0.1:${edge.port}`, 15_000);
    return phone;
  }

  async function has(connector: Connector, phone: Phone): Promise<boolean> {
    if (connector.process.exitCode !== null || connector.process.signalCode !== null) return false;
    const page = await connector
      .api<{ calls: { sipCallId: string }[] }>('/api/v1/calls?limit=100')
      .catch(() => ({ calls: [] }));
    return page.calls.some((call) => call.sipCallId === phone.sipCallId);
  }

  /** Which of the two has the call: 0 or 1. Its journal may be a moment behind the answer. */
  async function takenBy(phone: Phone): Promise<number> {
    for (let i = 0; i < 100; i++) {
      for (const [n, connector] of connectors.entries()) if (await has(connector, phone)) return n;
      await sleep(50);
    }
    throw new Error('no connector knows the call');
  }

  /** Calls until one of them is taken by this connector; the others are hung up. */
  async function dialInto(wanted: number, options: PhoneOptions = {}): Promise<Phone> {
    for (let i = 0; i < 60; i++) {
      const phone = await dial(options);
      if ((await takenBy(phone)) === wanted) return phone;
      await phone.hangup();
      await sleep(250);
    }
    throw new Error(`connector ${wanted} gets no calls`);
  }

  it('a customer has a whole banking conversation, until the bot hangs up', async () => {
    await voiceBox.prepare(LINES, 'slt');
    const phone = await dialInto(0, { from: '+15550100' });
    await phone.waitForReply();
    await sayUntilUnderstood(connectors[0], phone, LINES[0]!, { understood: isAskedForProof });
    await phone.press('2580');
    await phone.waitForReply();
    expect((await phone.hold()).status).toBe(200);
    expect((await phone.resume()).status).toBe(200);
    await phone.say(LINES[1]!);
    await phone.waitForHangup();
    const call = await recordedCall(connectors[0], phone.sipCallId);
    expect(call).toMatchObject({ callerPhone: '+15550100', status: 'COMPLETED', endCause: 'bot-goodbye' });
    expect(transcript(call)).toContain('caller: what is my balance');
    expect(heardFromBot(call)).toMatch(/one thousand two hundred (and )?four/i);
    expect(phone.ended).toMatchObject({ by: 'far-end', how: 'bye' });
  });

  it('callers go to both', async () => {
    await dialInto(0);
    await dialInto(1);
  });

  it('a caller is sent to a person: REFER and its news pass the edge both ways', async () => {
    const agent = await AnsweringPhone.open({ ringMs: 100 });
    try {
      const phone = await dialInto(1, { refers: true });
      const { sessionId } = await recordedCall(connectors[1], phone.sipCallId, () => true);
      const begun = await connectors[1].send('POST', `/api/v1/calls/${sessionId}/transfer`, { to: agent.uri });
      expect(begun.status).toBe(202);
      await phone.waitForHangup();
      const call = await recordedCall(connectors[1], phone.sipCallId);
      expect(call.endCause).toBe('transferred');
      const referred = call.events.find(({ type }) => type === 'handover-referred');
      expect(referred?.data).toMatchObject({ outcome: 'connected', status: 200 });
      expect(agent.calls).toHaveLength(1);
      await phone.referred?.signalling.hangup();
    } finally {
      await agent.close();
    }
  });

  it('one drains: its call goes on, new ones go to the other, and it takes calls again when it is back', async () => {
    const onFirst = await dialInto(0);
    connectors[0].process.kill('SIGTERM');
    await expect
      .poll(() => connectors[0].logs.some((entry) => String(entry.message).startsWith('stopping')))
      .toBe(true);
    for (let i = 0; i < 4; i++) {
      const phone = await dial();
      expect(await takenBy(phone)).toBe(1);
      await phone.hangup();
    }
    expect((await onFirst.hold()).status).toBe(200);
    expect((await onFirst.resume()).status).toBe(200);
    await onFirst.hangup();
    expect(await connectors[0].stop()).toBe(0);
    connectors[0] = await startOne(ports[0]);
    await dialInto(0);
  });

  it('one is killed: the very next callers are answered by the other, and it is found again when it is back', async () => {
    const lost = await dialInto(0);
    await connectors[0].stop({ signal: 'SIGKILL', keepData: true });
    for (let i = 0; i < 2; i++) {
      const phone = await dial();
      expect(await takenBy(phone)).toBe(1);
      await phone.hangup();
    }
    // Not Kamailio here: the shipped OpenSIPS asks the connector within each call, and tells the caller when it is gone.
    if (edge.name === 'OpenSIPS') {
      await lost.waitForHangup();
      expect(lost.ended).toMatchObject({ by: 'far-end', how: 'bye' });
    }
    connectors[0] = await startOne(ports[0]);
    await dialInto(0);
  });
});
