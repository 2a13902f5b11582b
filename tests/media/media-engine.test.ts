import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import { type MediaEngineOptions, WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaEvent, MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { freePort } from '../support/free-port.ts';
import { babble } from './echo-room.ts';
import { RtpPeer } from './rtp-peer.ts';
import { tone } from './support.ts';

const SLOW_VAD = new URL('./fixtures/slow-vad.ts', import.meta.url).href;
const DEAF_VAD = new URL('./fixtures/deaf-vad.ts', import.meta.url).href;
const CRASHING_VAD = new URL('./fixtures/crashing-vad.ts', import.meta.url).href;
let engine: WorkerMediaEngine | undefined;
afterEach(async () => {
  await engine?.close();
});

async function start(options: Partial<MediaEngineOptions> = {}): Promise<WorkerMediaEngine> {
  engine = await WorkerMediaEngine.start({ log: silentLogger, ...options });
  return engine;
}

const open = (
  media: WorkerMediaEngine,
  onEvent: (event: MediaEvent) => void = () => undefined,
): Promise<MediaSession> => media.open({ call: crypto.randomUUID(), bindAddress: '127.0.0.1', onEvent });

const remote = (peer: RtpPeer): RemoteAudio => ({
  address: '127.0.0.1',
  port: peer.port,
  codec: 'PCMU',
  payloadType: 0,
  ptimeMs: 20,
  send: true,
  receive: true,
});

async function refusal(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error(`no Failure but ${String(error)}`);
  return error;
}

describe('the media engine', () => {
  test('refuses calls with 503 when the ports run out, and takes them when one has rested', async () => {
    const min = await freePort();
    const media = await start({ ports: { min, max: min + 1 }, portRestMs: 500 });
    const first = await open(media);
    expect(first.localPort).toBe(min);
    expect(await refusal(open(media))).toMatchObject({ sipStatus: 503, retryable: true });
    await first.close();
    expect(await refusal(open(media))).toMatchObject({ sipStatus: 503 });
    const again = () => open(media).catch(() => undefined);
    await expect.poll(async () => (await again())?.localPort).toBe(min);
  });

  test('passes over a port that another program holds', async () => {
    const min = await freePort();
    const other = createSocket('udp4');
    other.bind(min, '127.0.0.1');
    await once(other, 'listening');
    const media = await start({ ports: { min, max: min + 3 } });
    expect((await open(media)).localPort).toBe(min + 2);
    other.close();
  });

  test('RTP has an even port and RTCP the one above: a pair of which either is taken is passed over', async () => {
    const min = await freePort();
    const other = createSocket('udp4');
    other.bind(min + 1, '127.0.0.1');
    await once(other, 'listening');
    const media = await start({ ports: { min, max: min + 7 } });
    const { localPort } = await open(media);
    expect(localPort).toBeGreaterThan(min);
    expect(localPort % 2).toBe(0);
    other.close();
  });

  test('spreads calls over its workers and refuses more than they may take', async () => {
    const media = await start({ workers: 2, sessionsPerWorker: 2 });
    const sessions = await Promise.all([open(media), open(media), open(media), open(media)]);
    expect(new Set(sessions.map(({ localPort }) => localPort)).size).toBe(4);
    expect(await refusal(open(media))).toMatchObject({ sipStatus: 503 });
    const stats = await media.stats();
    expect(stats.sessions).toBe(4);
    expect(stats.pacerLatenessMs).toHaveLength(2);
    await sessions[0]!.close();
    await open(media);
  });

  test('the first worker is filled before the next gets calls, which starts when the first is half full', async () => {
    const media = await start({ workers: 2, sessionsToFill: 3 });
    // A worker that carries nobody makes no ticks.
    const pacing = async () => ((await media.stats()).tickLateness ?? []).map(({ ticks }) => ticks > 0);
    await expect.poll(pacing).toEqual([false]);
    await open(media);
    await expect.poll(pacing).toEqual([true]);
    for (let i = 0; i < 2; i++) await open(media);
    await expect.poll(pacing).toEqual([true, false]);
    await open(media);
    await expect.poll(pacing).toEqual([true, true]);
  });

  test('closing twice is closing once, and what comes after is harmless', async () => {
    const media = await start();
    const events: MediaEvent[] = [];
    const session = await open(media, (event) => events.push(event));
    const [report, again] = await Promise.all([session.close(), session.close()]);
    expect(again).toBe(report);
    session.armBargeIn(true);
    session.playout.begin(1);
    expect(await session.playout.write(1, { pcm: tone(160, 300), words: [] })).toBe(false);
    expect(await session.playout.finish(1)).toMatchObject({ text: '', complete: false });
    expect((await session.stats()).packetsSent).toBe(0);
    await media.close();
    expect((await session.stats()).packetsSent).toBe(0);
    expect(await refusal(open(media))).toMatchObject({ sipStatus: 503 });
    expect(events).toEqual([]);
  });

  test('does not start with a detector that cannot', async () => {
    await expect(start({ vad: { module: SLOW_VAD, options: 'broken' } })).rejects.toThrow('no model');
    await expect(start({ vad: { module: new URL('./support.ts', import.meta.url).href } })).rejects.toThrow(
      'exports no createVadEngine',
    );
  });

  test('a slow detector delays its verdicts, not the audio', async () => {
    const media = await start({ vad: { module: SLOW_VAD } });
    const peers = await Promise.all([RtpPeer.open(), RtpPeer.open()]);
    const events: MediaEvent[] = [];
    const sessions = await Promise.all(peers.map(() => open(media, (event) => events.push(event))));
    sessions.forEach((session, i) => {
      peers[i]!.callTo(session.localPort);
      session.connect(remote(peers[i]!));
    });
    await Promise.all(peers.map((peer) => peer.speak(tone(8000, 300))));
    expect(events.filter(({ type }) => type === 'speech-start')).toHaveLength(2);
    for (const peer of peers) expect(peer.received.length).toBeGreaterThanOrEqual(45);
    for (const peer of peers) peer.close();
  });

  test('a detector gone deaf is replaced in mid-call, and the caller is heard', async () => {
    const media = await start({ vad: { module: DEAF_VAD } });
    const peer = await RtpPeer.open();
    const events: MediaEvent[] = [];
    const session = await open(media, (event) => events.push(event));
    peer.callTo(session.localPort);
    session.connect(remote(peer));
    await peer.speak(Int16Array.from([...new Int16Array(4000), ...babble(6000, 3, 120, -22)]));
    expect(events.some(({ type }) => type === 'speech-start')).toBe(true);
    expect(await session.stats()).toMatchObject({ vadResets: 1 });
    const stats = await media.stats();
    expect(stats.vadRestarts).toEqual([1]);
    expect(stats.tickLateness![0]!.ticks).toBeGreaterThan(100);
    expect(stats.tickLateness![0]!.p50Ms).toBeLessThanOrEqual(stats.tickLateness![0]!.p99Ms);
    peer.close();
  });

  test('a call that kills its worker again and again is ended, and others have not noticed', async () => {
    const media = await start({ workers: 2, vad: { module: CRASHING_VAD } });
    const [peer, quiet] = await Promise.all([RtpPeer.open(), RtpPeer.open()]);
    const events: string[] = [];
    const doomed = await open(media, ({ type }) => events.push(type));
    const other = await open(media, ({ type }) => events.push(`other ${type}`));
    other.connect(remote(quiet));
    peer.callTo(doomed.localPort);
    doomed.connect(remote(peer));
    doomed.playout.begin(1);
    const writing = doomed.playout.write(1, { pcm: tone(160_000, 300), words: [] });
    const talking = peer.speak(tone(80_000, 300));
    await expect.poll(() => events).toContain('media-failed');
    expect(events.filter((type) => type === 'media-interrupted')).toHaveLength(3);
    expect(await writing).toBeTypeOf('boolean');
    expect(await doomed.playout.finish(1)).toMatchObject({ complete: false });
    await doomed.close();
    expect(events.filter((type) => type.startsWith('other'))).toEqual([]);
    const before = quiet.received.length;
    await expect.poll(() => quiet.received.length).toBeGreaterThan(before + 3);
    // A worker that has died several times is given time before it starts again.
    await expect.poll(async () => (await media.stats()).pacerLatenessMs.every((ms) => !Number.isNaN(ms))).toBe(true);
    const next = await open(media);
    expect(next.localPort).toBeGreaterThan(0);
    await talking;
    peer.close();
    quiet.close();
  });
});
