import { FRAME_SAMPLES, type Pcm } from '../audio.ts';

export const CHANNELS = 2;
export const FRAMES_PER_SECOND = 50;
export const SECOND_VALUES = FRAMES_PER_SECOND * FRAME_SAMPLES * CHANNELS;
export const SECOND_BYTES = SECOND_VALUES * 2;
const FRAME_VALUES = FRAME_SAMPLES * CHANNELS;
const HEAD_BYTES = 32;
/** Beyond the delay: the second that is being filled, and one that is on its way to the disk. */
const SLACK_SECONDS = 2;

/**
 * The last seconds of a recording, between the call and the disk: what turns out to be a secret is silenced here before
 * it is written anywhere. In shared memory, so that it outlives the worker thread: another goes on where the first died.
 */
export class RecordingBuffer {
  readonly shared: SharedArrayBuffer;
  readonly seconds: number;
  /** Frames taken; seconds on disk; when the last frame was, monotonic ms. */
  readonly #facts: Float64Array;
  readonly #values: Int16Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#facts = new Float64Array(shared, 0, HEAD_BYTES / 8);
    this.#values = new Int16Array(shared, HEAD_BYTES);
    this.seconds = this.#values.length / SECOND_VALUES;
  }

  static memory(delaySeconds: number): SharedArrayBuffer {
    return new SharedArrayBuffer(HEAD_BYTES + (Math.ceil(delaySeconds) + SLACK_SECONDS) * SECOND_BYTES);
  }

  /** How long a frame waits here. */
  get delaySeconds(): number {
    return this.seconds - SLACK_SECONDS;
  }

  get frames(): number {
    return this.#facts[0]!;
  }

  get secondsOnDisk(): number {
    return this.#facts[1]!;
  }

  set secondsOnDisk(seconds: number) {
    this.#facts[1] = seconds;
  }

  /** When the last frame was taken; 0 before the first. */
  get at(): number {
    return this.#facts[2]!;
  }

  set at(at: number) {
    this.#facts[2] = at;
  }

  push(left: Pcm | undefined, right: Pcm | undefined): void {
    const values = this.#values;
    let at = (this.frames * FRAME_VALUES) % values.length;
    if (left === undefined && right === undefined) values.fill(0, at, at + FRAME_VALUES);
    else {
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        values[at++] = left === undefined ? 0 : left[i]!;
        values[at++] = right === undefined ? 0 : right[i]!;
      }
    }
    this.#facts[0]!++;
  }

  /** Silences the left channel of the frames [from, to) that are still here. */
  silence(from: number, to: number): void {
    const first = Math.max(Math.floor(from), this.oldestFrame, this.secondsOnDisk * FRAMES_PER_SECOND);
    for (let frame = first; frame < Math.min(Math.ceil(to), this.frames); frame++) {
      const at = (frame * FRAME_VALUES) % this.#values.length;
      for (let i = at; i < at + FRAME_VALUES; i += CHANNELS) this.#values[i] = 0;
    }
  }

  get oldestFrame(): number {
    return Math.max(0, this.frames - this.seconds * FRAMES_PER_SECOND);
  }

  /** Copies a second into `target`; false when it is gone, or not there yet. */
  copySecond(second: number, target: Int16Array): boolean {
    const first = second * FRAMES_PER_SECOND;
    if (first < this.oldestFrame || first >= this.frames) return false;
    const at = (first * FRAME_VALUES) % this.#values.length;
    target.set(this.#values.subarray(at, at + SECOND_VALUES));
    return true;
  }
}
