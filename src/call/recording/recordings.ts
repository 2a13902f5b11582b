import { open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Pcm } from '../../media/audio.ts';
import type { RecordingOptions } from '../../media/ports.ts';
import type { KeyRing } from '../../media/recording/key-ring.ts';
import { unfinishedPath } from '../../media/recording/opus-file.ts';
import { peaksPath } from '../../media/recording/peaks.ts';
import { type RecordingSide, recordedSpeech } from '../../media/recording/recorded-speech.ts';
import { SECOND_BYTES } from '../../media/recording/recording-buffer.ts';
import { recordingReader, SEALED_SUFFIX } from '../../media/recording/recording-reader.ts';
import { newSeal } from '../../media/recording/sealed-file.ts';
import { WAV_HEADER_BYTES } from '../../media/wav.ts';
import type { RecordingRecord, SessionRecord } from '../record/records.ts';
import type { RecordingEncoder } from './recording-encoder.ts';

export interface RecordingsOptions {
  dataDir: string;
  /** Undefined: recordings are plain WAV files. */
  keys: KeyRing | undefined;
  /** How long audio waits in memory before it is written. */
  delaySeconds: number;
  log: Logger;
  /** Undefined: recordings stay WAV. */
  encoder?: RecordingEncoder | undefined;
}

/** What a recording has become. */
export type EncodedRecording = Pick<RecordingRecord, 'path' | 'format' | 'bytes'>;

const WAV = /\.wav(?=\.sealed$|$)/;
const UNFINISHED = unfinishedPath('');
const OGG = /\.ogg(?=\.sealed$|$)/;

/**
 * What may lie beside a recording and goes when it goes: its waveform, what a crash left of writing that, and, where the
 * crash came between its two forms, the other form of it.
 */
export function companionsOf(path: string): string[] {
  const other = WAV.test(path) ? path.replace(WAV, '.ogg') : path.replace(OGG, '.wav');
  const beside = [path, other].flatMap((form) => [
    peaksPath(form),
    unfinishedPath(peaksPath(form)),
    unfinishedPath(form),
  ]);
  return other === path ? beside : [other, ...beside];
}

/** The WAV recording that an unfinished Opus file was to be made of; undefined: it is no such file. */
export function wavOf(unfinished: string): string | undefined {
  const target = unfinished.slice(0, -UNFINISHED.length);
  return unfinished === unfinishedPath(target) && OGG.test(target) ? target.replace(OGG, '.wav') : undefined;
}

/** What a recording's place depends on. */
export type RecordedCall = Pick<SessionRecord, 'sessionId' | 'callStartTime'>;

function pathOf({ sessionId, callStartTime }: RecordedCall, sealed: boolean): string {
  return join('recordings', callStartTime.toISOString().slice(0, 10), `${sessionId}.wav${sealed ? SEALED_SUFFIX : ''}`);
}

/** The recording of a call as far as it got, where it had no time to end or broke off; undefined without one. */
export async function findRecording(
  { dataDir, keys, log }: Pick<RecordingsOptions, 'dataDir' | 'keys' | 'log'>,
  call: RecordedCall,
): Promise<RecordingRecord | undefined> {
  for (const sealed of [true, false]) {
    const path = pathOf(call, sealed);
    const handle = await open(join(dataDir, path), 'r').catch(() => undefined);
    if (handle === undefined) continue;
    try {
      const { size } = await recordingReader(handle, path, keys);
      const seconds = Math.max(0, size - WAV_HEADER_BYTES) / SECOND_BYTES;
      return {
        // One per call: looking again finds the same.
        recordingId: call.sessionId,
        sessionId: call.sessionId,
        path,
        format: 'wav',
        channels: 2,
        durationMs: Math.round(seconds * 1000),
        bytes: size,
        createdAt: call.callStartTime,
      };
    } catch (error) {
      log.warn({ err: error, path }, 'a recording that was not completed cannot be read');
    } finally {
      await handle.close();
    }
  }
  return undefined;
}

/** Where recordings are kept, and how: the folder, the keys, what is made of a recording when it is complete. */
export class Recordings {
  readonly #o: RecordingsOptions;

  constructor(options: RecordingsOptions) {
    this.#o = options;
  }

  /** Relative to the data folder. */
  pathOf(call: RecordedCall): string {
    return pathOf(call, this.#o.keys !== undefined);
  }

  /** What a media session needs to begin; each recording has a key of its own. */
  begin(path: string): { file: string; options: RecordingOptions } {
    const { dataDir, keys, delaySeconds } = this.#o;
    const seal = keys && newSeal(keys, 'pcm', SECOND_BYTES);
    return { file: join(dataDir, path), options: { delaySeconds, seal } };
  }

  /**
   * What there is of a recording that broke off, because the disk was full or gone: nothing that was recorded is to lie
   * about without a record, which is what it is found by, and deleted by in time. A file with nothing in it goes.
   */
  async brokenOff(call: RecordedCall): Promise<RecordingRecord | undefined> {
    const { dataDir, log } = this.#o;
    const file = join(dataDir, this.pathOf(call));
    const empty = await stat(file).then(
      ({ size }) => size <= WAV_HEADER_BYTES,
      () => false,
    );
    if (!empty) return findRecording(this.#o, call);
    await rm(file, { force: true }).catch((error: unknown) => log.warn({ err: error }, 'an empty recording stays'));
    return undefined;
  }

  /** As recordedSpeech, of one that is complete. */
  speech({ path }: RecordingRecord, side: RecordingSide, span: readonly [from: Ms, to: Ms]): Promise<Pcm> {
    const { dataDir, keys } = this.#o;
    return recordedSpeech(join(dataDir, path), keys, side, span);
  }

  /**
   * A complete recording becomes Opus, where that is wanted, with its waveform beside it: `encoded` says so in the record,
   * durably, and the WAV goes. One that cannot be encoded stays WAV, whose waveform is made when it is asked for; one that
   * the end of the process finds waiting is found by the next (encodeLeftRecordings).
   */
  async finished(path: string, encoded: (recording: EncodedRecording) => Promise<void>): Promise<void> {
    if (this.#o.encoder === undefined) return;
    await this.#mark(path);
    await this.#encode(path, this.#o.encoder, encoded);
  }

  /** An unfinished Opus file says that there is to be one, also to the next start. */
  async #mark(path: string): Promise<void> {
    const unfinished = unfinishedPath(join(this.#o.dataDir, path.replace(WAV, '.ogg')));
    await writeFile(unfinished, '', { mode: 0o600, flag: 'a' }).catch((error: unknown) => {
      this.#o.log.warn({ err: error, path }, 'that a recording is to become Opus cannot be noted');
    });
  }

  async #encode(
    path: string,
    encoder: RecordingEncoder,
    encoded: (recording: EncodedRecording) => Promise<void>,
  ): Promise<void> {
    const { dataDir, log } = this.#o;
    const target = path.replace(WAV, '.ogg');
    const [from, to] = [join(dataDir, path), join(dataDir, target)];
    try {
      const bytes = await encoder.encode(from, to);
      await encoded({ path: target, format: 'ogg', bytes });
      await rm(from);
      // Recordings of earlier versions had one as WAV.
      await rm(peaksPath(from), { force: true });
    } catch (error) {
      log.warn({ err: error, path }, 'a recording stays WAV');
    }
  }
}
