import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { AudioDecoder, AudioEncoder, CodecName } from '../../src/media/codecs/codec.ts';
import { codecNamed } from '../../src/media/codecs/index.ts';
import { levelDb } from '../../src/media/level.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaEvent, MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { RtpPeer } from './rtp-peer.ts';
import { tone } from './support.ts';

let engine: WorkerMediaEngine;
let peer: RtpPeer;
let session: MediaSession;
let events: MediaEvent[];
const codecs: (AudioDecoder | AudioEncoder)[] = [];

beforeAll(async () => {
  engine = await WorkerMediaEngine.start({ log: silentLogger });
});
afterAll(() => engine.close());
beforeEach(async () => {
  events = [];
  peer = await RtpPeer.open();
  const onEvent = (event: MediaEvent) => events.push(event);
  session = await engine.open({ call: 'call-1', bindAddress: '127.0.0.1', onEvent });
  peer.callTo(session.localPort);
});
afterEach(async () => {
  await session.close();
  peer.close();
  for (const codec of codecs.splice(0)) codec.close();
});

const NUMBERS: Record<CodecName, number> = { PCMU: 0, PCMA: 8, G722: 9, opus: 107 };
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function remote(codec: CodecName, changes: Partial<RemoteAudio> = {}): RemoteAudio {
  const place = { address: '127.0.0.1', port: peer.port, ptimeMs: 20, send: true, receive: true };
  return { ...place, codec, payloadType: NUMBERS[codec], ...changes };
}

/** Speaks in real time in a codec of the peer's own, `ms` per packet. */
async function speak(name: CodecName, pcm: Int16Array, ms = 20): Promise<void> {
  const codec = codecNamed(name);
  const samples = ms * 8;
  const encoder = codec.encoder(samples);
  codecs.push(encoder);
  const start = monotonicNow();
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    const bytes = new Uint8Array(1275);
    const payload = bytes.slice(0, encoder.encode(pcm, at, samples, bytes, 0));
    peer.send({ sequence: peer.sequence++, timestamp: peer.timestamp, payloadType: NUMBERS[name], payload });
    peer.timestamp += samples * (codec.clockRate / 8000);
    const wait = start + (at + samples) / 8 - monotonicNow();
    if (wait > 0) await later(wait);
  }
}

/** What the peer heard of the packets it got under a payload number. */
function heard(name: CodecName): Int16Array {
  const decoder = codecNamed(name).decoder();
  codecs.push(decoder);
  const packets = peer.received.map(({ packet }) => packet).filter((p) => p.payloadType === NUMBERS[name]);
  const out = new Int16Array(packets.length * 960);
  let at = 0;
  for (const { data, payloadOffset, payloadLength } of packets) {
    at += decoder.decode(data, payloadOffset, payloadLength, out, at);
  }
  return out.subarray(0, at);
}

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
    await later(300);
    session.connect(remote('PCMA', { accepts: [{ codec: 'opus', payloadType: NUMBERS.opus }] }));
    await speak('opus', tone(3200, 300));
    expect((await session.playout.finish(1)).playedMs).toBe(1000);
    expect(spoken()).toBeGreaterThanOrEqual(1);
    const packets = peer.received.map(({ packet }) => packet);
    const changedAt = packets.findIndex(({ payloadType }) => payloadType === NUMBERS.PCMA);
    expect(changedAt).toBeGreaterThan(5);
    expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(packets.slice(changedAt).every(({ payloadType }) => payloadType === NUMBERS.PCMA)).toBe(true);
    expect((packets[changedAt]!.sequence - packets[changedAt - 1]!.sequence) & 0xffff).toBe(1);
  });

  test('numbers may differ in the two directions', async () => {
    session.connect(remote('opus', { payloadType: 120, accepts: [{ codec: 'opus', payloadType: NUMBERS.opus }] }));
    await speak('opus', Int16Array.from([...new Int16Array(1600), ...tone(3200, 300)]));
    expect(spoken()).toBeGreaterThanOrEqual(1);
    expect(new Set(peer.received.map(({ packet }) => packet.payloadType))).toEqual(new Set([120]));
  });
});
