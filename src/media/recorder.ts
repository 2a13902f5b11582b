import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Ms } from '../core/clock.ts';
import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from './audio.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav.ts';

const CHANNELS = 2;
/** One write per second of audio: 32 kB. */
const BATCH_FRAMES = 50;
const BATCH_VALUES = BATCH_FRAMES * FRAME_SAMPLES * CHANNELS;
const BATCH_BYTES = BATCH_VALUES * 2;
/** Batches that may wait for the disk (0.6 MB); then the oldest is dropped and stays silence in the file. */
const MAX_WAITING = 20;
/** The header is brought up to date this often, so that the file is playable if the process dies. */
const HEADER_EVERY_BATCHES = 5;

interface Batch {
  position: number;
  values: Int16Array;
  length: number;
}

export interface RecordingResult {
  path: string;
  durationMs: Ms;
  bytes: number;
  /** Seconds of audio lost because the disk was too slow; they are silence in the file. */
  droppedBatches: number;
}

/**
 * Stereo WAV of a call, left the caller and right the bot, written off the tick in batches of a second, each at its
 * own place in the file: what a slow disk forces us to drop becomes silence, and the channels stay aligned in time.
 * A disk error is reported once through `onFailure` and ends the recording, never the call.
 */
export class Recorder {
  readonly path: string;
  /** While true the caller's channel is silence. */
  masked = false;
  droppedBatches = 0;

  readonly #onFailure: (message: string) => void;
  readonly #waiting: Batch[] = [];
  readonly #spare: Int16Array[] = [];
  #batch: Int16Array = new Int16Array(BATCH_VALUES);
  #fill = 0;
  #position: number;
  /** The file exists: another worker began it. */
  readonly #goesOn: boolean;
  #failed = false;
  #closing: Promise<RecordingResult | undefined> | undefined;
  #file: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #batchesSinceHeader = 0;

  /** `frames`: so many are in the file already, or are to be silence there. */
  constructor(path: string, onFailure: (message: string) => void, frames = 0) {
    this.path = path;
    this.#goesOn = frames > 0;
    this.#position = frames * FRAME_SAMPLES * CHANNELS;
    this.#onFailure = onFailure;
    this.#pump();
  }

  /** One frame of both sides; `undefined` is silence. Copies. */
  push(caller: Pcm | undefined, bot: Pcm | undefined): void {
    if (this.#failed || this.#closing) return;
    const batch = this.#batch;
    let at = this.#fill;
    const left = this.masked ? undefined : caller;
    if (left === undefined && bot === undefined) {
      batch.fill(0, at, at + FRAME_SAMPLES * CHANNELS);
      at += FRAME_SAMPLES * CHANNELS;
    } else {
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        batch[at++] = left === undefined ? 0 : left[i]!;
        batch[at++] = bot === undefined ? 0 : bot[i]!;
      }
    }
    this.#fill = at;
    if (at === BATCH_VALUES) this.#rotate();
  }

  /** Time has passed without frames: silence on both sides. */
  skip(frames: number): void {
    for (let i = 0; i < frames; i++) this.push(undefined, undefined);
  }

  /** Frames taken so far, with those that were there before. */
  get frames(): number {
    return (this.#position + this.#fill) / (FRAME_SAMPLES * CHANNELS);
  }

  /** Writes what is left and the final header. Undefined when the recording failed. Idempotent. */
  close(): Promise<RecordingResult | undefined> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #rotate(): void {
    this.#waiting.push({ position: this.#position, values: this.#batch, length: this.#fill });
    this.#position += this.#fill;
    this.#fill = 0;
    if (this.#waiting.length > MAX_WAITING) {
      // Index 0 may be in the middle of being written.
      const [dropped] = this.#waiting.splice(1, 1);
      this.#spare.push(dropped!.values);
      this.droppedBatches++;
    }
    this.#batch = this.#spare.pop() ?? new Int16Array(BATCH_VALUES);
    this.#pump();
  }

  #pump(): void {
    this.#writing ??= this.#drain().then(
      () => {
        this.#writing = undefined;
        if (this.#waiting.length > 0 && !this.#failed) this.#pump();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  async #drain(): Promise<void> {
    if (this.#file === undefined) {
      await mkdir(dirname(this.path), { recursive: true });
      this.#file = await open(this.path, this.#goesOn ? 'r+' : 'w', 0o600);
      if (!this.#goesOn) await this.#writeHeader(0);
    }
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      const bytes = new Uint8Array(batch.values.buffer, 0, batch.length * 2);
      await this.#file.write(bytes, 0, bytes.length, WAV_HEADER_BYTES + batch.position * 2);
      this.#waiting.shift();
      if (this.#spare.length < 2 && bytes.length === BATCH_BYTES) this.#spare.push(batch.values);
      if (++this.#batchesSinceHeader >= HEADER_EVERY_BATCHES) {
        this.#batchesSinceHeader = 0;
        await this.#writeHeader((batch.position + batch.length) * 2);
      }
    }
  }

  async #writeHeader(dataBytes: number): Promise<void> {
    const header = wavHeader(CHANNELS, dataBytes);
    await this.#file!.write(header, 0, header.length, 0);
  }

  async #close(): Promise<RecordingResult | undefined> {
    if (this.#fill > 0) this.#rotate();
    while (this.#writing !== undefined && !this.#failed) await this.#writing;
    if (this.#failed) return undefined;
    const values = this.#position;
    try {
      await this.#writeHeader(values * 2);
      await this.#file!.truncate(WAV_HEADER_BYTES + values * 2);
      await this.#file!.close();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    return {
      path: this.path,
      durationMs: (values / CHANNELS / SAMPLE_RATE) * 1000,
      bytes: WAV_HEADER_BYTES + values * 2,
      droppedBatches: this.droppedBatches,
    };
  }

  #fail(error: unknown): void {
    this.#writing = undefined;
    if (this.#failed) return;
    this.#failed = true;
    this.#waiting.length = 0;
    void this.#file?.close().catch(() => undefined);
    this.#onFailure(error instanceof Error ? error.message : String(error));
  }
}
