import { createSocket } from 'node:dgram';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaEvent, MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { RtpPeer } from '../media/rtp-peer.ts';
import { amplitudeOf, eventPacket, tone } from '../media/support.ts';
import type { Death, Sentence } from './support/mortal.ts';

const MORTAL_VAD = new URL('./support/mortal-vad.ts', import.meta.url).href;
const FRAME = 160;

let engine: WorkerMediaEngine;
let channel: BroadcastChannel;
let folder: string;
const peers: RtpPeer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  const name = `chaos-${crypto.randomUUID()}`;
  channel = new BroadcastChannel(name);
  channel.unref();
  engine = await WorkerMediaEngine.start({
    workers: 2,
    log: silentLogger,
    vad: { module: MORTAL_VAD, options: name },
    hangMs: 1000,
    // As shipped, where it is allowed: who hangs in real time takes a core from those who should notice.
    scheduling: 'realtime',
  });
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await engine.close();
  channel.close();
  await rm(folder, { recursive: true, force: true });
});

/** Both workers die: they hear the same channel. */
const kill = (death: Death) => channel.postMessage({ thread: 'media', death } satisfies Sentence);

interface Talk {
  peer: RtpPeer;
  session: MediaSession;
  events: MediaEvent[];
}

async function talk(beside?: MediaSession): Promise<Talk> {
  const peer = await RtpPeer.open();
  peers.push(peer);
  const events: MediaEvent[] = [];
  const session = await engine.open({
    call: crypto.randomUUID(),
    bindAddress: '127.0.0.1',
    onEvent: (event) => events.push(event),
    ...(beside && { beside }),
  });
  peer.callTo(session.localPort);
  const remote: RemoteAudio = {
    address: '127.0.0.1',
    port: peer.port,
    codec: 'PCMU',
    payloadType: 0,
    telephoneEvents: [{ payloadType: 101, clockRate: 8000 }],
    ptimeMs: 20,
    send: true,
    receive: true,
  };
  session.connect(remote);
  return { peer, session, events };
}

const happened = ({ events }: Talk, type: MediaEvent['type']) =>
  expect.poll(() => events.some((event) => event.type === type)).toBe(true);

/** Words of 200 ms each, every one a tone. */
function sentence(words: number) {
  return {
    pcm: tone(words * 1600, 400),
    words: Array.from({ length: words }, (_, i) => ({ text: `w${i}`, startMs: i * 200, endMs: (i + 1) * 200 })),
  };
}

function steps(peer: RtpPeer): { sequence: number[]; ssrcs: number; backwards: number } {
  const packets = peer.received.map(({ packet }) => packet);
  const sequence = packets.slice(1).map((packet, i) => (packet.sequence - packets[i]!.sequence) & 0xffff);
  const backwards = packets
    .slice(1)
    .filter((packet, i) => ((packet.timestamp - packets[i]!.timestamp) | 0) <= 0).length;
  return { sequence, ssrcs: new Set(packets.map(({ ssrc }) => ssrc)).size, backwards };
}

