import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asFailure, Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { unfinishedPath } from '../../media/recording/opus-file.ts';
import { peaksPath } from '../../media/recording/peaks.ts';
import type { RecordingRecord } from '../record/records.ts';
import { type EncodedRecording, type Recordings, wavOf } from './recordings.ts';

/** The records of recordings, for one that becomes another file long after its call. */
export interface RecordingShelf {
  recording(sessionId: string): Promise<RecordingRecord | undefined>;
  /** Durable when it resolves. False: the recording is not that file any more, is being deleted, or gone. */
  recordingBecomes(recording: RecordingRecord, encoded: EncodedRecording): Promise<boolean>;
}

export interface LeftRecordingsOptions {
  dataDir: string;
  recordings: Recordings;
  shelf: RecordingShelf;
  /** When this process began: what it has marked itself is under way. */
  since: Date;
  log: Logger;
}

const SESSION = /([0-9a-f-]{36})\.ogg/;

/**
 * Recordings that were to become Opus when the last process ended: what it was about to make lies unfinished beside them.
 * They are made up for one after the other, in the encoder's thread, each behind what calls of now have brought there.
 * Resolves with how many became Opus.
 */
export async function encodeLeftRecordings(options: LeftRecordingsOptions, signal: AbortSignal): Promise<number> {
  const root = join(options.dataDir, 'recordings');
  let encoded = 0;
  for (const day of (await namesIn(root)).sort()) {
    for (const name of await namesIn(join(root, day))) {
      if (signal.aborted) return encoded;
      const wav = wavOf(name);
      const session = SESSION.exec(name)?.[1];
      if (wav === undefined || session === undefined) continue;
      try {
        if (await encodeOne(options, join('recordings', day, wav), session, join(root, day, name))) encoded++;
      } catch (error) {
        options.log.warn(
          { reason: asFailure(error).message, wav },
          'a recording that was left waits for another start',
        );
      }
    }
  }
  if (encoded > 0) options.log.info({ recordings: encoded }, 'recordings that were left have become Opus');
  return encoded;
}

async function encodeOne(
  { dataDir, recordings, shelf, since }: LeftRecordingsOptions,
  wav: string,
  session: string,
  unfinished: string,
): Promise<boolean> {
  const marked = await stat(unfinished);
  if (marked.mtime >= since) return false;
  if (!(await exists(join(dataDir, wav)))) {
    await rm(unfinished, { force: true });
    return false;
  }
  // One whose call ended while the database was away may have no row yet: the next start looks again.
  const recording = await shelf.recording(session);
  if (recording === undefined || recording.path !== wav) return false;
  let became = false;
  await recordings.finished(wav, async (encoded) => {
    became = await shelf.recordingBecomes(recording, encoded);
    if (became) return;
    // Its deletion has begun meanwhile: nothing of it may be left behind that.
    const made = join(dataDir, encoded.path);
    for (const path of [made, peaksPath(made), unfinishedPath(made)]) await rm(path, { force: true });
    throw new Failure('it is being deleted', { code: 'recording-deleted', blame: 'us' });
  });
  return became;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
