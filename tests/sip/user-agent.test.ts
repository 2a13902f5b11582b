import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import type { SipResponse } from '../../src/sip/message/message.ts';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { UserAgent, UserAgentOptions } from '../../src/sip/user-agent.ts';
import { ended, pause } from './calls.ts';
import { ANSWER, FAST, listen, OFFER, PATIENT, type Peer, TcpPeer, UdpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A user agent and a peer of it that speaks `transport`. */
async function pair(
  transport: 'UDP' | 'TCP' = 'UDP',
  options: Partial<UserAgentOptions> = {},
): Promise<{ ua: UserAgent; peer: Peer; uri: string }> {
  const { ua, udp, tcp } = await listen(options);
  open.push(ua);
  const peer = transport === 'UDP' ? await UdpPeer.open(udp) : await TcpPeer.open(tcp);
  open.push(peer);
  return { ua, peer, uri: `sip:bank@127.0.0.1:${transport === 'UDP' ? udp : tcp}` };
}

/** Keeps the INVITE for the test to deal with. */
function keeping(): { options: Partial<UserAgentOptions>; first: Promise<IncomingInvite> } {
  const { promise, resolve } = Promise.withResolvers<IncomingInvite>();
  return { options: { onInvite: resolve }, first: promise };
}

async function callUp(peer: Peer, uri: string): Promise<SipResponse> {
  peer.say('INVITE', uri, { body: OFFER });
  const ok = await peer.response(200, 'INVITE');
  peer.say('ACK', uri, { toTag: ok.toTag });
  return ok;
}

describe.each(['UDP', 'TCP'] as const)('a call over %s', (transport) => {
  it('rings, is answered, and ends when the caller hangs up', async () => {
    const { options, first } = keeping();
    const { peer, uri, ua } = await pair(transport, options);
    peer.say('INVITE', uri, { body: OFFER });
    const invite = await first;
    expect(invite.offer).toBe(OFFER);
    invite.progress();
    const ringing = await peer.response(180);
    const answered = invite.answer(ANSWER);
    const ok = await peer.response(200);
    expect(ok.sdp).toBe(ANSWER);
    expect(ok.toTag).toBe(ringing.toTag);
    expect(ok.headers.get('allow')).toContain('BYE');
    expect(ok.contact?.uri).toMatch(/^sip:bank@127\.0\.0\.1:\d+/);
    expect(ok.via.params.get('rport')).toBe(String(peer.port));
    peer.say('ACK', uri, { toTag: ok.toTag });
    expect((await answered).method).toBe('ACK');
    peer.say('BYE', uri, { toTag: ok.toTag, cseq: 2, headers: ['Reason: Q.850;cause=16;text="Normal"'] });
    await peer.response(200, 'BYE');
    expect(await ended(invite.signal)).toEqual({
      by: 'remote',
      how: 'bye',
      reason: 'Normal',
      release: { protocol: 'Q.850', cause: 16 },
    });
    expect(ua.dialogs).toBe(0);
  });

  it('ends with our BYE, which the peer confirms', async () => {
    const { options, first } = keeping();
    const { peer, uri, ua } = await pair(transport, options);
    peer.say('INVITE', uri, { body: OFFER });
    const invite = await first;
    void invite.answer(ANSWER);
    const ok = await peer.response(200);
    peer.say('ACK', uri, { toTag: ok.toTag });
    await pause(20);
    const over = invite.session.bye();
    expect(invite.signal.reason).toEqual({ by: 'local', how: 'bye' });
    const bye = await peer.request('BYE');
    expect([bye.fromTag, bye.toTag]).toEqual([ok.toTag, 'ada']);
    peer.reply(bye, 200);
    await over;
    expect(ua.dialogs).toBe(0);
  });

  it('is cancelled while it rings: 200 to CANCEL, 487 to INVITE', async () => {
    const { options, first } = keeping();
    const { peer, uri } = await pair(transport, options);
    const branch = peer.branch();
    peer.say('INVITE', uri, { body: OFFER, branch });
    const invite = await first;
    invite.progress();
    await peer.response(180);
    peer.say('CANCEL', uri, { branch });
    await peer.response(200, 'CANCEL');
    const gone = await peer.response(487, 'INVITE');
    peer.say('ACK', uri, { branch, toTag: gone.toTag });
    expect(await ended(invite.signal)).toEqual({ by: 'remote', how: 'cancel' });
    await expect(invite.answer(ANSWER)).rejects.toMatchObject({ sipStatus: 487 });
  });

  it.each([0, 1])('is over when the time that its INVITE gives is: Expires: %i', async (expires) => {
    const { options, first } = keeping();
    const { peer, uri } = await pair(transport, options);
    const branch = peer.branch();
    peer.say('INVITE', uri, { body: OFFER, branch, headers: [`Expires: ${expires}`] });
    const invite = await first;
    const gone = await peer.response(487, 'INVITE');
    peer.say('ACK', uri, { branch, toTag: gone.toTag });
    // The caller has given up, if beforehand: no network was lost.
    expect(await ended(invite.signal)).toEqual({
      by: 'remote',
      how: 'cancel',
      status: 487,
      reason: `Expires: ${expires}`,
    });
    await expect(invite.answer(ANSWER)).rejects.toMatchObject({ sipStatus: 487 });
  });

  it('that nobody acknowledges is answered again and again, then hung up', async () => {
    const { options, first } = keeping();
    const { peer, uri } = await pair(transport, { ...options, timers: { ...FAST, t1: 20, t2: 80 } });
    peer.say('INVITE', uri, { body: OFFER });
    const invite = await first;
    await expect(invite.answer(ANSWER)).rejects.toMatchObject({ code: 'sip-timeout' });
    peer.reply(await peer.request('BYE'), 200);
    expect(peer.heard.length).toBeGreaterThan(8);
    expect(await ended(invite.signal)).toMatchObject({ by: 'network', how: 'no-ack' });
  });
});

describe('requests that cannot be served', () => {
  it.each([
    ['a BYE out of nowhere', 481, (p: Peer, u: string) => p.say('BYE', u, { toTag: 'x' })],
    [
      'an INVITE for a call that does not exist',
      481,
      (p: Peer, u: string) => p.say('INVITE', u, { toTag: 'x', body: OFFER }),
    ],
    ['a CANCEL for nothing', 481, (p: Peer, u: string) => p.say('CANCEL', u)],
    ['a method of another specification', 405, (p: Peer, u: string) => p.say('SUBSCRIBE', u)],
    ['a method nobody knows', 501, (p: Peer, u: string) => p.say('DANCE', u)],
    [
      'an extension we do not have',
      420,
      (p: Peer, u: string) => p.say('INVITE', u, { headers: ['Require: 100rel, gruu, outbound'] }),
    ],
    [
      'a body that is not SDP',
      415,
      (p: Peer, u: string) => p.say('INVITE', u, { body: 'x', contentType: 'text/plain' }),
    ],
    ['a URI of another scheme', 416, (p: Peer) => p.say('OPTIONS', 'http://example.com')],
    ['a CSeq of another method', 400, (p: Peer, u: string) => p.say('OPTIONS', u, { cseqMethod: 'INVITE' })],
    [
      'an INVITE without a Contact',
      400,
      (p: Peer, u: string) => p.write(p.build('INVITE', u).replace(/Contact:.*\r\n/, '')),
    ],
    [
      'a From that is garbage',
      400,
      (p: Peer, u: string) => p.write(p.build('OPTIONS', u).replace(/From:.*\r\n/, 'From: "x\r\n')),
    ],
    [
      'another version of SIP',
      505,
      (p: Peer, u: string) => p.write(p.build('OPTIONS', u).replace(/SIP\/2.0\r\nVia/, 'SIP/3.0\r\nVia')),
    ],
    [
      'headers that are too long',
      513,
      (p: Peer, u: string) => p.say('OPTIONS', u, { headers: [`X-Long: ${'x'.repeat(60_000)}`] }),
    ],
    [
      'too many headers',
      513,
      (p: Peer, u: string) => p.say('OPTIONS', u, { headers: Array.from({ length: 2_000 }, (_, i) => `X-${i}: y`) }),
    ],
  ])('%s: %i', async (_what, status, say) => {
    const { peer, uri } = await pair();
    say(peer, uri);
    const response = await peer.response(status);
    if (status === 405 || status === 501) expect(response.headers.list('allow')).toContain('INVITE');
    if (status === 420) expect(response.headers.list('unsupported')).toEqual(['gruu', 'outbound']);
    if (status === 415) expect(response.headers.get('accept')).toBe('application/sdp, multipart/mixed');
    expect(response.toTag).toBeTruthy();
  });

  it('do not keep the user agent from the next one, garbage included', async () => {
    const { peer, uri } = await pair();
    for (const bytes of [
      '',
      '\0\0\0\0',
      '\r\n\r\n',
      'x',
      'SIP/2.0 200 OK\r\n\r\n',
      'ACK a SIP/2.0\r\nVia: \r\n\r\n',
      '\u00ff'.repeat(2000),
    ]) {
      peer.write(Buffer.from(bytes, 'latin1'));
    }
    peer.write(peer.build('OPTIONS', uri).slice(0, 90));
    peer.say('OPTIONS', uri, { callId: 'alive' });
    const ok = await peer.response(200, 'OPTIONS');
    expect(ok.headers.get('accept')).toBe('application/sdp');
  });

  it('the same INVITE on two paths: one call, 482 for the other', async () => {
    const { options, first } = keeping();
    const { peer, uri } = await pair('UDP', options);
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-path-1' });
    await first;
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-path-2' });
    expect((await peer.response(482)).via.params.get('branch')).toBe('z9hG4bK-path-2');
  });

  it('a copy of an INVITE that was refused without state is refused too, whatever would be said by now', async () => {
    let busy = true;
    const { peer, uri } = await pair('UDP', { onRequest: () => (busy ? { status: 503 } : 'accept') });
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-copied' });
    const { toTag } = await peer.response(503);
    busy = false;
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-copied' });
    expect((await peer.response(503)).toTag).toBe(toTag);
    peer.say('ACK', uri, { branch: 'z9hG4bK-copied', toTag });
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-anew' });
    await peer.response(200);
  });

  it('an INVITE that was refused a moment ago is taken when it comes again on another branch', async () => {
    let busy = true;
    const { peer, uri } = await pair('UDP', {
      onInvite: (invite) => {
        if (busy) invite.reject({ status: 503 });
        else void invite.answer(ANSWER).catch(() => undefined);
      },
    });
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-try-1' });
    const { toTag } = await peer.response(503);
    peer.say('ACK', uri, { branch: 'z9hG4bK-try-1', toTag });
    busy = false;
    peer.say('INVITE', uri, { body: OFFER, branch: 'z9hG4bK-try-2' });
    expect((await peer.response(200)).via.params.get('branch')).toBe('z9hG4bK-try-2');
  });

  it('when everything is full: 503 with Retry-After', async () => {
    const { peer, uri } = await pair('UDP', {
      onInvite: () => undefined,
      limits: { maxDialogs: 1, maxTransactions: 2 },
    });
    peer.say('INVITE', uri, { body: OFFER, callId: 'one' });
    await peer.response(100);
    peer.say('INVITE', uri, { body: OFFER, callId: 'two' });
    expect((await peer.response(503)).headers.get('retry-after')).toBe('5');
    peer.say('OPTIONS', uri, { callId: 'three' });
    expect((await peer.response(503, 'OPTIONS')).headers.get('retry-after')).toBe('5');
  });
});

describe('who may speak to us', () => {
  it('is asked once for each new request, before anything is kept of it', async () => {
    const asked: string[] = [];
    const { ua, peer, uri } = await pair('UDP', {
      onRequest: (request, flow, known) => {
        asked.push(`${request.method} ${flow.remote.port === peer.port} ${known}`);
        if (request.callId === 'scanner') return 'drop';
        return request.callId === 'stranger'
          ? { status: 401, headers: { 'WWW-Authenticate': 'Digest realm="x"' } }
          : 'accept';
      },
      onMalformed: (error) => {
        asked.push(`malformed ${error.sipStatus}`);
        return 'drop';
      },
    });
    peer.say('OPTIONS', uri, { callId: 'scanner' });
    const stranger = peer.build('INVITE', uri, { callId: 'stranger', body: OFFER });
    peer.write(stranger);
    peer.write(stranger);
    const first = await peer.response(401, 'INVITE');
    const again = await peer.response(401, 'INVITE');
    expect(first.headers.get('www-authenticate')).toBe('Digest realm="x"');
    expect(again.toTag).toBe(first.toTag);
    peer.say('ACK', uri, { callId: 'stranger', toTag: first.toTag });
    expect([ua.transactions, ua.dialogs]).toEqual([0, 0]);
    peer.write(peer.build('OPTIONS', uri).replace('1 OPTIONS', '1 INVITE'));
    const ok = await callUp(peer, uri);
    peer.say('BYE', uri, { toTag: ok.toTag, cseq: 2 });
    await peer.response(200, 'BYE');
    expect(peer.summary()).toBe('');
    expect(asked).toEqual([
      'OPTIONS true false',
      'INVITE true false',
      'INVITE true false',
      'malformed 400',
      'INVITE true false',
      'BYE true true',
    ]);
  });
});

describe('retransmissions on UDP', () => {
  it('of an INVITE make one call, and get the last provisional answer', async () => {
    let calls = 0;
    const { peer, uri } = await pair('UDP', {
      onInvite: (invite) => {
        calls++;
        invite.progress();
      },
    });
    const text = peer.build('INVITE', uri, { body: OFFER });
    for (let i = 0; i < 3; i++) peer.write(text);
    for (let i = 0; i < 3; i++) await peer.response(180);
    expect(calls).toBe(1);
  });

  it('of a BYE get the same 200', async () => {
    const { peer, uri } = await pair();
    const ok = await callUp(peer, uri);
    const bye = peer.build('BYE', uri, { toTag: ok.toTag, cseq: 2 });
    peer.write(bye);
    peer.write(bye);
    await peer.response(200, 'BYE');
    await peer.response(200, 'BYE');
  });

  it('of a refusal go on until the ACK', async () => {
    const { peer, uri } = await pair('UDP', { onInvite: (invite) => invite.reject({ status: 486 }) });
    const branch = peer.branch();
    peer.say('INVITE', uri, { body: OFFER, branch });
    await peer.response(486);
    const again = await peer.response(486);
    peer.say('ACK', uri, { branch, toTag: again.toTag });
    await pause(60);
    peer.heard.length = 0;
    await pause(500);
    expect(peer.summary()).toBe('');
  });

  it('of a 2543 peer without branches are recognised too', async () => {
    let calls = 0;
    const { peer, uri } = await pair('UDP', {
      onInvite: (invite) => {
        calls++;
        invite.reject({ status: 486 });
      },
    });
    const text = peer.build('INVITE', uri, { body: OFFER }).replace(/;branch=[^;]*/, '');
    peer.write(text);
    peer.write(text);
    const refused = await peer.response(486);
    peer.write(
      text
        .replace('INVITE', 'ACK')
        .replace('1 INVITE', '1 ACK')
        .replace('To: <sip:bank@127.0.0.1>', `To: <sip:bank@127.0.0.1>;tag=${refused.toTag}`),
    );
    await pause(100);
    peer.heard.length = 0;
    await pause(400);
    expect([calls, peer.summary()]).toEqual([1, '']);
  });
});

describe('where answers go', () => {
  it('to the source port with rport, to the port in the Via without', async () => {
    const { peer, uri } = await pair();
    const other = await UdpPeer.open();
    open.push(other);
    peer.write(peer.build('OPTIONS', uri).replace(`127.0.0.1:${peer.port};branch`, 'pc.invalid:9;branch'));
    const here = await peer.response(200);
    expect(here.via.params.get('received')).toBe('127.0.0.1');
    peer.write(
      peer
        .build('OPTIONS', uri, { cseq: 2 })
        .replace(`127.0.0.1:${peer.port};branch`, `127.0.0.1:${other.port};branch`)
        .replace(';rport', ''),
    );
    expect((await other.response(200)).cseq.number).toBe(2);
  });

  it('tells peers the public address where one is configured', async () => {
    const { peer, uri } = await pair('UDP', { publicAddress: '203.0.113.5' });
    const ok = await callUp(peer, uri);
    expect(ok.contact?.uri).toMatch(/^sip:bank@203\.0\.113\.5:\d+$/);
  });

  it('tells peers the address that faces them when bound to all', async () => {
    const { options, first } = keeping();
    const { ua, udp } = await listen({ ...options, listen: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }] });
    const peer = await UdpPeer.open(ua.bound[0]?.port ?? udp);
    open.push(ua, peer);
    peer.say('INVITE', `sip:bank@127.0.0.1`, { body: OFFER });
    const invite = await first;
    expect([invite.localAddress, invite.bindAddress]).toEqual(['127.0.0.1', '0.0.0.0']);
  });
});

