import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '../core/log.ts';
import type { RecordingOptions } from '../media/ports.ts';
import type { KeyRing } from '../media/recording/key-ring.ts';
import { computePeaks, storePeaks } from '../media/recording/peaks.ts';
import { SECOND_BYTES } from '../media/recording/recording-buffer.ts';
import { recordingReader, SEALED_SUFFIX } from '../media/recording/recording-reader.ts';
import { newSeal } from '../media/recording/sealed-file.ts';
import type { SessionRecord } from './records.ts';

export interface RecordingsOptions {
  dataDir: string;
  /** Undefined: recordings are plain WAV files. */
  keys: KeyRing | undefined;
  /** How long audio waits in memory before it is written. */
  delaySeconds: number;
  log: Logger;
}

/** Where recordings are kept, and how: the folder, the keys, what is made of a recording when it is complete. */
export class Recordings {
  readonly #o: RecordingsOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: RecordingsOptions) {
    this.#o = options;
  }

  /** Relative to the data folder. */
  pathOf(session: SessionRecord): string {
    const name = `${session.sessionId}.wav${this.#o.keys === undefined ? '' : SEALED_SUFFIX}`;
    return join('recordings', session.callStartTime.toISOString().slice(0, 10), name);
  }

  /** Makes the folder. Resolves with what a media session needs to begin; each recording has a key of its own. */
  async begin(path: string): Promise<{ file: string; options: RecordingOptions }> {
    const { dataDir, keys, delaySeconds } = this.#o;
    const file = join(dataDir, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return { file, options: { delaySeconds, seal: keys && newSeal(keys, 'pcm', SECOND_BYTES) } };
  }

  /** Computes the waveform and puts it beside the recording; one at a time. What fails is made when it is asked for. */
  finished(path: string): Promise<void> {
    this.#last = this.#last.then(() => this.#keepPeaks(join(this.#o.dataDir, path)));
    return this.#last;
  }

  async #keepPeaks(file: string): Promise<void> {
    const { keys, log } = this.#o;
    try {
      const handle = await open(file, 'r');
      try {
        const peaks = await computePeaks(await recordingReader(handle, file, keys));
        if (peaks) await storePeaks(file, peaks, keys);
      } finally {
        await handle.close();
      }
    } catch (error) {
      log.warn({ err: error }, 'no waveform of a recording');
    }
  }
}
