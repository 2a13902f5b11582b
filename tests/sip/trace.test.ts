import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TracedMessage } from '../../src/sip/trace/message-trace.ts';
import { SipTracer, type SipTracerOptions } from '../../src/sip/trace/sip-tracer.ts';
import type { Flow } from '../../src/sip/transport/flow.ts';
import type { UserAgentOptions } from '../../src/sip/user-agent.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { TlsPeer, WebSocketPeer } from './secure-peers.ts';
import { listen, OFFER, type Peer, TcpPeer, UdpPeer } from './support.ts';

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

async function tapped(options: SipTracerOptions = {}, more: Partial<UserAgentOptions> = {}) {
  const tracer = new SipTracer(options);
  const { ua } = await listen({
    listen: (['udp', 'tcp', 'tls', 'ws'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 })),
    tls: { certificates: [ours], ca: undefined, clientCertificates: 'none' },
    tap: tracer,
    ...more,
  });
  open.push(ua);
  const port = (protocol: string) => ua.bound.find((place) => place.protocol === protocol)!.port;
  return { ua, tracer, port };
}

const started = ({ text, direction }: TracedMessage) => `${direction} ${text.slice(0, text.indexOf('\r\n'))}`;

/** A whole call of this peer; resolves with all that crossed the wire, as the peer has it. */
async function callBy(peer: Peer, headers: string[] = []): Promise<void> {
  open.push(peer);
  peer.say('INVITE', URI, { callId: 'watched', headers, body: OFFER });
  const ok = await peer.response(200, 'INVITE');
  peer.say('ACK', URI, { callId: 'watched', toTag: ok.toTag });
  peer.say('BYE', URI, { callId: 'watched', toTag: ok.toTag, cseq: 2 });
  await peer.response(200, 'BYE');
}

describe('the messages of a call', () => {
  const peers: Record<string, (port: number) => Promise<Peer>> = {
    udp: (port) => UdpPeer.open(port),
    tcp: (port) => TcpPeer.open(port),
    tls: (port) => TlsPeer.open(port, { ca: readFileSync(authority.cert), servername: 'localhost' }),
    ws: (port) => WebSocketPeer.open(`ws://127.0.0.1:${port}/`),
  };
  it.each(Object.keys(peers))('by %s are kept as they crossed the wire, in order', async (protocol) => {
    const { tracer, port } = await tapped();
    const peer = await peers[protocol]!(port(protocol));
    const from = Date.now() * 1000;
    await callBy(peer);
    const { messages, dropped } = tracer.read(['watched']);
    expect(messages.map(started)).toEqual([
      `in INVITE ${URI} SIP/2.0`,
      'out SIP/2.0 200 OK',
      `in ACK ${URI} SIP/2.0`,
      `in BYE ${URI} SIP/2.0`,
      'out SIP/2.0 200 OK',
    ]);
    expect(dropped).toBe(0);
    for (const message of messages) {
      expect(message).toMatchObject({ protocol, local: { address: '127.0.0.1', port: port(protocol) } });
      expect(message.remote).toEqual(messages[0]!.remote);
    }
    const times = messages.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThan(from - 10_000);
    expect(times.at(-1)! - from).toBeLessThan(10_000_000);
    // To the last byte, and not as we read it: the Via is still without our `received`.
    expect(messages[0]!.text).toContain(';rport\r\nMax-Forwards: 70\r\n');
    expect(messages[0]!.text.endsWith(OFFER)).toBe(true);
  });

  it('show each retransmission', async () => {
    const { tracer, port } = await tapped({}, { onInvite: (invite) => invite.reject({ status: 486 }) });
    const peer = await UdpPeer.open(port('udp'));
    open.push(peer);
    const invite = peer.build('INVITE', URI, { callId: 'again', body: OFFER });
    peer.write(invite);
    await peer.response(486);
    peer.write(invite);
    await peer.response(486);
    const shown = tracer.read(['again']).messages.map(started);
    expect(shown.filter((one) => one.startsWith('in INVITE'))).toHaveLength(2);
    expect(shown.filter((one) => one.includes('486')).length).toBeGreaterThanOrEqual(2);
  });

  it('of calls we make are kept too, from the INVITE on', async () => {
    const { tracer, ua } = await tapped();
    const peer = await UdpPeer.open();
    open.push(peer);
    const calling = ua.invite(`sip:agent@127.0.0.1:${peer.port}`, OFFER);
    const invite = await peer.request('INVITE');
    peer.reply(invite, 200, OFFER);
    await calling;
    await peer.request('ACK');
    expect(tracer.read([invite.callId]).messages.map(started)).toEqual([
      expect.stringMatching(/^out INVITE sip:agent@/),
      'in SIP/2.0 200 OK',
      expect.stringMatching(/^out ACK /),
    ]);
  });
});

