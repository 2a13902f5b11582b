import { rm } from 'node:fs/promises';
import type { Ms } from '../../core/clock.ts';
import { FRAME_MS, type Pcm } from '../audio.ts';
import { FRAMES_PER_SECOND, RecordingBuffer, SECOND_VALUES } from './recording-buffer.ts';
import { openSink, type RecordingSink, type RecordingSpec } from './recording-sink.ts';

/** Seconds that may wait for a slow disk (0.6 MB); then the oldest is dropped and is silence in the file. */
const MAX_WAITING = 20;
/** Buffers kept for the next second, by all recorders of this thread. */
const MAX_SPARE = 32;
const SILENCE = new Int16Array(SECOND_VALUES);
const spare: Int16Array[] = [];

export interface RecordingResult {
  path: string;
  durationMs: Ms;
  /** As it is played, WAV header included. */
  bytes: number;
  /** Seconds of audio lost because the disk was too slow; they are silence in the file. */
  droppedSeconds: number;
}

/**
 * Stereo recording of a call, left the caller and right the bot. A frame first waits some seconds in the buffer, where it
 * can still be silenced, and is then handed on between ticks, a second at a time, each to its own place in the file: what
 * a slow disk forces us to drop becomes silence, and the channels stay aligned in time. A disk error is reported once
 * through `onFailure` and ends the recording, never the call.
 */
export class Recorder {
  readonly path: string;
  /** While true the caller's channel is silence. */
  masked = false;
  /** While true both are. */
  paused = false;
  droppedSeconds = 0;

  readonly #spec: RecordingSpec;
  readonly #buffer: RecordingBuffer;
  readonly #onFailure: (message: string) => void;
  readonly #waiting: { second: number; values: Int16Array }[] = [];
  /** The next second to be handed on. */
  #next: number;
  readonly #goesOn: boolean;
  /** What was silenced up to a moment to come. */
  #silentUntil = Number.NEGATIVE_INFINITY;
  #failed = false;
  #closing: Promise<RecordingResult | undefined> | undefined;
  #sink: RecordingSink | undefined;
  #writing: Promise<void> | undefined;

  /** Where the buffer holds frames already, another worker began and this one goes on. */
  constructor(spec: RecordingSpec, onFailure: (message: string) => void) {
    this.#spec = spec;
    this.path = spec.path;
    this.#buffer = new RecordingBuffer(spec.buffer);
    this.#goesOn = this.#buffer.frames > 0;
    this.#next = this.#buffer.secondsOnDisk;
    this.#onFailure = onFailure;
  }

