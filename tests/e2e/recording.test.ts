import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OFFER, UdpPeer } from '../sip/support.ts';
import { type Connector, startConnector } from '../support/connector.ts';

const BOTS = `
bots:
  - name: open
  - name: unrecorded
    recording: { mode: off }
  - name: asking
    recording: { mode: after-consent, announcement: "This call is recorded. Press nine if you mind." }
`;
const NUMBERS = ['unrecorded', 'asking', 'open']
  .map((name, i) => `  - { number: "${i + 1}00", bot: ${name} }`)
  .join('\n');
const TRUNKS = 'trunks:\n  - { name: anybody, from: [any] }\n';

let connector: Connector;
let config: string;
let peer: UdpPeer;
beforeAll(async () => {
  config = await mkdtemp(join(tmpdir(), 'recording-config-'));
  await writeFile(join(config, 'bots.yaml'), BOTS);
  await writeFile(join(config, 'numbers.yaml'), `numbers:\n${NUMBERS}\n`);
  await writeFile(join(config, 'trunks.yaml'), TRUNKS);
  connector = await startConnector({
    SIP_CONFIG: config,
    RECORDING_KEY: 'k1=env:THE_KEY',
    THE_KEY: Buffer.alloc(32, 5).toString('base64'),
    RECORDING_DELAY_SECONDS: '1',
    RECORDING_FORMAT: 'opus',
  });
});
afterAll(async () => {
  await connector.stop();
  await rm(config, { recursive: true });
});
afterEach(() => peer.close());

interface Detail {
  live: boolean;
  recording: { url: string; durationMs: number } | null;
  events: { type: string; data?: { digit?: string } }[];
}

async function call(
  number: string,
  during: (sessionId: string, press: (key: string) => Promise<void>) => Promise<void>,
) {
  peer = await UdpPeer.open(connector.sipPort);
  const uri = `sip:${number}@127.0.0.1`;
  const callId = `recording-${number}-${peer.port}`;
  peer.say('INVITE', uri, { callId, body: OFFER });
  const { toTag } = await peer.response(200, 'INVITE');
  peer.say('ACK', uri, { callId, toTag });
  const idOf = async () => {
    type Page = { calls: { sessionId: string; sipCallId: string }[] };
    const { calls } = await connector.api<Page>('/api/v1/calls?limit=50');
    return calls.find((one) => one.sipCallId === callId)?.sessionId;
  };
  await expect.poll(idOf).toBeDefined();
  const sessionId = (await idOf())!;
  let cseq = 2;
  const press = async (key: string) => {
    peer.say('INFO', uri, {
      callId,
      toTag,
      cseq: cseq++,
      contentType: 'application/dtmf-relay',
      body: `Signal=${key}\r\n`,
    });
    await peer.response(200, 'INFO');
  };
  await sleep(1500);
  await during(sessionId, press);
  await sleep(1500);
  peer.say('BYE', uri, { callId, toTag, cseq });
  await peer.response(200, 'BYE');
  const read = () => connector.api<Detail>(`/api/v1/calls/${sessionId}`);
  await expect.poll(async () => (await read()).events.some(({ type }) => type === 'media-report')).toBe(true);
  await expect.poll(async () => (await read()).live).toBe(false);
  const detail = await read();
  return { ...detail, sessionId, types: detail.events.map(({ type }) => type) };
}

const post = (path: string) => connector.send('POST', `/api/v1/calls/${path}`);

async function filesOf(sessionId: string): Promise<string[]> {
  const folder = join(connector.dataDir, 'recordings');
  if (!existsSync(folder)) return [];
  return (await readdir(folder, { recursive: true })).filter((name) => name.includes(sessionId));
}

/** Loudest sample of the bot's channel in each half second. */
function loudness(wav: Buffer): number[] {
  const levels: number[] = [];
  for (let at = 44; at + 4 <= wav.length; at += 4) {
    const half = Math.floor((at - 44) / 16_000);
    levels[half] = Math.max(levels[half] ?? 0, Math.abs(wav.readInt16LE(at + 2)));
  }
  return levels;
}

/** As the reference decoder plays it: 16-bit stereo at 8 kHz. */
async function played(ogg: Buffer): Promise<Buffer> {
  const file = join(config, 'heard.ogg');
  await writeFile(file, ogg);
  await promisify(execFile)('opusdec', ['--quiet', '--no-dither', '--rate', '8000', file, `${file}.wav`]);
  return readFile(`${file}.wav`);
}

describe('a recording, by a bank that seals it and keeps it as Opus', () => {
  it('is noise on disk, heard through the API, and silent for as long as it was paused; what was keyed then stands nowhere', async () => {
    const { sessionId, types, events } = await call('300', async (id, press) => {
      expect((await post(`${id}/recording/pause`)).status).toBe(200);
      for (const key of '47') await press(key);
      await sleep(1500);
      expect((await post(`${id}/recording/resume`)).status).toBe(200);
      await press('8');
    });
    const keyed = events.flatMap(({ type, data }) => (type === 'dtmf' ? [data?.digit] : []));
    expect(keyed).toEqual(['hidden', 'hidden', '8']);
    const ladder = await (await connector.send('GET', `/api/v1/calls/${sessionId}/sip`)).text();
    expect(ladder).toContain('INFO sip:');
    expect(ladder).not.toMatch(/Signal=[478]/);
    expect(types).toEqual(expect.arrayContaining(['recording-paused', 'recording-resumed']));
    expect((await post(`${sessionId}/recording/pause`)).status).toBe(409);
    // Opus and its waveform are there, the WAV is gone.
    await expect
      .poll(async () => (await filesOf(sessionId)).map((name) => name.slice(name.indexOf('.'))).sort())
      .toEqual(['.ogg.peaks.sealed', '.ogg.sealed']);
    const file = (await filesOf(sessionId)).find((name) => name.endsWith('.ogg.sealed'));
    const sealed = await readFile(join(connector.dataDir, 'recordings', file!));
    expect(sealed.includes('OggS')).toBe(false);
    const response = await connector.send('GET', `/api/v1/calls/${sessionId}/recording`);
    expect(response.headers.get('content-type')).toBe('audio/ogg');
    const levels = loudness(await played(Buffer.from(await response.arrayBuffer())));
    // The greeting is in its beginning.
    expect(Math.max(...levels.slice(0, 4))).toBeGreaterThan(1000);
    expect(levels.some((level) => level < 10)).toBe(true);
  });

  it('is not made by a bot that records nothing', async () => {
    const { sessionId, recording, types } = await call('100', async (id) => {
      expect((await post(`${id}/recording/pause`)).status).toBe(409);
    });
    expect([recording, await filesOf(sessionId)]).toEqual([null, []]);
    expect(types).toContain('recording-off');
  });

  it('is thrown away when the caller, asked, presses the key; that stands in the record', async () => {
    const { sessionId, recording, types } = await call('200', (_, press) => press('9'));
    expect(types).toContain('recording-declined');
    expect([recording, await filesOf(sessionId)]).toEqual([null, []]);
  });

  it('of a caller who was asked and never answered is not kept either', async () => {
    const { sessionId, recording, types } = await call('200', async () => undefined);
    expect(types).not.toContain('recording-consented');
    expect([recording, await filesOf(sessionId)]).toEqual([null, []]);
  });

  it('begins when the caller, asked, goes on', async () => {
    const { recording, types } = await call('200', (_, press) => press('5'));
    expect(types).toContain('recording-consented');
    expect(recording).not.toBeNull();
  });
});
