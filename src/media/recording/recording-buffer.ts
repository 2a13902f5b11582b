import { FRAME_SAMPLES, type Pcm } from '../audio.ts';
import { PCMU } from '../codecs/g711.ts';

export const CHANNELS = 2;
export const FRAMES_PER_SECOND = 50;
export const SECOND_VALUES = FRAMES_PER_SECOND * FRAME_SAMPLES * CHANNELS;
export const SECOND_BYTES = SECOND_VALUES * 2;
const FRAME_VALUES = FRAME_SAMPLES * CHANNELS;
const HEAD_BYTES = 32;
/** Beyond the delay: the second that is being filled, and one that is on its way to the disk. */
const SLACK_SECONDS = 2;

/**
 * How samples wait: 16 bits each, or as octets of G.711, in half the memory. What came and goes as G.711 loses nothing by
 * that; what was made of it here (concealment, a correction of the delay, a mixture) loses what its way over the wire
 * would have cost it.
 */
export type RecordingForm = 'linear' | 'companded';

/**
 * The last seconds of a recording, between the call and the disk: what turns out to be a secret is silenced here before
 * it is written anywhere. In shared memory, so that it outlives the worker thread: another goes on where the first died.
 */
export class RecordingBuffer {
  readonly shared: SharedArrayBuffer;
  readonly seconds: number;
  /** Frames taken; seconds on disk; when the last frame was, monotonic ms; 1 where samples are companded. */
  readonly #facts: Float64Array;
  readonly #values: Int16Array | Uint8Array;
  readonly #companded: boolean;
  /** As it is kept. */
  readonly #silence: number;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#facts = new Float64Array(shared, 0, HEAD_BYTES / 8);
    this.#companded = this.#facts[3] === 1;
    this.#silence = this.#companded ? PCMU.silence : 0;
    this.#values = this.#companded ? new Uint8Array(shared, HEAD_BYTES) : new Int16Array(shared, HEAD_BYTES);
    this.seconds = this.#values.length / SECOND_VALUES;
  }

  static memory(delaySeconds: number, form: RecordingForm = 'linear'): SharedArrayBuffer {
    const values = (Math.ceil(delaySeconds) + SLACK_SECONDS) * SECOND_VALUES;
    const shared = new SharedArrayBuffer(HEAD_BYTES + values * (form === 'linear' ? 2 : 1));
    new Float64Array(shared)[3] = form === 'linear' ? 0 : 1;
    return shared;
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
    const at = (this.frames * FRAME_VALUES) % this.#values.length;
    this.#write(left, at);
    this.#write(right, at + 1);
    this.#facts[0]!++;
  }

  /** Silences the left channel of the frames [from, to) that are still here. */
  silence(from: number, to: number): void {
    const first = Math.max(Math.floor(from), this.oldestFrame, this.secondsOnDisk * FRAMES_PER_SECOND);
    for (let frame = first; frame < Math.min(Math.ceil(to), this.frames); frame++) {
      this.#write(undefined, (frame * FRAME_VALUES) % this.#values.length);
    }
  }

  get oldestFrame(): number {
    return Math.max(0, this.frames - this.seconds * FRAMES_PER_SECOND);
  }

  /** Copies a second into `target`, as samples; false when it is gone, or not there yet. */
  copySecond(second: number, target: Int16Array): boolean {
    const first = second * FRAMES_PER_SECOND;
    if (first < this.oldestFrame || first >= this.frames) return false;
    const at = (first * FRAME_VALUES) % this.#values.length;
    const values = this.#values;
    if (!this.#companded) target.set(values.subarray(at, at + SECOND_VALUES));
    else for (let i = 0; i < SECOND_VALUES; i++) target[i] = PCMU.toLinear[values[at + i]!]!;
    return true;
  }

  /** One side of one frame, from its first value on. */
  #write(pcm: Pcm | undefined, at: number): void {
    const values = this.#values;
    const silence = this.#silence;
    const end = at + FRAME_VALUES;
    if (pcm === undefined) for (let i = at; i < end; i += CHANNELS) values[i] = silence;
    else if (this.#companded) {
      for (let i = at, n = 0; i < end; i += CHANNELS) values[i] = PCMU.fromLinear[pcm[n++]! & 0xffff]!;
    } else for (let i = at, n = 0; i < end; i += CHANNELS) values[i] = pcm[n++]!;
  }
}
