import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import type { CodecName } from '../../src/media/codecs/codec.ts';
import { codecNamed } from '../../src/media/codecs/index.ts';
import { levelDb } from '../../src/media/level.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaEvent, MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { CodecPeer } from './codec-peer.ts';
import { tone } from './support.ts';

let engine: WorkerMediaEngine;
let peer: CodecPeer;
let session: MediaSession;
let events: MediaEvent[];

beforeAll(async () => {
  engine = await WorkerMediaEngine.start({ log: silentLogger });
});
afterAll(() => engine.close());
beforeEach(async () => {
  events = [];
  peer = await CodecPeer.open();
  const onEvent = (event: MediaEvent) => events.push(event);
  session = await engine.open({ call: 'call-1', bindAddress: '127.0.0.1', onEvent });
  peer.callTo(session.localPort);
});
afterEach(async () => {
  await session.close();
  peer.close();
});

function remote(codec: CodecName, changes: Partial<RemoteAudio> = {}): RemoteAudio {
  const place = { address: '127.0.0.1', port: peer.port, ptimeMs: 20, send: true, receive: true };
  return { ...place, codec, payloadType: CodecPeer.NUMBERS[codec], ...changes };
}

const speak = (name: CodecName, pcm: Int16Array, ms?: number) => peer.speakIn(name, pcm, ms);
const heard = (name: CodecName) => peer.heardIn(name);
const spoken = () => events.filter(({ type }) => type === 'speech-start').length;

describe.each(['PCMA', 'G722', 'opus'] as const)('a call in %s', (name) => {
  test('is heard both ways, with timestamps on its clock', async () => {
    session.connect(remote(name));
    session.playout.begin(1);
    await session.playout.write(1, { pcm: tone(8000, 440), words: [] });
    await speak(name, Int16Array.from([...new Int16Array(2400), ...tone(4800, 300)]));
    expect((await session.playout.finish(1)).complete).toBe(true);
    expect(spoken()).toBeGreaterThanOrEqual(1);
    const audio = heard(name);
    const loud = Array.from({ length: Math.floor(audio.length / 160) }, (_, i) => levelDb(audio, i * 160, 160));
    expect(loud.filter((db) => db > -25).length).toBeGreaterThanOrEqual(45);
    const packets = peer.received.map(({ packet }) => packet);
    const step = 20 * (codecNamed(name).clockRate / 1000);
    for (let i = 1; i < packets.length; i++) {
      expect((packets[i]!.timestamp - packets[i - 1]!.timestamp) >>> 0).toBe(step);
      expect((packets[i]!.sequence - packets[i - 1]!.sequence) & 0xffff).toBe(1);
    }
    expect(await session.stats()).toMatchObject({ codec: name, packetsLost: 0, packetsRefused: 0 });
    expect((await session.stats()).jitterMs).toBeLessThan(40);
  });

  test.each([10, 40, 60])('in packets of %i ms is heard both ways', async (ms) => {
    session.connect(remote(name, { ptimeMs: ms }));
    await speak(name, Int16Array.from([...new Int16Array(2400), ...tone(4800, 300)]), ms);
    expect(spoken()).toBeGreaterThanOrEqual(1);
    const durations = peer.received.map(({ packet: { data, payloadOffset, payloadLength } }) =>
      codecNamed(name).samplesIn(data, payloadOffset, payloadLength),
    );
    expect(new Set(durations)).toEqual(new Set([ms * 8]));
  });
});

describe('a codec changed in mid-call', () => {
  test('goes on in the same stream, and what the peer still sends in the old one is heard', async () => {
    session.connect(remote('opus'));
    session.playout.begin(1);
    await session.playout.write(1, { pcm: tone(8000, 440), words: [] });
    await expect.poll(() => peer.received.length).toBeGreaterThan(5);
    session.connect(remote('PCMA', { accepts: [{ codec: 'opus', payloadType: CodecPeer.NUMBERS.opus }] }));
    await speak('opus', tone(3200, 300));
    expect((await session.playout.finish(1)).playedMs).toBe(1000);
    expect(spoken()).toBeGreaterThanOrEqual(1);
    const packets = peer.received.map(({ packet }) => packet);
    const changedAt = packets.findIndex(({ payloadType }) => payloadType === CodecPeer.NUMBERS.PCMA);
    expect(changedAt).toBeGreaterThan(5);
    expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(packets.slice(changedAt).every(({ payloadType }) => payloadType === CodecPeer.NUMBERS.PCMA)).toBe(true);
    expect((packets[changedAt]!.sequence - packets[changedAt - 1]!.sequence) & 0xffff).toBe(1);
  });

  test('numbers may differ in the two directions', async () => {
    session.connect(
      remote('opus', { payloadType: 120, accepts: [{ codec: 'opus', payloadType: CodecPeer.NUMBERS.opus }] }),
    );
    await speak('opus', Int16Array.from([...new Int16Array(1600), ...tone(3200, 300)]));
    expect(spoken()).toBeGreaterThanOrEqual(1);
    expect(new Set(peer.received.map(({ packet }) => packet.payloadType))).toEqual(new Set([120]));
  });
});
