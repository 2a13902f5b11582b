import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RecordingEncoder } from '../../src/call/recording/recording-encoder.ts';
import { companionsOf, Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import { parseRange } from '../../src/http/byte-range.ts';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { peaksPath } from '../../src/media/recording/peaks.ts';
import { newSeal, sealWhole } from '../../src/media/recording/sealed-file.ts';
import { bearer, liveSession, recordingRow, session, startServer, stereoWav, type TestServer } from './fixtures.ts';

let it: TestServer;
beforeEach(async () => {
  it = await startServer();
});
afterEach(() => it.close());

const wav = stereoWav(6);

async function recorded(path = 'recordings/one.wav', bytes: Buffer = wav): Promise<string> {
  const call = session();
  it.archive.session(call);
  it.archive.addRecording(recordingRow(call.sessionId, path, bytes.length));
  await mkdir(dirname(join(it.dataDir, path)), { recursive: true });
  await writeFile(join(it.dataDir, path), bytes);
  return call.sessionId;
}

const fetchRecording = (id: string, headers: Record<string, string> = {}, more = '') =>
  fetch(`${it.url}/api/v1/calls/${id}/recording${more}`, { headers: { ...bearer, ...headers } });

describe('a recording', () => {
  test('comes whole, as WAV, with a validator', async () => {
    const id = await recorded();
    const response = await fetchRecording(id);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('audio/wav');
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(Buffer.from(await response.arrayBuffer()).equals(wav)).toBe(true);
    const etag = response.headers.get('etag')!;
    expect((await fetchRecording(id, { 'if-none-match': etag })).status).toBe(304);
    const saved = await fetchRecording(id, {}, '?download=true');
    expect(saved.headers.get('content-disposition')).toBe(`attachment; filename="call-${id}.wav"`);
    await saved.arrayBuffer();
  });

  test('comes in parts', async () => {
    const id = await recorded();
    for (const [range, start, end] of [
      ['bytes=0-99', 0, 100],
      ['bytes=1000-', 1000, wav.length],
      ['bytes=-44', wav.length - 44, wav.length],
      [`bytes=10-${wav.length * 2}`, 10, wav.length],
    ] as const) {
      const response = await fetchRecording(id, { range });
      expect(response.status, range).toBe(206);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${wav.length}`);
      expect(response.headers.get('content-length')).toBe(String(end - start));
      expect(Buffer.from(await response.arrayBuffer()).equals(wav.subarray(start, end))).toBe(true);
    }
  });

  test('a part beyond its end is a 416 that tells the size; an outdated If-Range gets the whole', async () => {
    const id = await recorded();
    const beyond = await fetchRecording(id, { range: `bytes=${wav.length}-` });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${wav.length}`);
    expect(beyond.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const outdated = await fetchRecording(id, { range: 'bytes=0-9', 'if-range': '"older"' });
    expect(outdated.status).toBe(200);
    expect((await outdated.arrayBuffer()).byteLength).toBe(wav.length);
  });

  test('HEAD tells its size and sends nothing', async () => {
    const id = await recorded();
    const response = await fetch(`${it.url}/api/v1/calls/${id}/recording`, { method: 'HEAD', headers: bearer });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(wav.length));
  });

  test('of a live call is a 409, of a call without one a 404', async () => {
    const live = liveSession();
    it.registry.update(live);
    expect((await fetchRecording(live.sessionId)).status).toBe(409);
    const silent = session();
    it.archive.session(silent);
    expect((await fetchRecording(silent.sessionId)).status).toBe(404);
  });

  test('has a waveform per channel', async () => {
    const id = await recorded('recordings/drawn.wav');
    const peaks = await (await fetchRecording(id, {}, '/peaks?buckets=60')).json();
    expect(peaks.durationMs).toBe(6000);
    expect(peaks.channels).toHaveLength(2);
    const [caller, bot] = peaks.channels as [number[], number[]];
    expect(caller).toHaveLength(60);
    // The bot speaks in the first three seconds, the caller in the next three.
    expect(Math.max(...bot.slice(0, 29))).toBeGreaterThan(0.1);
    expect(Math.max(...caller.slice(0, 29))).toBe(0);
    expect(Math.max(...caller.slice(31))).toBeGreaterThan(0.1);
    expect(Math.max(...bot.slice(31))).toBe(0);
    // From then on it lies beside the recording.
    const kept = peaksPath(join(it.dataDir, 'recordings/drawn.wav'));
    expect(JSON.parse(await readFile(kept, 'utf8')).channels[0]).toHaveLength(300);
    await writeFile(kept, JSON.stringify({ ...peaks, durationMs: 6001 }));
    expect((await (await fetchRecording(id, {}, '/peaks?buckets=30')).json()).durationMs).toBe(6001);
    const other = await recorded('recordings/other.wav', Buffer.from('not a wav at all, but long enough'));
    expect((await fetchRecording(other, {}, '/peaks')).status).toBe(422);
  });
});

describe('a recording that is sealed', () => {
  const ring = new KeyRing([{ id: 'k1', key: new Uint8Array(32).fill(7) }]);
  const pcm = wav.subarray(44);

  async function seal(id: string): Promise<{ sessionId: string; file: string }> {
    const path = `recordings/${id}.wav.sealed`;
    const sessionId = await recorded(path, sealWhole(newSeal(ring, 'pcm', 32_000), pcm));
    it.archive.addRecording(recordingRow(sessionId, path, wav.length));
    return { sessionId, file: join(it.dataDir, path) };
  }
  async function withKeys(): Promise<void> {
    await it.close();
    it = await startServer({ recordingKeys: ring });
  }

  test('is served in the clear, whole and in any part', async () => {
    await withKeys();
    const { sessionId } = await seal('parts');
    const whole = await fetchRecording(sessionId);
    expect(whole.headers.get('content-type')).toBe('audio/wav');
    expect(Buffer.from(await whole.arrayBuffer()).equals(wav)).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.nat(wav.length - 1), fc.nat(wav.length - 1), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const part = await fetchRecording(sessionId, { range: `bytes=${start}-${end}` });
        expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end}/${wav.length}`);
        expect(Buffer.from(await part.arrayBuffer()).equals(wav.subarray(start, end + 1))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('becomes Opus behind the call: the record says so, the page plays it, the WAV is gone', async () => {
    await withKeys();
    const { sessionId, file } = await seal('becomes-opus');
    const drawn = await (await fetchRecording(sessionId, {}, '/peaks?buckets=60')).json();
    expect(drawn).toMatchObject({ durationMs: 6000, sampleRate: 8000 });
    expect(Math.max(...drawn.channels[1].slice(0, 29))).toBeGreaterThan(0.1);
    expect(Math.max(...drawn.channels[0].slice(0, 29))).toBe(0);
    const encoder = await RecordingEncoder.start(ring, silentLogger);
    const options = { dataDir: it.dataDir, keys: ring, delaySeconds: 6, log: silentLogger, encoder };
    const recordings = new Recordings(options);
    const row = (await it.archive.recording(sessionId))!;
    try {
      await recordings.finished(row.path, async (encoded) => {
        // Until the record says it, the WAV is what is served.
        expect((await fetchRecording(sessionId)).headers.get('content-type')).toBe('audio/wav');
        it.archive.addRecording({ ...row, ...encoded });
      });
      expect(existsSync(file)).toBe(false);
      const response = await fetchRecording(sessionId);
      expect(response.headers.get('content-type')).toBe('audio/ogg');
      expect(response.headers.get('content-disposition')).toContain(`call-${sessionId}.ogg`);
      const ogg = Buffer.from(await response.arrayBuffer());
      expect([ogg.toString('latin1', 0, 4), ogg.length]).toEqual([
        'OggS',
        (await it.archive.recording(sessionId))!.bytes,
      ]);
      expect(ogg.length).toBeLessThan(wav.length / 8);
      const part = await fetchRecording(sessionId, { range: 'bytes=100-4999' });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer()).equals(ogg.subarray(100, 5000))).toBe(true);
      // Its waveform lies beside it, sealed as well: of Opus nobody could compute it.
      expect(await (await fetchRecording(sessionId, {}, '/peaks?buckets=60')).json()).toEqual(drawn);
      const stored = await readFile(peaksPath(file.replace('.wav', '.ogg')));
      expect(stored.subarray(0, 8).toString()).toBe('SVCSEAL1');
      expect(stored.includes('channels')).toBe(false);
      // What deletes a recording knows all that lies beside it.
      const opus = file.replace('.wav', '.ogg');
      const beside = companionsOf(opus);
      const there = (await readdir(dirname(file))).filter((name) => name.startsWith('becomes-opus'));
      expect(there.sort()).toEqual([basename(opus), basename(peaksPath(opus))].sort());
      expect(beside).toEqual(expect.arrayContaining([peaksPath(opus), file]));
    } finally {
      await encoder.close();
    }
  });

  test('stays WAV when it cannot be encoded, and, for the next start, when the connector stops before its turn', async () => {
    await withKeys();
    const encoder = await RecordingEncoder.start(ring, silentLogger);
    const options = { dataDir: it.dataDir, keys: ring, delaySeconds: 6, log: silentLogger, encoder };
    const recordings = new Recordings(options);
    const told = async () => expect.fail('it was not encoded');
    const { file } = await seal('no-room');
    // Something is in the way of the file.
    await mkdir(join(it.dataDir, 'recordings/no-room.ogg.sealed.part'));
    await recordings.finished('recordings/no-room.wav.sealed', told);
    expect(existsSync(file)).toBe(true);
    const folder = join(it.dataDir, 'recordings');
    const { sessionId } = await seal('waiting');
    // Two minutes long: the connector stops in the middle of it.
    const long = Buffer.concat(Array.from({ length: 20 }, () => pcm));
    const halfDone = await recorded('recordings/half-done.wav.sealed', sealWhole(newSeal(ring, 'pcm', 32_000), long));
    const both = ['half-done', 'waiting'].map((name) => recordings.finished(`recordings/${name}.wav.sealed`, told));
    await expect.poll(() => existsSync(join(folder, 'half-done.ogg.sealed.part'))).toBe(true);
    await encoder.close();
    await Promise.all(both);
    for (const id of [sessionId, halfDone]) {
      expect((await fetchRecording(id)).headers.get('content-type')).toBe('audio/wav');
    }
    const left = (await readdir(folder)).filter((name) => /^(waiting|half-done)/.test(name));
    expect(left.sort()).toEqual([
      'half-done.ogg.sealed.part',
      'half-done.wav.sealed',
      'waiting.ogg.sealed.part',
      'waiting.wav.sealed',
    ]);
  });

  test('is not served when it was cut or changed, nor without its key, and says why', async () => {
    await withKeys();
    const { sessionId, file } = await seal('damaged');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, 256 + 2 * 32_028));
    const cut = await fetchRecording(sessionId);
    expect([cut.status, await cut.text()]).toEqual([500, expect.stringContaining('cut off')]);
    await writeFile(file, Buffer.concat([Buffer.alloc(300), bytes.subarray(300)]));
    const changed = await fetchRecording(sessionId);
    expect([changed.status, await changed.text()]).toEqual([500, expect.stringContaining('damaged')]);
    await writeFile(file, bytes);
    expect((await fetchRecording(sessionId)).status).toBe(200);
    await it.close();
    it = await startServer();
    const { sessionId: locked } = await seal('locked');
    const keyless = await fetchRecording(locked);
    expect([keyless.status, await keyless.text()]).toEqual([500, expect.stringContaining('RECORDING_KEY')]);
  });
});

describe('a file outside the data folder', () => {
  test('is not served, whatever the archive says', async () => {
    const outside = `${it.dataDir}-outside.wav`;
    const name = basename(outside);
    await mkdir(join(it.dataDir, 'recordings'), { recursive: true });
    await writeFile(outside, wav);
    try {
      await symlink(outside, join(it.dataDir, 'recordings', 'link.wav'));
      const paths = [
        `../${name}`,
        `recordings/../../${name}`,
        outside,
        'recordings/link.wav',
        'recordings',
        '',
        'a\0b',
      ];
      for (const path of paths) {
        const call = session();
        it.archive.session(call);
        it.archive.addRecording(recordingRow(call.sessionId, path, 10));
        const response = await fetchRecording(call.sessionId);
        expect(response.status, path).toBe(404);
        expect(await response.text()).not.toContain(name);
      }
    } finally {
      await rm(outside);
    }
  });
});

describe('Range headers', () => {
  test('any header gives a range inside the file, or none', () => {
    const part = fc.oneof(fc.constant(''), fc.nat(2000).map(String));
    const header = fc.oneof(
      fc.tuple(part, part).map(([a, b]) => `bytes=${a}-${b}`),
      fc.string(),
      fc.string().map((rest) => `bytes=${rest}`),
    );
    fc.assert(
      fc.property(header, fc.nat(1000), (text, size) => {
        const range = parseRange(text, size);
        if (typeof range === 'string') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThanOrEqual(range.start);
        expect(range.end).toBeLessThan(size);
      }),
    );
  });

  test.each([
    ['bytes=0-1,4-5', 'whole'],
    ['items=0-1', 'whole'],
    ['bytes=5-2', 'whole'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=100-', 'unsatisfiable'],
  ] as const)('%s is %s', (header, expected) => {
    expect(parseRange(header, 100)).toBe(expected);
  });
});
