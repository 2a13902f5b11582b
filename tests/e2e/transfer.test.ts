import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OFFER, UdpPeer } from '../sip/support.ts';
import { Baresip } from '../support/baresip.ts';
import { newestCallFrom } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';

let connector: Connector;
const peers: UdpPeer[] = [];
beforeAll(async () => {
  connector = await startConnector({ BOT_PROFILE: 'silent' });
});
afterAll(() => connector.stop());
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});

const URI = 'sip:bank@127.0.0.1';
const AGENT = 'sip:anna@192.0.2.9';

interface Transfer {
  state: string;
  outcome: string | null;
  attempts: { target: string; way: string; outcome: string; status?: number }[];
}

/** A call that is up, and staff who look at it through the API. */
async function call() {
  const peer = await UdpPeer.open(connector.sipPort);
  peers.push(peer);
  const callId = `transfer-${peer.port}`;
  peer.say('INVITE', URI, { callId, headers: ['Allow: INVITE, ACK, BYE, CANCEL, REFER, NOTIFY'], body: OFFER });
  const { toTag } = await peer.response(200, 'INVITE');
  peer.say('ACK', URI, { callId, toTag });
  const mine = async () => {
    const { calls } = await connector.api<{ calls: { sipCallId: string; sessionId: string; endCause: string }[] }>(
      '/api/v1/calls?limit=100',
    );
    return calls.find((one) => one.sipCallId === callId);
  };
  await expect.poll(mine).toBeDefined();
  const { sessionId } = (await mine())!;
  const api = (method: string, body?: object) => connector.send(method, `/api/v1/calls/${sessionId}/transfer`, body);
  let cseq = 1;
  return {
    peer,
    sessionId,
    api,
    transfer: async (body: object) => expect((await api('POST', body)).status).toBe(202),
    status: async () => (await (await api('GET')).json()) as Transfer,
    say: (method: string, headers: string[] = [], body = '', contentType = 'message/sipfrag;version=2.0') =>
      peer.say(method, URI, { callId, toTag, cseq: ++cseq, headers, body, contentType }),
    notify(status: string, state: string) {
      this.say('NOTIFY', ['Event: refer', `Subscription-State: ${state}`], `SIP/2.0 ${status}\r\n`);
    },
    endCause: async () => (await mine())?.endCause ?? null,
    events: async () => {
      const { events } = await connector.api<{ events: { type: string; data: Record<string, unknown> }[] }>(
        `/api/v1/calls/${sessionId}`,
      );
      return events.filter(({ type }) => type.startsWith('handover-'));
    },
  };
}

describe('staff hand a caller over to a person', () => {
  it('whom the caller’s own exchange calls: the caller is gone when that has answered', async () => {
    const it = await call();
    await it.transfer({ to: AGENT, how: 'refer' });
    const refer = await it.peer.request('REFER');
    expect(refer.headers.get('refer-to')).toBe(`<${AGENT}>`);
    expect((await it.api('POST', { to: AGENT })).status).toBe(409);
    it.peer.reply(refer, 202);
    it.notify('180 Ringing', 'active;expires=60');
    await it.peer.response(200, 'NOTIFY');
    expect(await it.status()).toMatchObject({ state: 'referring', outcome: null });
    it.notify('200 OK', 'terminated;reason=noresource');
    it.peer.reply(await it.peer.request('BYE'), 200);
    await expect.poll(it.endCause).toBe('transferred');
    expect((await it.events()).map(({ type }) => type)).toEqual([
      'handover-started',
      'handover-referring',
      'handover-progress',
      'handover-referred',
      'handover-ended',
    ]);
  });

  it('a telephone number is one of the caller’s own exchange', async () => {
    const it = await call();
    await it.transfer({ to: '+1 (555) 01-23', how: 'refer' });
    const refer = await it.peer.request('REFER');
    expect(refer.headers.get('refer-to')).toBe('<sip:+15550123@127.0.0.1>');
    it.peer.reply(refer, 202);
    it.say('BYE');
    await expect.poll(it.endCause).toBe('transferred');
  });

  it('an exchange that hangs up first and tells afterwards how it went has gone, or has not', async () => {
    for (const [told, cause] of [
      ['200 OK', 'transferred'],
      ['487 Request Terminated', 'caller-hangup'],
    ] as const) {
      const it = await call();
      await it.transfer({ to: AGENT, how: 'refer' });
      it.peer.reply(await it.peer.request('REFER'), 202);
      it.notify('100 Trying', 'active');
      await it.peer.response(200, 'NOTIFY');
      it.say('BYE');
      await it.peer.response(200, 'BYE');
      it.notify(told, 'terminated');
      await it.peer.response(200, 'NOTIFY');
      await expect.poll(it.endCause).toBe(cause);
    }
  });

  it('who is busy, or an exchange that transfers nobody, leaves the caller with us', async () => {
    const it = await call();
    await it.transfer({ to: AGENT, how: 'refer' });
    it.peer.reply(await it.peer.request('REFER'), 202);
    it.notify('486 Busy Here', 'terminated');
    await expect.poll(it.status).toMatchObject({
      state: 'ended',
      outcome: 'nobody',
      attempts: [{ target: AGENT, way: 'refer', outcome: 'failed', status: 486 }],
    });
    await it.transfer({ to: AGENT, how: 'refer' });
    it.peer.reply(await it.peer.request('REFER'), 603);
    await expect.poll(it.status).toMatchObject({ outcome: 'nobody', attempts: [{ outcome: 'refused', status: 603 }] });
    expect((await it.api('DELETE')).status).toBe(409);
    it.say('BYE');
    await expect.poll(it.endCause).toBe('caller-hangup');
    expect((await it.api('POST', { to: AGENT })).status).toBe(409);
  });

  it('is told what is wrong with a request', async () => {
    const it = await call();
    for (const body of [{}, { to: AGENT, queue: 'x' }, { to: 'mailto:a@b' }, { to: AGENT, how: 'magic' }]) {
      expect((await it.api('POST', body)).status).toBe(400);
    }
    expect((await it.api('POST', { queue: 'nowhere' })).status).toBe(404);
    expect((await it.api('GET')).status).toBe(404);
    it.say('BYE');
  });
});

describe('a telephone nobody of us wrote', () => {
  it('baresip goes to whom it is referred, and says how that went', async () => {
    const agent = await AnsweringPhone.open({ ringMs: 100 });
    const bare = await Baresip.open({ user: '+15550177' });
    try {
      bare.command('dial', `sip:bank@127.0.0.1:${connector.sipPort}`);
      const mine = () => newestCallFrom(connector, '+15550177');
      await expect.poll(async () => (await mine())?.status).toBe('ACTIVE');
      const { sessionId } = (await mine())!;
      const body = { to: agent.uri, how: 'auto' };
      const begun = await connector.send('POST', `/api/v1/calls/${sessionId}/transfer`, body);
      expect(begun.status).toBe(202);
      await expect.poll(() => agent.calls.length).toBe(1);
      await expect.poll(async () => (await mine())?.endCause).toBe('transferred');
      const { events } = (await mine())!;
      expect(events.find(({ type }) => type === 'handover-referred')?.data).toMatchObject({ way: 'refer' });
      expect(agent.calls[0]!.end).toBeUndefined();
    } finally {
      await bare.close();
      await agent.close();
    }
  });
});