describe('what is kept', () => {
  /** Text that comes by UDP and its trace. */
  async function traceOf(text: (peer: Peer) => string, options: SipTracerOptions = {}): Promise<string> {
    const { tracer, port } = await tapped(options, { onInvite: (invite) => invite.reject({ status: 480 }) });
    const peer = await UdpPeer.open(port('udp'));
    open.push(peer);
    peer.write(text(peer));
    await peer.response(480);
    const [first] = tracer.read(['secret']).messages;
    expect(first!.text).toHaveLength(Buffer.byteLength(text(peer)));
    return first!.text;
  }
  const invite =
    (headers: string[], body = OFFER) =>
    (peer: Peer) =>
      peer.build('INVITE', URI, { callId: 'secret', branch: 'z9hG4bKs', headers, body });

  it('has no password, no digest that could be tried offline, no key of the media', async () => {
    const sdp = `${OFFER}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\nk=clear:geheim\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=ice-ufrag:8hhY\r\n`;
    const kept = await traceOf(
      invite(
        [
          'Authorization: Digest username="ada", realm="bank", nonce="n1", uri="sip:bank@127.0.0.1",\r\n response="6629fae49393a05397450978507c4ef1", cnonce="0a4f113b", nc=00000001',
          'Proxy-Authorization: Bearer eyJhbGciOi',
          'Referred-By: <sip:boss:topsecret@bank.example>',
        ],
        sdp,
      ),
    );
    expect(kept).not.toMatch(/6629fae4|0a4f113b|eyJhbG|topsecret|WVNfX19|geheim|asd88fgpdd/);
    expect(kept).toContain('Digest username="ada", realm="bank", nonce="n1"');
    expect(kept).toContain(`response="${'x'.repeat(32)}"`);
    expect(kept).toContain('Referred-By: <sip:boss:xxxxxxxxx@bank.example>');
    expect(kept).toContain(`inline:${'x'.repeat(40)}|2^20|1:4`);
    expect(kept).toContain('a=ice-ufrag:8hhY');
  });

  it('has no key that was pressed', async () => {
    const { tracer, port } = await tapped();
    const peer = await UdpPeer.open(port('udp'));
    open.push(peer);
    peer.say('INVITE', URI, { callId: 'keys', body: OFFER });
    const { toTag } = await peer.response(200);
    peer.say('ACK', URI, { callId: 'keys', toTag });
    const bodies = {
      'application/dtmf-relay': 'Signal=7\r\nDuration=160\r\n',
      'application/dtmf': '7',
      'application/vnd.x': 'digit 7',
    };
    for (const [index, [contentType, body]] of Object.entries(bodies).entries()) {
      peer.say('INFO', URI, { callId: 'keys', toTag, cseq: 2 + index, contentType, body });
      await peer.next((message) => message.cseq.number === 2 + index, 'an answer to the INFO');
    }
    const kept = tracer.read(['keys']).messages.filter(({ text }) => text.startsWith('INFO'));
    expect(kept.map(({ text }) => text.slice(text.indexOf('\r\n\r\n') + 4))).toEqual([
      'Signal=x\r\nDuration=160\r\n',
      'x',
      'xxxxxxx',
    ]);
  });

  it('has neither name nor number of a caller who asked to be unknown, in no message', async () => {
    const { tracer, port } = await tapped();
    const peer = await UdpPeer.open(port('udp'));
    await callBy(peer, [
      'Privacy: id',
      'P-Asserted-Identity: "Ada Lovelace" <sip:+15550142@carrier.example;user=phone>, <tel:+15550142>',
    ]);
    const kept = tracer.read(['watched']).messages.map(({ text }) => text);
    expect(kept).toHaveLength(5);
    expect(kept.join('')).not.toMatch(/5550142|5550100|Lovelace|"Ada"|sip:ada@/);
    expect(kept[0]).toContain('To: <sip:bank@127.0.0.1>');
    expect(kept[0]).toContain('P-Asserted-Identity: "xxxxxxxxxxxx" <sip:xxxxxxxxx@carrier.example;user=phone>');
  });

  it('has no header that the operator wants hidden', async () => {
    const options = { hideHeaders: ['User-to-User', 'x-customer'] };
    const kept = await traceOf(invite(['User-to-User: 56a390f3;encoding=hex', 'X-Customer: 471920']), options);
    expect(kept).toContain(`User-to-User: ${'x'.repeat(21)}\r\n`);
    expect(kept).toContain('X-Customer: xxxxxx\r\n');
  });
});

