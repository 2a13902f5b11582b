import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaEvent, RemoteAudio } from '../../src/media/ports.ts';
import { RtpPeer } from './rtp-peer.ts';
import { amplitudeOf, tone } from './support.ts';

let engine: WorkerMediaEngine;
let folder: string;
beforeAll(async () => {
  engine = await WorkerMediaEngine.start({ log: silentLogger });
  folder = await mkdtemp(join(tmpdir(), 'far-keys-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const KEY_MS = 120;
const silence = (ms: number) => new Int16Array(ms * 8);
const pair = (low: number, high: number) => {
  const [a, b] = [tone(KEY_MS * 8, low, 0.15), tone(KEY_MS * 8, high, 0.15)];
  return a.map((sample, i) => sample + b[i]!);
};
/** A word, the keys 5 and #, a word. */
const SPOKEN = Int16Array.from([
  ...tone(4000, 400, 0.2),
  ...silence(200),
  ...pair(770, 1336),
  ...silence(120),
  ...pair(941, 1477),
  ...silence(200),
  ...tone(4000, 400, 0.2),
]);
const TONES = [770, 1336, 941, 1477];

/** What is told of a caller who speaks that, and what the recording has of each tone, in its loudest 40 ms. */
async function heard(name: string, more: Partial<RemoteAudio>) {
  const peer = await RtpPeer.open();
  const events: MediaEvent[] = [];
  const onEvent = (event: MediaEvent) => void events.push(event);
  const session = await engine.open({ call: name, bindAddress: '127.0.0.1', onEvent });
  const path = join(folder, `${name}.wav`);
  try {
    session.record(path);
    peer.callTo(session.localPort);
    const place = { address: '127.0.0.1', port: peer.port, ptimeMs: 20, send: true, receive: true };
    session.connect({ ...place, codec: 'PCMU', payloadType: 0, ...more });
    await peer.speak(SPOKEN);
    await new Promise((resolve) => setTimeout(resolve, 300));
  } finally {
    await session.close();
    peer.close();
  }
  const wav = await readFile(path);
  const left = new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) / 2).filter((_, i) => i % 2 === 0);
  const loudest = (hz: number) => {
    let most = 0;
    for (let at = 0; at + 320 <= left.length; at += 80)
      most = Math.max(most, amplitudeOf(left.subarray(at, at + 320), hz));
    return most;
  };
  return { keys: events.filter(({ type }) => type === 'dtmf' || type === 'dtmf-end'), loudest };
}

test('keys that a caller without events plays as tones count, and are not in the recording', async () => {
  const { keys, loudest } = await heard('tones', {});
  expect(keys.map((key) => [key.type, 'digit' in key && key.digit, 'tone' in key && key.tone])).toEqual([
    ['dtmf', '5', true],
    ['dtmf-end', '5', true],
    ['dtmf', '#', true],
    ['dtmf-end', '#', true],
  ]);
  for (const key of keys) {
    if (key.type !== 'dtmf-end') continue;
    expect(Math.abs(key.durationMs - KEY_MS)).toBeLessThanOrEqual(40);
  }
  for (const hz of TONES) expect([hz, loudest(hz) < 0.01]).toEqual([hz, true]);
  expect(loudest(400)).toBeGreaterThan(0.15);
});

test('where events were negotiated, tones are no second key, and are not in the recording either', async () => {
  const event = { payloadType: 101, clockRate: 8000 };
  const { keys, loudest } = await heard('both', { telephoneEvents: [event], keysAs: event });
  expect(keys).toEqual([]);
  for (const hz of TONES) expect([hz, loudest(hz) < 0.01]).toEqual([hz, true]);
  expect(loudest(400)).toBeGreaterThan(0.15);
});
