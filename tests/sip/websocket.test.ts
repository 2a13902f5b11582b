import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { UserAgentOptions } from '../../src/sip/user-agent.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { WebSocketPeer } from './secure-peers.ts';
import { ANSWER, listen, OFFER } from './support.ts';

const URI = 'sip:bank@127.0.0.1';
let authority: Authority;
let ours: Certificate;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  ours = await authority.issue('connector', 'connector.example', 'DNS:localhost,IP:127.0.0.1');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => authority.remove());

async function sockets(protocol: 'ws' | 'wss', options: Partial<UserAgentOptions> = {}) {
  const { ua } = await listen({
    listen: [{ protocol, host: '127.0.0.1', port: 0 }],
    // What trunks need, browsers are not asked for.
    tls: { certificates: [ours], ca: authority.cert, clientCertificates: 'required' },
    ...options,
  });
  open.push(ua);
  const port = ua.bound[0]!.port;
  const join = async (more: Parameters<typeof WebSocketPeer.open>[1] = {}, protocols = ['sip']) => {
    const peer = await WebSocketPeer.open(
      `${protocol}://localhost:${port}/`,
      { ca: readFileSync(authority.cert), family: 4, ...more },
      protocols,
    );
    open.push(peer);
    return peer;
  };
  return { ua, port, join };
}

describe.each(['ws', 'wss'] as const)('a browser that calls over %s', (protocol) => {
  it('is answered in text frames, and everything goes over its WebSocket, whatever its Contact says', async () => {
    const { promise: up, resolve } = Promise.withResolvers<IncomingInvite>();
    const { port, join } = await sockets(protocol, {
      onInvite: (invite) => void invite.answer(ANSWER).then(() => resolve(invite)),
    });
    const peer = await join();
    expect(peer.webSocket.protocol).toBe('sip');
    peer.say('INVITE', URI, { body: OFFER });
    const ok = await peer.response(200);
    expect(ok.via).toMatchObject({ transport: protocol.toUpperCase(), host: 'ada-browser.invalid' });
    expect(ok.via.params.get('received')).toBe('127.0.0.1');
    expect(ok.headers.get('contact')).toBe(`<sip:bank@127.0.0.1:${port};transport=ws>`);
    peer.say('ACK', URI, { toTag: ok.toTag });
    // Requests of ours: in the call, and the one that ends it.
    const { session } = await up;
    const ours = session.reinvite(OFFER);
    const reinvite = await peer.request('INVITE');
    expect(reinvite.via.transport).toBe(protocol.toUpperCase());
    expect(reinvite.uri).toBe('sip:ada@ada-browser.invalid;transport=ws');
    peer.reply(reinvite, 200, ANSWER);
    expect(await ours).toBe(ANSWER);
    await peer.request('ACK');
    const over = session.bye();
    peer.reply(await peer.request('BYE'), 200);
    await over;
    expect(peer.frames.every(({ binary }) => !binary)).toBe(true);
  });
});

describe('a WebSocket', () => {
  it('that does not ask for sip, or belongs to a strange page, is refused', async () => {
    const { join } = await sockets('ws', { webSocketOrigins: ['https://bank.example'] });
    await expect(join({}, ['xmpp'])).rejects.toThrow('400');
    await expect(join({ origin: 'https://evil.example' })).rejects.toThrow('403');
    for (const fine of [{ origin: 'https://bank.example' }, { origin: 'https://BANK.example' }, {}]) {
      const peer = await join(fine);
      peer.say('OPTIONS', URI, { callId: `o${Math.random()}` });
      await peer.response(200);
    }
  });

  it('gets an answer to its CRLF keep-alives, and to what it says wrong', async () => {
    const { join } = await sockets('ws');
    const peer = await join();
    peer.write('\r\n\r\n');
    await expect.poll(() => peer.frames).toEqual([{ binary: false, text: '\r\n' }]);
    peer.write(peer.build('OPTIONS', URI, { headers: ['To: <sip:b@c>'] }));
    await peer.response(400);
    peer.say('OPTIONS', URI, { callId: 'after' });
    await peer.response(200);
  });

  it('may send binary frames, fragments, and many messages at once', async () => {
    const { join } = await sockets('ws');
    const peer = await join();
    peer.write(Buffer.from(peer.build('OPTIONS', URI, { callId: 'binary' })));
    const text = peer.build('OPTIONS', URI, { callId: 'torn' });
    peer.webSocket.send(text.slice(0, 40), { fin: false });
    peer.webSocket.send(text.slice(40), { fin: true });
    for (let i = 0; i < 20; i++) peer.say('OPTIONS', URI, { callId: `many-${i}` });
    const answered = await Promise.all(Array.from({ length: 22 }, () => peer.response(200)));
    expect(new Set(answered.map(({ callId }) => callId)).size).toBe(22);
  });

  it('is closed for a message that is too large, and for nothing but garbage', async () => {
    const { ua, join } = await sockets('ws');
    const closed = (peer: WebSocketPeer) => new Promise<number>((resolve) => peer.webSocket.once('close', resolve));
    const huge = await join();
    huge.write('x'.repeat(80_000));
    expect(await closed(huge)).toBe(1009);
    const silly = await join();
    for (let i = 0; i < 30; i++) silly.write('what is this');
    expect(await closed(silly)).toBe(1008);
    expect(ua.transactions).toBe(0);
  });

  it('whose peer has gone without a word is found out by a ping', async () => {
    const limits = { connections: { webSocketPingMs: 10 } };
    const { join } = await sockets('ws', { limits });
    const alive = await join();
    const dead = await join({ autoPong: false });
    await new Promise((resolve) => dead.webSocket.once('close', resolve));
    alive.say('OPTIONS', URI);
    await alive.response(200);
  });

  it('that closed cannot be reached any more: requests of ours fail at once', async () => {
    const { promise: up, resolve } = Promise.withResolvers<IncomingInvite>();
    const { join } = await sockets('ws', {
      onInvite: (invite) => void invite.answer(ANSWER).then(() => resolve(invite)),
    });
    const peer = await join();
    peer.say('INVITE', URI, { body: OFFER });
    peer.say('ACK', URI, { toTag: (await peer.response(200)).toTag });
    const { session } = await up;
    peer.close();
    await expect.poll(() => session.flow.open).toBe(false);
    await expect(session.reinvite(OFFER)).rejects.toMatchObject({ sipStatus: 503 });
  });

  it('port tells HTTP clients what it is for, and cuts off what is no HTTP', async () => {
    const { port } = await sockets('ws', { limits: { connections: { handshakeMs: 150 } } });
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect([page.status, page.headers.get('upgrade')]).toEqual([426, 'websocket']);
    for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00', 'OPTIONS sip:a SIP/2.0\r\n\r\n', 'GET / HT', '']) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => void (bytes !== '' && socket.write(bytes)));
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.resume();
      });
    }
  });
});
