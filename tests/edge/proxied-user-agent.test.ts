import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { Session } from '../../src/sip/session/session.ts';
import type { SessionEnd } from '../../src/sip/session/session-end.ts';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { ANSWER, listen, OFFER } from '../sip/support.ts';
import { DialRefused } from '../support/phone/failures.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { headerList, parseVia, type SipRequest } from '../support/phone/sip-message.ts';
import { EDGES, type Edge } from './edge.ts';

// Our user agent and a phone that shares no code with it, with a real proxy between them.
describe.each(EDGES)('a user agent behind $name', (kind) => {
  let edge: Edge;
  let ua: UserAgent;
  const phones: Phone[] = [];
  const invites: IncomingInvite[] = [];
  const sessions: Session[] = [];
  let onInvite: (invite: IncomingInvite) => void;

  const answering = (invite: IncomingInvite) => {
    invite.session.handlers.onOffer = () => ANSWER;
    invite.answer(ANSWER).then(
      () => sessions.push(invite.session),
      () => undefined,
    );
  };

  beforeAll(async () => {
    const listening = await listen({
      timers: {},
      onInvite: (invite) => {
        invites.push(invite);
        onInvite(invite);
      },
    });
    ua = listening.ua;
    edge = await kind.start([listening.udp]);
  });
  afterEach(async () => {
    for (const phone of phones.splice(0)) await phone.close();
    invites.splice(0);
    sessions.splice(0);
  });
  afterAll(async () => {
    await ua.close();
    await edge.stop();
  });

  async function phone(options: PhoneOptions = {}): Promise<Phone> {
    const opened = await Phone.open(options);
    phones.push(opened);
    return opened;
  }
  const uri = () => `sip:bank@127.0.0.1:${edge.port}`;

  /** A call that is up on both sides. */
  async function call(options: PhoneOptions = {}): Promise<{ caller: Phone; session: Session }> {
    onInvite = answering;
    const caller = await phone(options);
    await caller.dial(uri());
    await expect.poll(() => sessions.length).toBe(1);
    return { caller, session: sessions[0]! };
  }

  const cameThroughTheEdge = (request: SipRequest) => {
    const vias = headerList(request, 'via').map(parseVia);
    return vias.length === 2 && vias[0]!.port === edge.port;
  };

  it('answers calls whose INVITE and BYE take the way of the Record-Route', async () => {
    const { caller } = await call();
    const { request } = invites[0]!;
    expect(request.headers.list('via').length).toBe(2);
    expect(request.headers.list('record-route').length).toBeGreaterThan(0);
    await caller.hangup();
    expect(invites[0]!.signal.reason).toEqual({ by: 'remote', how: 'bye' } satisfies SessionEnd);
  });

  it('hangs up through the edge', async () => {
    const { caller, session } = await call();
    await session.bye();
    await caller.waitForHangup();
    expect(caller.ended).toMatchObject({ by: 'far-end', how: 'bye' });
    expect(caller.received.at(-1)).toSatisfy(cameThroughTheEdge);
  });

  it('changes the call from either side', async () => {
    const { caller, session } = await call();
    expect(await session.reinvite(OFFER)).toMatch(/^v=0/);
    expect(caller.received.at(-1)).toMatchObject({ method: 'INVITE' });
    expect(caller.received.at(-1)).toSatisfy(cameThroughTheEdge);
    expect(await session.update(OFFER)).toMatch(/^v=0/);
    expect((await caller.hold()).status).toBe(200);
    expect(session.remoteSdp).toMatch(/a=sendonly/);
    expect((await caller.resume()).status).toBe(200);
    expect((await caller.request('OPTIONS')).status).toBe(200);
    await caller.hangup();
  });

  it('serves a caller on TCP who stands behind NAT, and calls back on the same connection', async () => {
    const { caller, session } = await call({ transport: 'tcp' });
    // The two transports of the edge are two hops of the route set (RFC 5658).
    expect(invites[0]!.request.headers.list('record-route').length).toBe(2);
    expect(await session.reinvite(OFFER)).toMatch(/^v=0/);
    await session.bye();
    await caller.waitForHangup();
    expect(caller.ended).toMatchObject({ by: 'far-end', how: 'bye' });
  });

  it('stops ringing when the caller gives up', async () => {
    onInvite = (invite) => invite.progress();
    const rang: number[] = [];
    const caller = await phone({ observer: { ringing: (status) => rang.push(status) } });
    caller.startDialing(uri());
    await expect.poll(() => rang).toContain(180);
    caller.cancel();
    await caller.waitForHangup();
    expect(caller.ended).toMatchObject({ how: 'cancel' });
    await expect.poll(() => invites[0]!.signal.reason).toMatchObject({ by: 'remote', how: 'cancel' });
  });

  it('refuses in its own words, and that is not taken for a failure', async () => {
    onInvite = (invite) => invite.reject({ status: 486 });
    const caller = await phone();
    await expect(caller.dial(uri())).rejects.toThrow(DialRefused);
    expect(caller.ended).toMatchObject({ status: 486 });
    expect(invites.length).toBe(1);
  });
});
