import { randomBytes } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import type { IceCredentials } from '../../src/media/ice/ice-lite.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { AudioSecurity, MediaEvent, MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import type { SrtpKey } from '../../src/media/srtp/profiles.ts';
import type { SrtpKeys } from '../../src/media/srtp/srtp-line.ts';
import type { Sentence } from '../chaos/support/mortal.ts';
import { SecurePeer } from './secure-peer.ts';
import { datagram } from './support.ts';

const MORTAL_VAD = new URL('../chaos/support/mortal-vad.ts', import.meta.url).href;
const eventually = <T>(what: () => T | Promise<T>) => expect.poll(what, { interval: 10 });
const ICE: IceCredentials = {
  localUfrag: 'ours',
  localPassword: 'a-password-of-twenty-four',
  remoteUfrag: 'them',
};

let engine: WorkerMediaEngine;
let channel: BroadcastChannel;
let session: MediaSession;
let peer: SecurePeer;
let events: MediaEvent[];
let speaking: NodeJS.Timeout | undefined;

beforeAll(async () => {
  const name = `encrypted-${crypto.randomUUID()}`;
  channel = new BroadcastChannel(name);
  channel.unref();
  engine = await WorkerMediaEngine.start({
    log: silentLogger,
    vad: { module: MORTAL_VAD, options: name },
    dtls: true,
  });
});
afterAll(async () => {
  await engine.close();
  channel.close();
});
beforeEach(async () => {
  events = [];
  peer = await SecurePeer.open();
  const onEvent = (event: MediaEvent) => events.push(event);
  session = await engine.open({ call: crypto.randomUUID(), bindAddress: '127.0.0.1', onEvent });
  peer.callTo(session.localPort);
});
afterEach(async () => {
  clearInterval(speaking);
  await session.close();
  peer.close();
});

const key = (): SrtpKey => ({ profile: 'AES_CM_128_HMAC_SHA1_80', master: new Uint8Array(randomBytes(30)) });

function remote(more: Partial<RemoteAudio>): RemoteAudio {
  const place = { address: '127.0.0.1', port: peer.port, ptimeMs: 20, send: true, receive: true };
  return { ...place, codec: 'PCMU', payloadType: 0, ...more };
}

function bySdes(keys: SrtpKeys = { send: key(), receive: key() }): void {
  peer.takeKeys(keys);
  session.connect(remote({ security: { by: 'sdes', keys } }));
}

async function byDtls(ice?: IceCredentials, role: 'active' | 'passive' = 'passive'): Promise<void> {
  await peer.shakeHands(
    async (fingerprint) => {
      session.connect(remote({ security: { by: 'dtls', role, fingerprints: [fingerprint] }, ...(ice && { ice }) }));
      // Our first message is made before the peer has shown where it is.
      if (role === 'active') await new Promise((resolve) => setTimeout(resolve, 100));
      if (ice) peer.nominate(ice);
    },
    role === 'active' ? 'server' : 'client',
  );
}

const talk = () => {
  speaking = setInterval(() => peer.speak(), 20);
};
const heard = async () => (await session.stats()).packetsReceived;
const refused = async () => (await session.stats()).srtp!;
/** Sequence numbers that were used for two different packets: with the same key they give both away. */
const usedTwice = () => peer.received.length - new Set(peer.received.map(({ header }) => header.sequenceNumber)).size;

describe.each([
  ['keys in the description', async () => bySdes()],
  ['DTLS', () => byDtls()],
  ['DTLS behind ICE', () => byDtls(ICE)],
  ['DTLS behind ICE that we begin', () => byDtls(ICE, 'active')],
] as const)('an encrypted call by %s', (_name, agree) => {
  test('is heard on both sides, over a turn of the sequence number', async () => {
    await agree();
    talk();
    await eventually(heard).toBeGreaterThan(60);
    expect(peer.received.length).toBeGreaterThan(20);
    const { srtp, packetsLost } = await session.stats();
    expect([srtp!.forged, srtp!.replayed, packetsLost]).toEqual([0, 0, 0]);
  });

  test('goes on when its worker dies: with the same keys, no index used twice, and old packets refused still', async () => {
    await agree();
    talk();
    // Beyond the turn of the peer's sequence number: what its packets are counted from has to be known.
    await eventually(heard).toBeGreaterThan(60);
    const old = peer.sent.filter((data) => data[0]! >= 128)[50]!;
    channel.postMessage({ thread: 'media', death: 'exit' } satisfies Sentence);
    await eventually(() => events.some(({ type }) => type === 'media-interrupted')).toBe(true);
    const [before, arrived] = [await heard(), peer.received.length];
    await eventually(heard).toBeGreaterThan(before + 20);
    await eventually(() => peer.received.length).toBeGreaterThan(arrived + 20);
    expect(usedTwice()).toBe(0);
    const { replayed } = await refused();
    peer.sendRaw(old);
    await eventually(async () => (await refused()).replayed).toBe(replayed + 1);
    expect((await refused()).forged).toBe(0);
  });
});