describe.each<Death>(['exit', 'throw', 'hang', 'out-of-memory'])(
  'a media worker that dies in mid-call (%s)',
  (death) => {
    test('costs its caller a gap in one unbroken stream; the sentence goes on, and all of it is heard', async () => {
      const call = await talk();
      const { session, peer } = call;
      const path = join(folder, 'call.wav');
      session.record(path);
      const recordedFrom = monotonicNow();
      session.playout.begin(1);
      void session.playout.write(1, sentence(10));
      const finished = session.playout.finish(1);
      await expect.poll(() => peer.loud().length).toBeGreaterThan(40);
      kill(death);
      await happened(call, 'media-interrupted');
      const heard = await finished;
      expect(heard).toMatchObject({
        turn: 1,
        complete: true,
        text: sentence(10)
          .words.map(({ text }) => text)
          .join(' '),
      });
      const stream = steps(peer);
      expect(stream.ssrcs).toBe(1);
      expect(stream.sequence.every((step) => step === 1)).toBe(true);
      expect(stream.backwards).toBe(0);
      // At most one word is said twice.
      expect(peer.loud().length).toBeLessThanOrEqual(10 * 10 + 11);
      await expect.poll(() => peer.loud().length).toBeGreaterThanOrEqual(10 * 10);
      const upMs = monotonicNow() - recordedFrom;
      const report = await session.close();
      expect(report.interruptions).toBe(1);
      // The dead worker's counters are as old as half a second.
      expect(peer.received.length - report.packetsSent).toBeLessThanOrEqual(26);
      expect(report.packetsSent).toBeLessThanOrEqual(peer.received.length);
      const interrupted = call.events.find((event) => event.type === 'media-interrupted')!;
      expect(interrupted.recordingLostMs).toBeLessThan(3000);
      const { durationMs } = report.recording!;
      const facts = `${durationMs} ms recorded of ${upMs} ms: ${JSON.stringify(call.events)}`;
      expect(Math.abs(durationMs - upMs), facts).toBeLessThan(1000);
      const wav = await readFile(path);
      expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
      expect(call.events.filter(({ type }) => type === 'media-failed')).toEqual([]);
    });
  },
);

