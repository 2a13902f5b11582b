import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CallRecording } from '../../src/call/recording/call-recording.ts';
import { Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { MediaSession, RecordingOptions } from '../../src/media/ports.ts';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { openSink } from '../../src/media/recording/recording-sink.ts';
import { scribing } from './scribing.ts';

const SECOND = new Uint8Array(32_000).fill(1);

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'broken-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** A call of whose recording so many seconds came to the disk before that was full. */
async function broken(seconds: number, keys?: KeyRing) {
  const { scribe, journal, kept } = scribing();
  const recordings = new Recordings({ dataDir, keys, delaySeconds: 0, log: silentLogger });
  const recording = new CallRecording({ manner: undefined, recordings, scribe, journal });
  let begun: { file: string; options: RecordingOptions } | undefined;
  const record = (file: string, options: RecordingOptions) => {
    begun = { file, options };
  };
  recording.begin({ record } as Partial<MediaSession> as MediaSession);
  const { file, options } = begun!;
  const sink = await openSink({ path: file, seal: options.seal, buffer: new SharedArrayBuffer(0) }, false);
  for (let second = 0; second < seconds; second++) await sink.write(second, SECOND);
  await sink.close();
  const rows = () => kept.flatMap((entry) => (entry.kind === 'recording' ? [entry.row] : []));
  return { recording, folder: dirname(file), rows };
}

it.each([
  ['in the clear', undefined],
  ['sealed', () => new KeyRing([{ id: 'k', key: new Uint8Array(32).fill(7) }])],
] as const)(
  'a recording (%s) that a full disk broke off has its record, so that it is found, and deleted in time',
  async (_how, keys) => {
    const { recording, rows } = await broken(3, keys?.());
    await recording.finished(undefined);
    expect(rows()).toMatchObject([{ format: 'wav', durationMs: 3000, path: expect.stringMatching(/^recordings/) }]);
  },
);

it('one of which nothing came to the disk leaves no file behind and no record', async () => {
  const { recording, folder, rows } = await broken(0);
  await recording.finished(undefined);
  expect(rows()).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});