describe('inside a call', () => {
  async function call(handlers: Partial<IncomingInvite['session']['handlers']> = {}) {
    const { options, first } = keeping();
    const { peer, uri, ua } = await pair('UDP', options);
    peer.say('INVITE', uri, { body: OFFER });
    const invite = await first;
    Object.assign(invite.session.handlers, handlers);
    void invite.answer(ANSWER);
    const { toTag } = await peer.response(200);
    peer.say('ACK', uri, { toTag });
    await pause(20);
    return { peer, uri, ua, toTag, session: invite.session, signal: invite.signal };
  }

  it('a re-INVITE is answered by whoever has the media, and moves the target', async () => {
    const held = OFFER.replace('t=0 0', 't=0 0\r\na=sendonly');
    const offers: string[] = [];
    const { peer, uri, toTag, session } = await call({
      onOffer: (sdp) => {
        offers.push(sdp);
        return ANSWER;
      },
    });
    const moved = await UdpPeer.open();
    open.push(moved);
    peer.write(
      peer
        .build('INVITE', uri, { toTag, cseq: 2, body: held })
        .replace(/Contact:.*\r\n/, `Contact: <sip:ada@127.0.0.1:${moved.port}>\r\n`),
    );
    expect((await peer.response(200, 'INVITE')).sdp).toBe(ANSWER);
    peer.say('ACK', uri, { toTag, cseq: 2 });
    expect(offers).toEqual([held]);
    await pause(20);
    void session.bye();
    moved.reply(await moved.request('BYE'), 200);
  });

  it('a re-INVITE that cannot be agreed on gets 488 and the call goes on', async () => {
    const { peer, uri, toTag, signal } = await call({
      onOffer: () => {
        throw new Failure('no codec', { code: 'x', blame: 'caller', sipStatus: 488 });
      },
    });
    const branch = peer.branch();
    peer.say('INVITE', uri, { toTag, cseq: 2, body: OFFER, branch });
    await peer.response(488);
    peer.say('ACK', uri, { toTag, cseq: 2, branch });
    expect(signal.aborted).toBe(false);
  });

  it('a re-INVITE without an offer gets ours, and the ACK brings the answer', async () => {
    const answers: string[] = [];
    const { peer, uri, toTag } = await call({ onAnswer: (sdp) => answers.push(sdp) });
    peer.say('INVITE', uri, { toTag, cseq: 2 });
    expect((await peer.response(200, 'INVITE')).sdp).toBe(ANSWER);
    peer.say('ACK', uri, { toTag, cseq: 2, body: OFFER });
    await expect.poll(() => answers).toEqual([OFFER]);
  });

  it('an answer of theirs that cannot be used harms nothing', async () => {
    const unusable = () => {
      throw new Error('no codec in common');
    };
    const { peer, uri, toTag, signal } = await call({ onAnswer: unusable });
    peer.say('INVITE', uri, { toTag, cseq: 2 });
    await peer.response(200, 'INVITE');
    peer.say('ACK', uri, { toTag, cseq: 2, body: OFFER });
    peer.say('OPTIONS', uri, { toTag, cseq: 3 });
    await peer.response(200, 'OPTIONS');
    expect(signal.aborted).toBe(false);
  });

  it('offers that cross are refused: 491 to theirs, and ours waits for their ACK', async () => {
    const { peer, uri, toTag, session } = await call({ onOffer: () => ANSWER });
    const ours = session.reinvite(OFFER);
    const invite = await peer.request('INVITE');
    peer.say('INVITE', uri, { toTag, cseq: 2, body: OFFER });
    await peer.response(491);
    peer.reply(invite, 200, ANSWER);
    expect(await ours).toBe(ANSWER);
    await peer.request('ACK');
    peer.say('INVITE', uri, { toTag, cseq: 3, body: OFFER });
    await peer.response(200, 'INVITE');
    await expect(session.update(OFFER)).rejects.toMatchObject({ sipStatus: 491 });
  });

  it('an UPDATE is an offer too, and without one only a sign of life', async () => {
    const { peer, uri, toTag } = await call({ onOffer: () => ANSWER });
    peer.say('UPDATE', uri, { toTag, cseq: 2, body: OFFER });
    expect((await peer.response(200, 'UPDATE')).sdp).toBe(ANSWER);
    peer.say('UPDATE', uri, { toTag, cseq: 3 });
    expect((await peer.response(200, 'UPDATE')).sdp).toBeUndefined();
  });

  it('keys pressed come by INFO in both dialects', async () => {
    const digits: string[] = [];
    const { peer, uri, toTag } = await call({
      onDtmf: ({ digit, durationMs }) => digits.push(`${digit}/${durationMs}`),
    });
    const relay = (body: string, cseq: number) => ({ toTag, cseq, body, contentType: 'application/dtmf-relay' });
    peer.say('INFO', uri, relay('Signal= 5\r\nDuration= 160\r\n', 2));
    peer.say('INFO', uri, { toTag, cseq: 3, body: '#', contentType: 'application/dtmf' });
    peer.say('INFO', uri, relay('Signal=11\r\n', 4));
    peer.say('INFO', uri, relay('Signal=hash', 5));
    for (let i = 0; i < 4; i++) await peer.response(200, 'INFO');
    expect(digits).toEqual(['5/160', '#/undefined', '#/undefined']);
    peer.say('INFO', uri, { toTag, cseq: 6, body: '<x/>', contentType: 'application/media_control+xml' });
    expect((await peer.response(415)).headers.get('accept')).toContain('application/dtmf-relay');
  });

  it('a request out of order gets 500', async () => {
    const { peer, uri, toTag } = await call();
    peer.say('OPTIONS', uri, { toTag, cseq: 9 });
    await peer.response(200, 'OPTIONS');
    peer.say('OPTIONS', uri, { toTag, cseq: 8 });
    await peer.response(500);
  });

  it('is over when the peer says that it knows nothing of it', async () => {
    const { peer, session, signal } = await call();
    const ours = session.reinvite(OFFER);
    peer.reply(await peer.request('INVITE'), 481);
    await expect(ours).rejects.toMatchObject({ sipStatus: 481 });
    expect(await ended(signal)).toMatchObject({ by: 'network', how: 'transport', status: 481 });
  });

  it('closing the user agent says BYE', async () => {
    const { peer, ua, signal } = await call();
    const closed = ua.close();
    peer.reply(await peer.request('BYE'), 200);
    await closed;
    expect(signal.reason).toEqual({ by: 'local', how: 'shutdown' });
    await ua.close();
  });
});