describe('after a media worker has died', () => {
  test('the caller who was speaking is taken to have stopped, and is heard when speaking again', async () => {
    const call = await talk();
    const speaking = call.peer.speak(tone(16_000, 300));
    await happened(call, 'speech-start');
    kill('exit');
    await happened(call, 'media-interrupted');
    await speaking;
    const types = call.events.map(({ type }) => type);
    expect(types.indexOf('speech-end')).toBeLessThan(types.indexOf('media-interrupted'));
    await call.peer.speak(new Int16Array(50 * FRAME));
    await call.peer.speak(tone(8000, 300));
    const segments = (from: number) =>
      call.events.slice(from).flatMap((event) => (event.type === 'speech-start' ? [event.segment] : []));
    await expect.poll(() => segments(types.indexOf('media-interrupted')).length).toBeGreaterThan(0);
    expect(Math.min(...segments(types.indexOf('media-interrupted')))).toBeGreaterThan(segments(0)[0]!);
  });

  test('packets from elsewhere are still refused, and a key that was told is not told again', async () => {
    const call = await talk();
    const { peer, session } = call;
    await peer.speak(new Int16Array(10 * FRAME));
    const key = (duration: number) =>
      peer.send(eventPacket({ sequence: peer.sequence++, timestamp: peer.timestamp, event: 5, duration }));
    key(160);
    await happened(call, 'dtmf');
    // A key that is held while the worker dies goes on sending packets.
    await expect.poll(() => peer.received.length).toBeGreaterThan(5);
    kill('exit');
    await happened(call, 'media-interrupted');
    for (let duration = 320; duration < 3200; duration += 160) key(duration);
    const stranger = createSocket('udp4');
    const before = await session.stats();
    const injected = new Uint8Array(172);
    injected[0] = 0x80;
    for (let i = 0; i < 5; i++) stranger.send(injected, session.localPort, '127.0.0.1');
    await expect
      .poll(async () => (await session.stats()).packetsRefused - before.packetsRefused)
      .toBeGreaterThanOrEqual(5);
    stranger.close();
    expect(call.events.filter(({ type }) => type === 'dtmf')).toHaveLength(1);
  });

  test('what is masked stays masked, and an interruption that was not decided keeps the bot silent', async () => {
    const call = await talk();
    const { session, peer } = call;
    session.record(join(folder, 'secret.wav'));
    session.maskRecording(true);
    session.playout.begin(1);
    session.armBargeIn(true);
    void session.playout.write(1, sentence(30));
    await expect.poll(() => peer.loud().length).toBeGreaterThan(10);
    void peer.speak(tone(8000, 500));
    await happened(call, 'barge-in');
    kill('exit');
    await happened(call, 'media-interrupted');
    const silentFrom = peer.received.length;
    await peer.speak(tone(4000, 500));
    await expect.poll(() => peer.received.length).toBeGreaterThan(silentFrom + 15);
    expect(
      peer.loud().filter(({ packet }) => peer.received.slice(silentFrom).some((p) => p.packet === packet)),
    ).toEqual([]);
    session.playout.resume(1);
    await expect.poll(() => peer.loud().length).toBeGreaterThan(20);
    const heard = await session.playout.cut(1);
    expect(heard.complete).toBe(false);
    await session.close();
    const wav = await readFile(join(folder, 'secret.wav'));
    let loudest = 0;
    for (let at = 44; at + 4 <= wav.length; at += 4) loudest = Math.max(loudest, Math.abs(wav.readInt16LE(at)));
    expect(loudest).toBe(0);
  });

  test('a turn that is cut while nobody carries the call is accounted for, and is not said again', async () => {
    const call = await talk();
    const { session, peer } = call;
    session.playout.begin(1);
    void session.playout.write(1, sentence(30));
    await expect.poll(() => peer.loud().length).toBeGreaterThan(25);
    kill('hang');
    const stopped = peer.loud().length;
    const heard = await session.playout.cut(1);
    expect(heard.playedMs).toBeGreaterThanOrEqual(stopped * 20 - 100);
    expect(heard.text).toMatch(/^w0 w1/);
    await happened(call, 'media-interrupted');
    const before = peer.received.length;
    await expect.poll(() => peer.received.length).toBeGreaterThan(before + 20);
    expect(peer.loud().length).toBeLessThanOrEqual(stopped + 5);
  });

  test('two bridged people hear each other again, and who waits has music again', async () => {
    const caller = await talk();
    const agent = await talk(caller.session);
    const waiting = await talk(caller.session);
    caller.session.hear([{ of: agent.session, side: 'spoken' }]);
    agent.session.hear([{ of: caller.session, side: 'spoken' }]);
    waiting.session.loop(tone(8000, 300));
    await expect.poll(() => waiting.peer.loud().length).toBeGreaterThan(10);
    kill('exit');
    await Promise.all([caller, agent, waiting].map((leg) => happened(leg, 'media-interrupted')));
    const played = waiting.peer.loud().length;
    await Promise.all([caller.peer.speak(tone(8000, 400)), agent.peer.speak(tone(8000, 700))]);
    const hears = ({ peer }: Talk, hz: number) => amplitudeOf(peer.heard().subarray(-4000), hz) > 0.1;
    expect([hears(caller, 700), hears(agent, 400), hears(caller, 400)]).toEqual([true, true, false]);
    expect(waiting.peer.loud().length).toBeGreaterThan(played + 30);
  });

  test('new calls are taken at once, and the death is counted', async () => {
    const call = await talk();
    await expect.poll(() => call.peer.received.length).toBeGreaterThan(3);
    kill('exit');
    await happened(call, 'media-interrupted');
    const next = await talk();
    await expect.poll(() => next.peer.received.length).toBeGreaterThan(3);
    expect((await engine.stats()).workerRestarts).toBeGreaterThanOrEqual(1);
  });

  test('a call under which workers die again and again is ended, with a playable recording', async () => {
    const call = await talk();
    const path = join(folder, 'doomed.wav');
    call.session.record(path);
    for (let death = 0; death < 4; death++) {
      const carried = call.peer.received.length;
      await expect.poll(() => call.peer.received.length).toBeGreaterThan(carried + 60);
      kill('exit');
      if (death < 3) {
        const times = death + 1;
        await expect.poll(() => call.events.filter(({ type }) => type === 'media-interrupted').length).toBe(times);
      }
    }
    await happened(call, 'media-failed');
    const report = await call.session.close();
    expect(report.recording!.durationMs).toBeGreaterThan(3000);
    const wav = await readFile(path);
    expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
    expect((await call.session.playout.finish(1)).complete).toBe(false);
  });
});
