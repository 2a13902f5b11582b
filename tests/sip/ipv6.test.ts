import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseSipUri } from '../../src/sip/message/uri.ts';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { UserAgentOptions } from '../../src/sip/user-agent.ts';
import { SipEndpoint } from '../support/phone/sip-endpoint.ts';
import { header } from '../support/phone/sip-message.ts';
import { ANSWER, listen, UdpPeer } from './support.ts';

const run = promisify(execFile);
const SCENARIOS = new URL('../sipp/', import.meta.url).pathname;
const open: { close(): unknown }[] = [];
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ipv6-'));
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => rm(work, { recursive: true, force: true }));

async function serve(hosts: string[], options: Partial<UserAgentOptions> = {}) {
  const invites: IncomingInvite[] = [];
  const { ua } = await listen({
    listen: hosts.flatMap((host) => [
      { protocol: 'udp' as const, host, port: 0 },
      { protocol: 'tcp' as const, host, port: 0 },
    ]),
    onInvite: (invite) => {
      invites.push(invite);
      invite.progress();
      void invite.answer(ANSWER).catch(() => undefined);
    },
    ...options,
  });
  open.push(ua);
  const port = (protocol: string, host: string) =>
    ua.bound.find((place) => place.protocol === protocol && place.host === host)!.port;
  return { ua, invites, port };
}

describe('IPv6 on the wire', () => {
  it.each([
    ['UDP', 'u1', 'udp'],
    ['TCP', 't1', 'tcp'],
  ])('serves sipp over %s', async (_, transport, protocol) => {
    const { ua, invites, port } = await serve(['::1']);
    const args = ['-sf', join(SCENARIOS, 'basic-call.xml'), `[::1]:${port(protocol, '::1')}`, '-i', '[::1]'];
    args.push('-t', transport, '-m', '5', '-r', '20', '-nostdin', '-timeout', '20s', '-timeout_error');
    await run('sipp', args, { cwd: work });
    expect(invites).toHaveLength(5);
    expect(ua.dialogs).toBe(0);
    const [invite] = invites;
    expect([invite?.localAddress, invite?.bindAddress]).toEqual(['[::1]', '::1']);
  });

  it.each(['udp', 'tcp'] as const)('has brackets in Contact and Via, and none in received (%s)', async (protocol) => {
    const { ua, invites, port } = await serve(['::1']);
    const phone = await SipEndpoint.open({ host: '::1', transport: protocol });
    open.push(phone);
    const asked: string[] = [];
    phone.onRequest = (request, transaction) => {
      asked.push(`${request.method} ${header(request, 'via')}`);
      transaction?.respond({ kind: 'response', status: 200, reason: 'OK', headers: echo(request.headers), body: '' });
    };
    const to = { address: '::1', port: port(protocol, '::1') };
    const here = `[::1]:${phone.wire.local.port}`;
    const target = `sip:bank@[::1]:${to.port}`;
    const head = (method: string, more: string[]) => [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/${protocol.toUpperCase()} ${here};branch=z9hG4bK${method};rport`,
      'From: <sip:ada@[::1]>;tag=ada',
      ...more,
    ];
    const invite = head('INVITE', ['To: <sip:bank@[::1]>', 'Call-ID: v6', 'CSeq: 1 INVITE', 'Max-Forwards: 70']);
    invite.push(`Contact: <sip:ada@${here};transport=${protocol}>`, 'Content-Length: 0', '', '');
    await phone.send(Buffer.from(invite.join('\r\n')), to);
    const ok = () => phone.trace.find(({ direction, text }) => direction === 'in' && text.startsWith('SIP/2.0 200'));
    await expect.poll(ok).toBeDefined();
    const text = ok()!.text;
    const contact = protocol === 'udp' ? `<sip:bank@[::1]:${to.port}>` : `<sip:bank@[::1]:${to.port};transport=tcp>`;
    expect(text).toContain(`Contact: ${contact}`);
    expect(text).toMatch(/Via: [^\r]*;received=::1(;|\r)/);
    const toTag = /^To: [^\r]*;tag=([^\r;]+)/m.exec(text)?.[1] ?? '';
    const ack = head('ACK', [`To: <sip:bank@[::1]>;tag=${toTag}`, 'Call-ID: v6', 'CSeq: 1 ACK', 'Content-Length: 0']);
    await phone.send(Buffer.from([...ack, '', ''].join('\r\n')), to);
    await expect.poll(() => invites[0]!.session.theirInvite).toBe(false);
    void ua.close();
    await expect.poll(() => asked).toEqual([expect.stringMatching(/^BYE SIP\/2\.0\/(UDP|TCP) \[::1\]:\d+;branch=/)]);
  });

  it('and IPv4 share a socket bound to ::, each told an address it can reach', async () => {
    const { ua, invites, port } = await serve(['::']);
    const four = await UdpPeer.open(port('udp', '::'));
    open.push(four);
    four.say('INVITE', 'sip:bank@127.0.0.1', { body: ANSWER });
    const contact = (await four.response(200)).contact!.uri;
    expect(parseSipUri(contact).host).toBe('127.0.0.1');
    expect(invites[0]?.bindAddress).toBe('0.0.0.0');
    const [one, other] = await Promise.all([listen(), serve(['::1'])]);
    open.push(one.ua);
    for (const uri of [`sip:127.0.0.1:${one.udp}`, `sip:[::1]:${other.port('udp', '::1')}`]) {
      expect((await ua.request('OPTIONS', uri)).status, uri).toBe(200);
    }
    for (const uri of [
      `sip:127.0.0.1:${one.tcp};transport=tcp`,
      `sip:[::1]:${other.port('tcp', '::1')};transport=tcp`,
    ]) {
      expect((await ua.request('OPTIONS', uri)).status, uri).toBe(200);
    }
  });

  it('and IPv4 can have sockets of their own on one port, and a public address each', async () => {
    const first = await serve(['0.0.0.0']);
    const [udp, tcp] = [first.port('udp', '0.0.0.0'), first.port('tcp', '0.0.0.0')];
    await first.ua.close();
    const { ua } = await listen({
      listen: ['0.0.0.0', '::'].flatMap((host) => [
        { protocol: 'udp' as const, host, port: udp },
        { protocol: 'tcp' as const, host, port: tcp },
      ]),
      publicAddress: ['192.0.2.1', '2001:db8::1'],
    });
    open.push(ua);
    const four = await UdpPeer.open(udp);
    open.push(four);
    four.say('INVITE', 'sip:bank@127.0.0.1', { body: ANSWER });
    expect((await four.response(200)).contact?.uri).toBe(`sip:bank@192.0.2.1:${udp}`);
    const six = await SipEndpoint.open({ host: '::1' });
    open.push(six);
    const invite = four.build('INVITE', 'sip:bank@[::1]', { body: ANSWER, callId: 'six' });
    await six.send(Buffer.from(invite), { address: '::1', port: udp });
    await expect
      .poll(() => six.trace.map(({ text }) => /^Contact: ([^\r]*)/m.exec(text)?.[1]))
      .toContain(`<sip:bank@[2001:db8::1]:${udp}>`);
  });
});

function echo(headers: readonly { name: string; value: string }[]) {
  return headers.filter(({ name }) => /^(via|from|to|call-id|cseq)$/i.test(name));
}