describe('closing the user agent', () => {
  it('tells those who still ring', async () => {
    const { options, first } = keeping();
    const { ua, peer, uri } = await pair('UDP', options);
    peer.say('INVITE', uri, { body: OFFER });
    const invite = await first;
    await ua.close();
    await peer.response(503);
    expect(invite.signal.reason).toMatchObject({ by: 'local', how: 'rejected' });
  });
});

describe('on a TCP connection', () => {
  it('messages may come in any pieces, several at once, with keep-alives that are answered', async () => {
    const { peer, uri } = await pair('TCP');
    const text = `\r\n\r\n${peer.build('INVITE', uri, { body: OFFER })}${peer.build('OPTIONS', uri, { callId: 'other' })}`;
    for (const byte of text) {
      peer.write(byte);
      if (Math.random() < 0.05) await pause(1);
    }
    await peer.response(200, 'INVITE');
    await peer.response(200, 'OPTIONS');
  });

  it('a stream that cannot be followed is answered and closed', async () => {
    const { peer, uri } = await pair('TCP');
    const closed = new Promise<void>((resolve) => (peer as TcpPeer).socket.once('close', () => resolve()));
    peer.write(peer.build('OPTIONS', uri).replace(/Content-Length.*\r\n/, ''));
    await peer.response(400);
    await closed;
  });

  it('is refused when there are too many, and closed when it is idle or stops in mid-message', async () => {
    const limits = { connections: { maxConnections: 1, idleMs: 60_000, messageMs: 100 } };
    const { peer, uri } = await pair('TCP', { limits });
    const port = Number(uri.split(':')[2]);
    // Who has not said anything yet would have to make room.
    peer.say('OPTIONS', uri);
    await peer.response(200);
    const second = connect(port, '127.0.0.1').on('error', () => undefined);
    await new Promise<void>((resolve) => second.once('close', () => resolve()));
    const closed = new Promise<void>((resolve) => (peer as TcpPeer).socket.once('close', () => resolve()));
    peer.write('OPTIONS sip:half');
    await closed;
  });
});