  /**
   * One frame of both sides, taken at `at`; `undefined` is silence. Copies, and nothing else. True when it was the last of a
   * second: `handOn` is to be called when there is time.
   */
  push(caller: Pcm | undefined, bot: Pcm | undefined, at: Ms): boolean {
    if (this.#failed || this.#closing) return false;
    const hidden = this.masked || this.paused || at <= this.#silentUntil;
    this.#buffer.push(hidden ? undefined : caller, this.paused ? undefined : bot);
    this.#buffer.at = at;
    return (this.#buffer.frames | 0) % FRAMES_PER_SECOND === 0;
  }

  /** Time has passed without frames: silence on both sides. */
  skip(frames: number): void {
    for (let i = 0; i < frames; i++) {
      if (this.push(undefined, undefined, this.#buffer.at + FRAME_MS)) this.handOn();
    }
  }

  /** Silences the caller from one moment to another, as far as that is not on its way to the disk yet. */
  silence(from: Ms, to: Ms): void {
    const { at, frames } = this.#buffer;
    const frameAt = (moment: Ms) => frames - (at - moment) / FRAME_MS;
    this.#buffer.silence(frameAt(from) - 1, frameAt(to));
    this.#silentUntil = Math.max(this.#silentUntil, to);
  }

  /** Frames taken so far, with those that were there before. */
  get frames(): number {
    return this.#buffer.frames;
  }

  /** Writes what is left and the end of the file. Undefined when the recording failed. Idempotent. */
  close(): Promise<RecordingResult | undefined> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Lets go of the file for another worker, which finds in the buffer what has not waited long enough yet. Idempotent. */
  leave(): Promise<undefined> {
    const left = this.#leave();
    this.#closing ??= left;
    return left;
  }

  async #leave(): Promise<undefined> {
    // Who closes it writes its end first.
    await this.#closing;
    while (this.#writing !== undefined && !this.#failed) await this.#writing;
    if (!this.#failed) await this.#sink?.close().catch(() => undefined);
    return undefined;
  }

  /** Nothing of it is to be kept: the file goes. Idempotent; `close` then has no result. */
  discard(): Promise<void> {
    const gone = this.#leave().then(() => rm(this.path, { force: true }));
    this.#closing ??= gone.then(() => undefined);
    return gone;
  }

  /**
   * Takes whole seconds out of the buffer that have waited long enough, and has them written. When there is time: to give
   * libuv's threads something to do may mean to wait until one of them gets a processor, since they and who gives share a lock.
   */
  handOn(): void {
    const due = Math.floor(this.#buffer.frames / FRAMES_PER_SECOND) - this.#buffer.delaySeconds;
    if (this.#next >= due || this.#failed || this.#closing) return;
    for (; this.#next < due; this.#next++) {
      this.#waiting.push({ second: this.#next, values: this.#copyOf(this.#next) });
      if (this.#waiting.length > MAX_WAITING) {
        // The first may be in the middle of being written. What is dropped is written as silence when there is time.
        const dropped = this.#waiting.find(({ values }, i) => i > 0 && values !== SILENCE);
        if (dropped === undefined) continue;
        recycle(dropped.values);
        dropped.values = SILENCE;
        this.droppedSeconds++;
      }
    }
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
    this.#sink ??= await openSink(this.#spec, this.#goesOn);
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { second, values } = first;
      await this.#sink.write(second, bytesOf(values));
      this.#buffer.secondsOnDisk = second + 1;
      this.#waiting.shift();
      recycle(values);
    }
  }

  async #close(): Promise<RecordingResult | undefined> {
    while (this.#writing !== undefined && !this.#failed) await this.#writing;
    if (this.#failed) return undefined;
    const { frames } = this.#buffer;
    const left = this.#takeLeft(frames);
    const lastBytes = (frames % FRAMES_PER_SECOND) * (SECOND_VALUES / FRAMES_PER_SECOND) * 2;
    const pieces = left.map((values, i) => bytesOf(values).subarray(0, i < left.length - 1 ? undefined : lastBytes));
    try {
      this.#sink ??= await openSink(this.#spec, this.#goesOn);
      const bytes = await this.#sink.finish(this.#next, pieces);
      await this.#sink.close();
      for (const values of left) recycle(values);
      return { path: this.path, durationMs: frames * FRAME_MS, bytes, droppedSeconds: this.droppedSeconds };
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** What has not been handed on: whole seconds, and the one that has only begun. */
  #takeLeft(frames: number): Int16Array[] {
    const seconds: Int16Array[] = [];
    for (let second = this.#next; second <= Math.floor(frames / FRAMES_PER_SECOND); second++) {
      seconds.push(this.#copyOf(second));
    }
    return seconds;
  }

  /** A second of the buffer; silence when it is not there. */
  #copyOf(second: number): Int16Array {
    const values = spare.pop() ?? new Int16Array(SECOND_VALUES);
    if (!this.#buffer.copySecond(second, values)) values.set(SILENCE);
    return values;
  }

  #fail(error: unknown): void {
    this.#writing = undefined;
    if (this.#failed) return;
    this.#failed = true;
    this.#waiting.length = 0;
    void this.#sink?.close().catch(() => undefined);
    this.#onFailure(error instanceof Error ? error.message : String(error));
  }
}

function bytesOf(values: Int16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function recycle(values: Int16Array): void {
  if (values !== SILENCE && spare.length < MAX_SPARE) spare.push(values);
}

/** What was heard and said, is gone from the buffer and had not reached the disk: silence in the recording. */
export function lostMs(spec: RecordingSpec): Ms {
  const buffer = new RecordingBuffer(spec.buffer);
  return Math.max(0, (buffer.oldestFrame / FRAMES_PER_SECOND - buffer.secondsOnDisk) * 1000);
}

/** Completes a recording whose worker died and that no other goes on with. Undefined when there is nothing in it. */
export async function completeRecording(spec: RecordingSpec): Promise<RecordingResult | undefined> {
  const buffer = new RecordingBuffer(spec.buffer);
  if (buffer.frames === 0) return undefined;
  return new Recorder(spec, () => undefined).close();
}
