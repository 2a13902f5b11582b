import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OFFER, UdpPeer } from '../sip/support.ts';
import { type Connector, startConnector } from '../support/connector.ts';

let connector: Connector;
let peer: UdpPeer;
beforeAll(async () => {
  connector = await startConnector({ BOT_PROFILE: 'silent' });
});
afterAll(() => connector.stop());
afterEach(() => peer.close());

interface Shown {
  sessionId: string;
  callerPhone: string;
  callerIdentity: string;
  status: string;
  endCause: string | null;
  signalling: Record<string, unknown> | null;
  trunk: string | null;
}

const URI = 'sip:bank@127.0.0.1';

async function call(callId: string, headers: string[] = []): Promise<string> {
  peer = await UdpPeer.open(connector.sipPort);
  peer.say('INVITE', URI, { callId, headers, body: OFFER });
  const ok = await peer.response(200, 'INVITE');
  peer.say('ACK', URI, { callId, toTag: ok.toTag });
  return ok.toTag ?? '';
}

async function recordOf(callId: string): Promise<Shown> {
  const found = async () => {
    const { calls } = await connector.api<{ calls: (Shown & { sipCallId: string })[] }>('/api/v1/calls?limit=100');
    return calls.find((shown) => shown.sipCallId === callId && shown.status !== 'ACTIVE');
  };
  await expect.poll(found).toBeDefined();
  return (await found()) as Shown;
}

describe('what staff see of a call', () => {
  it('that a colleague passed on, from a caller who withholds the number', async () => {
    const callId = 'passed-on';
    const toTag = await call(callId, [
      'Privacy: id',
      'P-Asserted-Identity: <sip:+15550142@carrier.example>',
      'Diversion: <tel:+15550111>;reason=no-answer;counter=1',
    ]);
    peer.say('BYE', URI, { callId, toTag, cseq: 2, headers: ['Reason: Q.850;cause=16;text="Normal call clearing"'] });
    await peer.response(200, 'BYE');
    const shown = await recordOf(callId);
    expect(shown).toMatchObject({
      callerPhone: '',
      callerIdentity: 'sip:anonymous@anonymous.invalid',
      endCause: 'caller-hangup',
      signalling: {
        trusted: false,
        anonymous: true,
        diversions: [{ uri: 'tel:+15550111', reason: 'no-answer', counter: 1 }],
      },
    });
    const detail = await connector.api<object>(`/api/v1/calls/${shown.sessionId}`);
    expect(JSON.stringify(detail)).not.toMatch(/5550142|5550100/);
    expect(JSON.stringify(detail)).toContain('"release":{"protocol":"Q.850","cause":16}');
  });
});

describe('the SIP ladder', () => {
  it('of a call is there when it is over: every message, without the number that was withheld', async () => {
    const callId = 'on-the-ladder';
    const toTag = await call(callId, ['Privacy: id', 'P-Asserted-Identity: <sip:+15550142@carrier.example>']);
    peer.say('INFO', URI, { callId, toTag, cseq: 2, contentType: 'application/dtmf-relay', body: 'Signal=7\r\n' });
    await peer.response(200, 'INFO');
    peer.say('BYE', URI, { callId, toTag, cseq: 3 });
    await peer.response(200, 'BYE');
    const { sessionId } = await recordOf(callId);
    const read = () =>
      connector.api<{ dropped: number; messages: { startLine: string; text: string; remote: { port: number } }[] }>(
        `/api/v1/calls/${sessionId}/sip`,
      );
    await expect.poll(async () => (await read()).messages.length).toBeGreaterThan(0);
    const { messages, dropped } = await read();
    expect(dropped).toBe(0);
    expect(messages.map(({ startLine }) => startLine.replace(/ sip:.*/, ''))).toEqual(
      expect.arrayContaining(['INVITE', 'SIP/2.0 200 OK', 'ACK', 'INFO', 'BYE']),
    );
    expect(messages.at(-1)?.startLine).toBe('SIP/2.0 200 OK');
    expect(new Set(messages.map(({ remote }) => remote.port))).toEqual(new Set([peer.port]));
    expect(messages.map(({ text }) => text).join('')).not.toMatch(/5550142|5550100|Signal=7/);
    const pcap = await connector.send('GET', `/api/v1/calls/${sessionId}/sip.pcap`);
    expect((await pcap.arrayBuffer()).byteLength).toBeGreaterThan(24 + messages.length * 300);
  });
});

describe('a caller on hold', () => {
  it('whose exchange asks for an offer to take the call back, is offered the whole session', async () => {
    const callId = 'taken-back';
    const toTag = await call(callId);
    peer.say('INVITE', URI, { callId, toTag, cseq: 2, body: `${OFFER}a=sendonly\r\n` });
    expect((await peer.response(200, 'INVITE')).sdp).toContain('a=recvonly');
    peer.say('ACK', URI, { callId, toTag, cseq: 2 });
    peer.say('INVITE', URI, { callId, toTag, cseq: 3 });
    const offered = await peer.response(200, 'INVITE');
    expect(offered.sdp).toContain('a=sendrecv');
    peer.say('ACK', URI, { callId, toTag, cseq: 3, body: OFFER });
    peer.say('BYE', URI, { callId, toTag, cseq: 4 });
    await peer.response(200, 'BYE');
    expect((await recordOf(callId)).endCause).toBe('caller-hangup');
  });
});