describe('calls of ours', () => {
  it.each(['udp', 'tcp'])('are answered by another user agent over %s, talk and end', async (transport) => {
    const { options, first } = keeping();
    const far = await listen(options);
    const near = await listen();
    open.push(far.ua, near.ua);
    const port = transport === 'udp' ? far.udp : far.tcp;
    const heard: number[] = [];
    const calling = near.ua.invite(`sip:bank@127.0.0.1:${port};transport=${transport}`, OFFER, {
      from: '"Ada" <sip:+15550100@example.com>',
      onProgress: (response) => heard.push(response.status),
    });
    const invite = await first;
    expect(invite.request.from).toMatchObject({ displayName: 'Ada', uri: 'sip:+15550100@example.com' });
    invite.progress();
    await expect.poll(() => heard).toEqual([180]);
    void invite.answer(ANSWER);
    const session = await calling;
    expect(session.remoteSdp).toBe(ANSWER);
    await pause(50);
    await session.info('application/dtmf', '5');
    await session.bye();
    expect(await ended(invite.signal)).toMatchObject({ by: 'remote', how: 'bye' });
    expect([near.ua.dialogs, far.ua.dialogs]).toEqual([0, 0]);
    const options200 = await near.ua.request('OPTIONS', `sip:127.0.0.1:${port};transport=${transport}`);
    expect(options200.status).toBe(200);
  });

  it('are cancelled by their signal, with 487 at the other side', async () => {
    const { options, first } = keeping();
    const far = await listen(options);
    const near = await listen();
    open.push(far.ua, near.ua);
    const controller = new AbortController();
    const calling = near.ua.invite(`sip:bank@127.0.0.1:${far.udp}`, OFFER, { signal: controller.signal });
    const invite = await first;
    invite.progress();
    controller.abort();
    await expect(calling).rejects.toMatchObject({ sipStatus: 487 });
    expect(await ended(invite.signal)).toMatchObject({ by: 'remote', how: 'cancel' });
  });

  it('fail with the status of the refusal, and with 408 when nobody is there', async () => {
    const far = await listen({ onInvite: (invite) => invite.reject({ status: 486 }) });
    const near = await listen({ timers: { ...FAST, t1: 5 } });
    const silent = await UdpPeer.open();
    open.push(far.ua, near.ua, silent);
    await expect(near.ua.invite(`sip:bank@127.0.0.1:${far.udp}`, OFFER)).rejects.toMatchObject({ sipStatus: 486 });
    await expect(near.ua.invite(`sip:bank@127.0.0.1:${silent.port}`, OFFER)).rejects.toMatchObject({ sipStatus: 408 });
    await expect(near.ua.invite('sip:bank@127.0.0.1:1;transport=tcp', OFFER)).rejects.toMatchObject({ sipStatus: 503 });
    await expect(near.ua.invite('sips:bank@127.0.0.1', OFFER)).rejects.toBeInstanceOf(Failure);
    expect(near.ua.dialogs).toBe(0);
  });

  it('that two phones answer are one call; the second is acknowledged and hung up', async () => {
    const near = await listen();
    const fork = await UdpPeer.open();
    open.push(near.ua, fork);
    const calling = near.ua.invite(`sip:bank@127.0.0.1:${fork.port}`, OFFER);
    const invite = await fork.request('INVITE');
    const second = invite.clone();
    second.headers.set('To', `${invite.headers.get('to')};tag=second`);
    fork.reply(invite, 200, ANSWER);
    fork.reply(second, 200, ANSWER);
    const session = await calling;
    const bye = await fork.request('BYE');
    expect(bye.toTag).toBe('second');
    fork.reply(bye, 200);
    expect(session.dialog.remoteTag).toBe('peer');
    expect(session.ended).toBe(false);
    void session.bye();
    fork.reply(
      (await fork.next((m) => 'method' in m && m.method === 'BYE' && m.toTag === 'peer', 'our BYE')) as never,
      200,
    );
  });

  it('that are too large for a datagram go by TCP, and by UDP after all where there is no TCP', async () => {
    const far = await listen();
    open.push(far.ua);
    const large = { headers: { Subject: 'x'.repeat(1500) } };
    const lonely = await UdpPeer.open();
    open.push(lonely);
    const asking = far.ua.request('OPTIONS', `sip:127.0.0.1:${lonely.port}`, large);
    const byUdp = await lonely.request('OPTIONS');
    expect(byUdp.via.transport).toBe('UDP');
    lonely.reply(byUdp, 200);
    expect((await asking).status).toBe(200);
    const arrived = Promise.withResolvers<string>();
    const server = createServer((socket) =>
      socket.once('data', (bytes) => {
        arrived.resolve(bytes.toString());
        socket.destroy();
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    open.push(server);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    far.ua.request('OPTIONS', `sip:127.0.0.1:${port}`, large).catch(() => undefined);
    expect(await arrived.promise).toContain('Via: SIP/2.0/TCP');
  });
});

describe('a peer that sends without end', () => {
  it('in its own call is asked to wait, is hung up when it hangs up, and takes no room from other calls', async () => {
    const { ua, peer, uri } = await pair('UDP', { timers: PATIENT, limits: { maxTransactions: 300 } });
    const ok = await callUp(peer, uri);
    for (let cseq = 2; cseq < 502; cseq++) peer.say('INFO', uri, { toTag: ok.toTag, cseq });
    const refused = await peer.response(500, 'INFO');
    expect(refused.headers.get('retry-after')).toBe('1');
    const other = await UdpPeer.open(ua.bound.find(({ protocol }) => protocol === 'udp')!.port);
    open.push(other);
    await callUp(other, uri);
    peer.say('BYE', uri, { toTag: ok.toTag, cseq: 600 });
    await peer.response(200, 'BYE');
    expect(ua.dialogs).toBe(1);
    // A caller who keys quickly, or a PBX that asks often whether the call is still there, is none.
    expect(
      peer.heard.filter((m) => 'status' in m && m.status === 200 && m.cseq.method === 'INFO').length,
    ).toBeGreaterThan(90);
  });

  it('OPTIONS is answered each time, and nothing is kept of it', async () => {
    const { ua, peer, uri } = await pair('UDP', { timers: PATIENT });
    for (let i = 0; i < 50; i++) {
      peer.say('OPTIONS', uri, { callId: `ping-${i}` });
      await peer.response(200, 'OPTIONS');
    }
    const branch = peer.branch();
    for (let i = 0; i < 2; i++) {
      peer.say('OPTIONS', uri, { callId: 'again', branch });
      await peer.response(200, 'OPTIONS');
    }
    expect(ua.transactions).toBe(0);
  });
});

describe('an offer that meets ours', () => {
  it('by UPDATE, while our 200 to a re-INVITE without an offer waits for the answer in the ACK, is refused with 491', async () => {
    const { peer, uri } = await pair();
    const ok = await callUp(peer, uri);
    peer.say('INVITE', uri, { toTag: ok.toTag, cseq: 2 });
    expect((await peer.response(200, 'INVITE')).sdp).toBe(ANSWER);
    peer.say('UPDATE', uri, { toTag: ok.toTag, cseq: 3, body: OFFER });
    await peer.response(491, 'UPDATE');
    peer.say('ACK', uri, { toTag: ok.toTag, cseq: 2, body: OFFER });
    await pause(50);
    // Handlers of its user answer offers; without any, the offer is understood and not acceptable.
    peer.say('UPDATE', uri, { toTag: ok.toTag, cseq: 4, body: OFFER });
    await peer.response(488, 'UPDATE');
  });
});
