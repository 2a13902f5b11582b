import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import type { CodecName } from '../../src/media/codecs/codec.ts';
import { levelDb } from '../../src/media/level.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { holdMusic } from '../../src/media/outbound/hold-music.ts';
import type { MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { CodecPeer } from './codec-peer.ts';
import { amplitudeOf, tone } from './support.ts';

/** Every party has a codec and a tone of its own, so that what is heard tells who is heard. */
interface Party {
  codec: CodecName;
  hz: number;
  peer: CodecPeer;
  session: MediaSession;
  remote: RemoteAudio;
}

let engine: WorkerMediaEngine;
let folder: string;
let caller: Party;
let agent: Party;
let supervisor: Party;

beforeAll(async () => {
  engine = await WorkerMediaEngine.start({ workers: 2, log: silentLogger });
  folder = await mkdtemp(join(tmpdir(), 'bridged-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  caller = await party('PCMU', 400);
  agent = await party('G722', 700, caller.session);
  supervisor = await party('opus', 1100, caller.session);
});
afterEach(async () => {
  for (const { peer, session } of [caller, agent, supervisor]) {
    await session.close();
    peer.close();
  }
});

async function party(codec: CodecName, hz: number, beside?: MediaSession): Promise<Party> {
  const peer = await CodecPeer.open();
  const options = { call: codec, bindAddress: '127.0.0.1', onEvent: () => undefined };
  const session = await engine.open({ ...options, ...(beside && { beside }) });
  peer.callTo(session.localPort);
  const place = { address: '127.0.0.1', port: peer.port, ptimeMs: 20, send: true, receive: true };
  const remote = { ...place, codec, payloadType: CodecPeer.NUMBERS[codec] };
  session.connect(remote);
  return { codec, hz, peer, session, remote };
}

/** All speak for `ms`; then what each of them heard of each in the second half. */
async function allSpeak(ms = 600): Promise<(of: Party, listener: Party) => boolean> {
  const parties = [caller, agent, supervisor];
  const from = new Map<Party, number>();
  const half = new Promise((resolve) => setTimeout(resolve, ms / 2)).then(() => {
    for (const one of parties) from.set(one, one.peer.received.length);
  });
  await Promise.all([half, ...parties.map(({ peer, codec, hz }) => peer.speakIn(codec, tone(ms * 8, hz, 0.2)))]);
  // What the worker, on a busy machine, has still to pass on.
  await new Promise((resolve) => setTimeout(resolve, 250));
  const heard = new Map(parties.map((one) => [one, one.peer.heardIn(one.codec, from.get(one))]));
  return (of, listener) => loudest(heard.get(listener)!, of.hz) > 0.1;
}

/** Of one frequency, in the loudest tenth of a second among the last two seconds: machines that test are late. */
function loudest(pcm: Int16Array, hz: number): number {
  let most = 0;
  for (let at = Math.max(0, pcm.length - 16_000); at + 800 <= pcm.length; at += 400) {
    most = Math.max(most, amplitudeOf(pcm.subarray(at, at + 800), hz));
  }
  return most;
}

const bridge = () => {
  caller.session.hear([{ of: agent.session, side: 'spoken' }]);
  agent.session.hear([{ of: caller.session, side: 'spoken' }]);
};

test('two bridged people hear each other, each in their own codec, and nobody else does', async () => {
  bridge();
  const hears = await allSpeak();
  expect([hears(agent, caller), hears(caller, agent)]).toEqual([true, true]);
  expect([hears(caller, caller), hears(agent, agent), hears(supervisor, caller)]).toEqual([false, false, false]);
  expect([hears(caller, supervisor), hears(agent, supervisor)]).toEqual([false, false]);
  // Not only heard: as loud as it was said.
  const loud = loudest(caller.peer.heardIn('PCMU'), agent.hz);
  expect(loud).toBeGreaterThan(0.17);
  expect(loud).toBeLessThan(0.23);
});

test('a supervisor listens unheard, then whispers to the agent only, then joins', async () => {
  bridge();
  const all = [
    { of: caller.session, side: 'spoken' as const },
    { of: caller.session, side: 'heard' as const },
  ];
  supervisor.session.hear(all);
  let hears = await allSpeak();
  expect([hears(caller, supervisor), hears(agent, supervisor)]).toEqual([true, true]);
  expect([hears(supervisor, caller), hears(supervisor, agent), hears(supervisor, supervisor)]).toEqual([
    false,
    false,
    false,
  ]);
  const whispered = { of: supervisor.session, side: 'spoken' as const };
  agent.session.hear([{ of: caller.session, side: 'spoken' }, whispered]);
  hears = await allSpeak();
  expect([hears(supervisor, agent), hears(supervisor, caller), hears(caller, agent)]).toEqual([true, false, true]);
  caller.session.hear([{ of: agent.session, side: 'spoken' }, whispered]);
  hears = await allSpeak();
  expect([hears(supervisor, agent), hears(supervisor, caller), hears(agent, caller)]).toEqual([true, true, true]);
  expect([hears(caller, supervisor), hears(supervisor, supervisor)]).toEqual([true, false]);
});

test('a listener hears the bot and the music too, and the recording has all the caller heard', async () => {
  const path = join(folder, 'call.wav');
  caller.session.record(path);
  bridge();
  supervisor.session.hear([{ of: caller.session, side: 'heard' }]);
  caller.session.playout.begin(1);
  await caller.session.playout.write(1, { pcm: tone(8000, 1900, 0.2), words: [] });
  const hears = await allSpeak();
  expect([hears(agent, supervisor), hears(caller, supervisor)]).toEqual([true, false]);
  expect(loudest(supervisor.peer.heardIn('opus'), 1900)).toBeGreaterThan(0.05);
  await caller.session.playout.cut(1);
  caller.session.loop(holdMusic());
  await expect.poll(() => levelDb(supervisor.peer.heardIn('opus').subarray(-4000))).toBeGreaterThan(-45);
  await caller.session.close();
  const wav = await readFile(path);
  const values = new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) / 2);
  const channel = (nth: number) => values.filter((_, i) => i % 2 === nth);
  const [left, right] = [channel(0), channel(1)];
  expect(amplitudeOf(left, caller.hz)).toBeGreaterThan(0.02);
  expect(amplitudeOf(left, agent.hz)).toBeLessThan(0.005);
  for (const hz of [agent.hz, 1900]) expect(amplitudeOf(right, hz)).toBeGreaterThan(0.02);
  expect(amplitudeOf(right, caller.hz)).toBeLessThan(0.005);
});

test('music stops within a frame of being told to, and a secret is heard by nobody', async () => {
  caller.session.loop(holdMusic());
  await expect.poll(() => levelDb(caller.peer.heard().subarray(-1600))).toBeGreaterThan(-45);
  caller.session.loop(undefined);
  await caller.session.stats();
  const told = caller.peer.received.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  // What was in the socket, the frame in which the music fades; the rest is silence.
  expect(levelDb(caller.peer.heard().subarray((told + 4) * 160))).toBe(-100);
  bridge();
  caller.session.maskRecording(true);
  let hears = await allSpeak();
  expect([hears(caller, agent), hears(agent, caller)]).toEqual([false, true]);
  caller.session.maskRecording(false);
  hears = await allSpeak();
  expect(hears(caller, agent)).toBe(true);
});

test('a leg of another worker is brought beside the caller, in one unbroken stream, and then hears', async () => {
  const elsewhere = await party('PCMA', 1500);
  try {
    supervisor.session.hear([]);
    elsewhere.session.hear([{ of: caller.session, side: 'spoken' }]);
    await caller.peer.speakIn('PCMU', tone(2400, caller.hz, 0.2));
    expect(amplitudeOf(elsewhere.peer.heardIn('PCMA'), caller.hz)).toBeLessThan(0.005);
    await engine.bring(elsewhere.session, caller.session);
    await engine.bring(elsewhere.session, caller.session);
    await caller.peer.speakIn('PCMU', tone(4800, caller.hz, 0.2));
    expect(loudest(elsewhere.peer.heardIn('PCMA'), caller.hz)).toBeGreaterThan(0.1);
    const packets = elsewhere.peer.received.map(({ packet }) => packet);
    expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    for (let i = 1; i < packets.length; i++) {
      expect((packets[i]!.sequence - packets[i - 1]!.sequence) & 0xffff).toBe(1);
    }
    const placed = (await engine.stats()).sessions;
    await elsewhere.session.close();
    expect((await engine.stats()).sessions).toBe(placed - 1);
    await expect(engine.bring(elsewhere.session, caller.session)).rejects.toMatchObject({ sipStatus: 503 });
  } finally {
    await elsewhere.session.close();
    elsewhere.peer.close();
  }
});

test('who hangs up or holds is silence for the other, who goes on hearing the rest', async () => {
  bridge();
  agent.session.hear([
    { of: caller.session, side: 'spoken' },
    { of: supervisor.session, side: 'spoken' },
  ]);
  caller.session.connect({ ...caller.remote, send: false, receive: true });
  // Its worker has read that when it answers this; what has left already arrives.
  await caller.session.stats();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const before = caller.peer.received.length;
  let hears = await allSpeak();
  expect(caller.peer.received.length).toBe(before);
  expect(hears(supervisor, agent)).toBe(true);
  caller.session.connect(caller.remote);
  hears = await allSpeak();
  expect([hears(agent, caller), hears(caller, agent)]).toEqual([true, true]);
  await caller.session.close();
  hears = await allSpeak();
  expect([hears(supervisor, agent), hears(caller, agent)]).toEqual([true, false]);
  const silent = agent.peer.received.length;
  await supervisor.session.close();
  // The stream goes on, so that nobody's network forgets the way.
  await expect.poll(() => agent.peer.received.length).toBeGreaterThan(silent + 5);
  const sequence = agent.peer.received.map(({ packet }) => packet.sequence);
  for (let i = 1; i < sequence.length; i++) expect((sequence[i]! - sequence[i - 1]!) & 0xffff).toBe(1);
});