describe('a tracer that is full', () => {
  const flow = {
    protocol: 'udp',
    local: { address: '10.0.0.1', port: 5060 },
    remote: { address: '192.0.2.7', port: 5060 },
  } as Flow;
  let time = 0;
  const fed = (options: SipTracerOptions) => {
    const tracer = new SipTracer({ now: () => ++time, ...options });
    const say = (callId: string, what = 'OPTIONS', size = 0) =>
      tracer.received(Buffer.from(`${what} sip:a SIP/2.0\r\nX: ${'y'.repeat(size)}\r\n\r\n`), callId, flow);
    return { tracer, say };
  };
  const uris = ({ messages }: { messages: TracedMessage[] }) => messages.map(({ text }) => /^\S+/.exec(text)?.[0]);

  it('keeps how a long call began and how it ended, and counts what is missing', () => {
    const { tracer, say } = fed({ perCall: { messages: 6 } });
    tracer.hold('long');
    for (const method of ['INVITE', 'ACK', 'UPDATE', ...Array(100).fill('OPTIONS'), 'UPDATE', 'INFO', 'BYE']) {
      say('long', method);
    }
    const trace = tracer.read(['long']);
    expect(uris(trace)).toEqual(['INVITE', 'ACK', 'UPDATE', 'UPDATE', 'INFO', 'BYE']);
    expect(trace.dropped).toBe(100);
  });

  it('holds no more bytes than it may, of one call and of all', () => {
    const { tracer, say } = fed({ perCall: { bytes: 10_000 }, totalBytes: 25_000 });
    for (let call = 0; call < 10; call++) {
      tracer.hold(`call ${call}`);
      say(`call ${call}`, 'INVITE');
      for (let i = 0; i < 20; i++) say(`call ${call}`, 'OPTIONS', 900);
      expect(tracer.read([`call ${call}`]).messages.length).toBeLessThan(12);
    }
    expect(tracer.bytes).toBeLessThan(27_000);
    const missing = tracer.read(['call 9']);
    expect(missing.dropped).toBeGreaterThan(10);
    tracer.release(Array.from({ length: 10 }, (_, call) => `call ${call}`));
    expect(tracer.bytes).toBe(0);
  });

  it('keeps a leg that is of two calls until both have been recorded', () => {
    const { tracer, say } = fed({});
    say('anna', 'INVITE');
    tracer.hold('anna');
    tracer.hold('anna');
    say('anna', 'ACK');
    tracer.release(['anna']);
    say('anna', 'BYE');
    expect(uris(tracer.read(['anna']))).toEqual(['INVITE', 'ACK', 'BYE']);
    tracer.release(['anna']);
    tracer.release(['anna']);
    expect([tracer.read(['anna']).messages, tracer.bytes]).toEqual([[], 0]);
  });

  it('is nothing of who was refused at the gate, and all of who was asked for a password', async () => {
    const verdicts = { refused: { status: 403 }, dropped: 'drop', challenged: { status: 401 } } as const;
    const { tracer, port } = await tapped(
      {},
      { onRequest: (request) => verdicts[request.callId as keyof typeof verdicts] ?? 'accept' },
    );
    const peer = await UdpPeer.open(port('udp'));
    open.push(peer);
    peer.say('INVITE', URI, { callId: 'dropped', body: OFFER });
    peer.say('INVITE', URI, { callId: 'refused', body: OFFER });
    await peer.response(403);
    peer.say('INVITE', URI, { callId: 'challenged', body: OFFER });
    await peer.response(401);
    expect(tracer.read(['refused', 'dropped']).messages).toEqual([]);
    expect(tracer.read(['challenged']).messages.map(started)).toEqual([
      expect.stringMatching(/^in INVITE /),
      'out SIP/2.0 401 Unauthorized',
    ]);
    expect(tracer.bytes).toBeLessThan(4000);
  });

  it('forgets the calls of scanners first, and no flood of theirs moves a call that is held', () => {
    const { tracer, say } = fed({ unclaimed: { calls: 10, bytes: 100_000 } });
    say('ours', 'INVITE');
    tracer.hold('ours');
    for (let i = 0; i < 10_000; i++) say(`scan ${i}`, 'INVITE', 50);
    say('ours', 'BYE');
    expect(uris(tracer.read(['ours']))).toEqual(['INVITE', 'BYE']);
    expect(tracer.read(['scan 0']).messages).toEqual([]);
    expect(tracer.bytes).toBeLessThan(5_000);
    // What belongs to no call is not even looked at.
    say('probe', 'OPTIONS');
    expect(tracer.read(['probe']).messages).toEqual([]);
  });

  it('puts the legs of a call together in the order of time', () => {
    const { tracer, say } = fed({});
    say('a', 'INVITE');
    say('b', 'INVITE');
    say('b', 'ACK');
    say('a', 'BYE');
    expect(tracer.read(['b', 'a']).messages.map(({ at }) => at)).toEqual(
      tracer
        .read(['a', 'b'])
        .messages.map(({ at }) => at)
        .toSorted((x, y) => x - y),
    );
    expect(uris(tracer.read(['b', 'a']))).toEqual(['INVITE', 'INVITE', 'ACK', 'BYE']);
  });
});