describe('an encrypted call', () => {
  test('refuses what was sent before, what nobody encrypted, and what another key did, and counts each', async () => {
    bySdes();
    for (let i = 0; i < 5; i++) peer.speak();
    await eventually(heard).toBe(5);
    peer.sendRaw(peer.sent[2]!);
    peer.sendRaw(datagram({ sequence: peer.sequence, payload: new Uint8Array(3) }));
    peer.takeKeys({ send: key(), receive: key() });
    peer.speak();
    await eventually(refused).toMatchObject({ replayed: 1, forged: 1, unprotected: 1 });
    expect(await heard()).toBe(5);
  });

  test('says nothing in the clear while keys are not agreed on, and is ended when they never are', async () => {
    session.connect(
      remote({
        security: { by: 'dtls', role: 'passive', fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }] },
      }),
    );
    await peer.shakeHands(() => undefined);
    await eventually(() => events.find(({ type }) => type === 'media-failed')).toMatchObject({
      message: expect.stringMatching(/not the one in its session description/),
    });
    expect(peer.received.length + peer.unopened).toBe(0);
  });

  test('behind ICE sends to whom it now speaks with nothing that was meant for whom it spoke with before', async () => {
    const dtls: AudioSecurity = {
      by: 'dtls',
      role: 'active',
      fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }],
    };
    session.connect(remote({ security: dtls, ice: ICE }));
    // Our first message of DTLS waits for the peer to show where it is; before that it offers other keys.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const keys = { send: key(), receive: key() };
    const ice = { ...ICE, localUfrag: 'anew' };
    session.connect(remote({ security: { by: 'sdes', keys }, ice }));
    peer.takeKeys(keys);
    peer.nominate(ice);
    await eventually(() => peer.received.length).toBeGreaterThan(5);
    expect([peer.handshakes, peer.unopened]).toEqual([0, 0]);
  });

  test('behind ICE lives as long as the peer asks for consent, also in silence, and is noticed soon when it is gone', async () => {
    const onEvent = (event: MediaEvent) => events.push(event);
    const browser = { call: crypto.randomUUID(), bindAddress: '127.0.0.1', onEvent };
    const muted = await engine.open({ ...browser, rtpTimeoutMs: 60_000, consentTimeoutMs: 1000 });
    const gone = () => events.filter(({ type }) => type === 'rtp-timeout').length;
    peer.callTo(muted.localPort);
    muted.connect(remote({ security: { by: 'sdes', keys: { send: key(), receive: key() } }, ice: ICE }));
    for (let i = 0; i < 20; i++) {
      peer.nominate(ICE);
      // Who does not know our password is nobody's sign of life.
      peer.nominate({ ...ICE, localPassword: 'another' });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(gone()).toBe(0);
    peer.nominate({ ...ICE, localPassword: 'another' });
    await eventually(gone).toBe(1);
    await muted.close();
  });

  test('behind ICE is not moved by packets from elsewhere, nor by a handshake that was not let in by a check', async () => {
    await byDtls(ICE);
    peer.speak();
    await eventually(heard).toBe(1);
    const stranger = await SecurePeer.open();
    stranger.callTo(session.localPort);
    for (const data of peer.sent.slice(0, 20)) stranger.sendRaw(data);
    stranger.sendRaw(datagram({ sequence: 1 }));
    const before = peer.received.length;
    await eventually(() => peer.received.length).toBeGreaterThan(before + 5);
    expect(stranger.received.length + stranger.unopened).toBe(0);
    stranger.close();
  });
});
