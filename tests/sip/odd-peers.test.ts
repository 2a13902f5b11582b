import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { pause } from './calls.ts';
import { ANSWER, listen, OFFER, PATIENT, TcpPeer, UdpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function callOf(near: UserAgent) {
  const far = await UdpPeer.open();
  open.push(far);
  const calling = near.invite(`sip:1000@127.0.0.1:${far.port}`, OFFER);
  calling.catch(() => undefined);
  return { far, calling, invite: await far.request('INVITE') };
}

async function caller() {
  const { ua } = await listen({ timers: PATIENT });
  open.push(ua);
  return ua;
}

/** What follows on an answer that was taken: our ACK, and a call that is hung up where the telephone is. */
async function talkAndHangUp({ far, calling }: Awaited<ReturnType<typeof callOf>>): Promise<void> {
  await far.request('ACK');
  const session = await calling;
  const hungUp = session.bye();
  far.reply(await far.request('BYE'), 200);
  await hungUp;
}

describe('a telephone that answers a call of ours is talked to, and hung up in the end,', () => {
  it.each([
    ['does not say where it is', ''],
    ['says so in a way that nobody can read', '<sip:1000@[::1>'],
  ])('though it %s', async (_what, contact) => {
    const call = await callOf(await caller());
    call.far.reply(call.invite, 200, ANSWER, [], contact);
    await talkAndHangUp(call);
  });

  it('though its answer says where it is in a way that nobody can read, and its ringing did not', async () => {
    const call = await callOf(await caller());
    call.far.reply(call.invite, 180);
    call.far.reply(call.invite, 200, ANSWER, [], 'sip:');
    await talkAndHangUp(call);
  });
});

describe('a peer on TCP', () => {
  it('that keeps its connection alive by single CRLFs, or answers ours with one, is not cut off for half a message', async () => {
    const { ua, tcp } = await listen({ limits: { connections: { messageMs: 50 } } });
    open.push(ua);
    const peer = await TcpPeer.open(tcp);
    open.push(peer);
    peer.say('OPTIONS', `sip:bank@127.0.0.1:${tcp}`);
    await peer.response(200);
    peer.write('\r\n');
    await pause(2_500);
    peer.say('OPTIONS', `sip:bank@127.0.0.1:${tcp}`, { callId: 'later' });
    await peer.response(200);
  });

  it('whose headers never end is told that they are too long, and cut off', async () => {
    const { ua, tcp } = await listen();
    open.push(ua);
    const peer = await TcpPeer.open(tcp);
    open.push(peer);
    const closed = new Promise<void>((resolve) => peer.socket.once('close', () => resolve()));
    peer.write(peer.build('OPTIONS', `sip:bank@127.0.0.1:${tcp}`).trimEnd());
    peer.write(`\r\nX-Long: ${'x'.repeat(60_000)}`);
    await peer.response(513);
    await closed;
  });

  it('that storms us with keep-alives gets an answer, not a storm', async () => {
    const { ua, tcp, udp } = await listen();
    open.push(ua);
    const socket = connect({ host: '127.0.0.1', port: tcp });
    let segments = 0;
    let answers = '';
    socket.on('data', (bytes) => {
      segments++;
      answers += bytes.toString();
    });
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    open.push({ close: () => socket.destroy() });
    for (let i = 0; i < 16; i++) await new Promise((resolve) => socket.write('\r\n'.repeat(32_768), resolve));
    const other = await UdpPeer.open(udp);
    open.push(other);
    other.say('OPTIONS', `sip:bank@127.0.0.1:${udp}`);
    await other.response(200);
    socket.write('OPTIONS sip:bank@127.0.0.1 SIP/2.0\r\n');
    await pause(50);
    expect(answers.replaceAll('\r\n', '')).toBe('');
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.length).toBeLessThan(2_000);
    expect(segments).toBeLessThan(1_000);
  });
});