describe('a message made to take long to be read', () => {
  const flow = {
    protocol: 'tcp',
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '192.0.2.2', port: 5060 },
  } as Flow;
  const invite = (lines: readonly string[], from = '<sip:a@example.com>') =>
    Buffer.from(
      [
        'INVITE sip:bank@example.com SIP/2.0',
        'Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK1',
        `From: ${from};tag=1`,
        'To: <sip:bank@example.com>',
        'Call-ID: long',
        'CSeq: 1 INVITE',
        ...lines,
        '',
        '',
      ].join('\r\n'),
    );
  it.each([
    ['blanks before a name', invite(['Privacy: id'], `a${' '.repeat(15_000)}b <sip:a@example.com>`)],
    ['addresses without end', invite([`X-Any: ${'sip:a:'.repeat(2_500)}`])],
    [
      'many names that are to be hidden',
      invite([
        'Privacy: id',
        ...Array.from({ length: 150 }, (_, i) => `P-Asserted-Identity: "Ada ${i} ${'x'.repeat(40)}" <sip:u${i}@a>`),
      ]),
    ],
  ])('(%s) holds up nobody else when the ladder is read', (_, message) => {
    const tracer = new SipTracer();
    tracer.hold('long');
    for (let i = 0; i < 16; i++) tracer.received(message, 'long', flow);
    const before = process.cpuUsage();
    expect(tracer.read(['long']).messages.length).toBeGreaterThan(10);
    const { user, system } = process.cpuUsage(before);
    // It was two to eight seconds.
    expect((user + system) / 1000).toBeLessThan(1_000);
  });

  it('is redacted all the same, also behind many blanks and in every header that names somebody', () => {
    const tracer = new SipTracer();
    tracer.hold('long');
    const lines = [
      'Privacy: id',
      'P-Preferred-Identity: Ada Lovelace <sip:ada@example.com>',
      'X-Any: sip:bob:secret;a@example.com sip:carol:se:cret@example.com',
    ];
    tracer.received(invite(lines, `${' '.repeat(30)}Ada Lovelace  <sip:ada@example.com>`), 'long', flow);
    const [{ text } = { text: '' }] = tracer.read(['long']).messages;
    expect(text).not.toMatch(/Ada|Lovelace|sip:ada|se:cret/);
    expect(text).toContain('sip:carol:xxxxxxx@example.com');
  });
});
