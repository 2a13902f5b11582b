import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RecordingRecord } from '../../src/call/record/records.ts';
import { encodeLeftRecordings, type RecordingShelf } from '../../src/call/recording/left-recordings.ts';
import { RecordingEncoder } from '../../src/call/recording/recording-encoder.ts';
import { companionsOf, Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { unfinishedPath } from '../../src/media/recording/opus-file.ts';
import { readRecording } from '../../src/media/recording/recording-reader.ts';
import { newSeal, sealWhole } from '../../src/media/recording/sealed-file.ts';

const RING = new KeyRing([{ id: 'k1', key: new Uint8Array(32).fill(7) }]);
const DAY = '2026-11-26';
let dataDir: string;
/** The record, as far as it matters here; `deleting`: what retention has begun to delete. */
const rows = new Map<string, RecordingRecord>();
const deleting = new Set<string>();
const shelf: RecordingShelf = {
  recording: async (sessionId) => rows.get(sessionId),
  recordingBecomes: async (row, encoded) => {
    if (deleting.has(row.sessionId)) return false;
    rows.set(row.sessionId, { ...row, ...encoded });
    return true;
  },
};

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'left-'));
  await mkdir(join(dataDir, 'recordings', DAY), { recursive: true });
});
afterAll(() => rm(dataDir, { recursive: true }));

/** A sealed recording of three seconds, with its row. */
async function recorded(): Promise<RecordingRecord> {
  const sessionId = randomUUID();
  const path = `recordings/${DAY}/${sessionId}.wav.sealed`;
  const pcm = Buffer.alloc(3 * 32_000);
  for (let at = 0; at < pcm.length; at += 2) pcm.writeInt16LE(Math.round(3000 * Math.sin(at / 20)), at);
  await writeFile(join(dataDir, path), sealWhole(newSeal(RING, 'pcm', 32_000), pcm));
  const row: RecordingRecord = {
    recordingId: sessionId,
    sessionId,
    path,
    format: 'wav',
    channels: 2,
    durationMs: 3000,
    bytes: 44 + pcm.length,
    createdAt: new Date(),
  };
  rows.set(sessionId, row);
  return row;
}

async function start() {
  const encoder = await RecordingEncoder.start(RING, silentLogger);
  const recordings = new Recordings({ dataDir, keys: RING, delaySeconds: 6, log: silentLogger, encoder });
  return { encoder, recordings };
}

const filesOf = async ({ sessionId }: RecordingRecord) =>
  (await readdir(join(dataDir, 'recordings', DAY)))
    .filter((name) => name.startsWith(sessionId))
    .map((name) => name.slice(sessionId.length))
    .sort();

const LEFT = ['.ogg.sealed.part', '.wav.sealed'];

describe('recordings that the end of a process found waiting to become Opus', () => {
  test('become Opus at the next start, sealed as ever; what is being deleted stays gone', async () => {
    const stopped = await start();
    const all = await Promise.all([recorded(), recorded(), recorded()]);
    const [kept, condemned, lost] = all as [RecordingRecord, RecordingRecord, RecordingRecord];
    await stopped.encoder.close();
    const told = async () => expect.fail('nothing encodes any more');
    for (const row of all) await stopped.recordings.finished(row.path, told);
    for (const row of all) expect(await filesOf(row)).toEqual(LEFT);
    // Retention has them meanwhile: of one it is about to remove the files, of another it has done so, but for a mark.
    deleting.add(condemned.sessionId);
    await rm(join(dataDir, lost.path));

    const next = await start();
    try {
      const since = new Date(Date.now() + 1000);
      const options = { dataDir, recordings: next.recordings, shelf, since, log: silentLogger };
      expect(await encodeLeftRecordings(options, new AbortController().signal)).toBe(1);
      expect(await filesOf(kept)).toEqual(['.ogg.peaks.sealed', '.ogg.sealed']);
      const row = rows.get(kept.sessionId)!;
      expect(row).toMatchObject({ format: 'ogg', path: kept.path.replace('.wav', '.ogg') });
      const ogg = await readRecording(join(dataDir, row.path), RING);
      expect([ogg.toString('latin1', 0, 4), ogg.length]).toEqual(['OggS', row.bytes]);
      // The WAV is retention's to remove, and nothing lies there that it does not know of.
      const left = await filesOf(condemned);
      expect(left).toContain('.wav.sealed');
      const known = companionsOf(condemned.path).map((path) => path.slice(path.indexOf(condemned.sessionId) + 36));
      for (const name of left.filter((one) => one !== '.wav.sealed')) expect(known).toContain(name);
      expect(left.filter((name) => name.startsWith('.ogg'))).toEqual([]);
      expect(await filesOf(lost)).toEqual([]);
      expect(await encodeLeftRecordings(options, new AbortController().signal)).toBe(0);
    } finally {
      await next.encoder.close();
    }
  });

  test('are not those that this process is about to make itself, nor those without a row yet', async () => {
    const { encoder, recordings } = await start();
    try {
      const [own, rowless] = [await recorded(), await recorded()];
      rows.delete(rowless.sessionId);
      for (const { path } of [own, rowless]) {
        await writeFile(unfinishedPath(join(dataDir, path.replace('.wav', '.ogg'))), '');
      }
      const options = { dataDir, recordings, shelf, log: silentLogger };
      const signal = new AbortController().signal;
      expect(await encodeLeftRecordings({ ...options, since: new Date(Date.now() - 60_000) }, signal)).toBe(0);
      expect(await filesOf(own)).toEqual(['.ogg.sealed.part', '.wav.sealed']);
      expect(await encodeLeftRecordings({ ...options, since: new Date(Date.now() + 1000) }, signal)).toBe(1);
      expect(await filesOf(rowless)).toEqual(['.ogg.sealed.part', '.wav.sealed']);
    } finally {
      await encoder.close();
    }
  });
});
