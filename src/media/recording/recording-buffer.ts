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
/** Memory of calls that are over, for those to come: fresh pages cost the kernel more than all the rest of a set-up. */
const MOST_SPARE = 64;
const spare: SharedArrayBuffer[] = [];

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
  /** Frame by frame, of each the left side and then the right: so taking a frame is mere copying. */
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
    const bytes = HEAD_BYTES + values * (form === 'linear' ? 2 : 1);
    const at = spare.findIndex(({ byteLength }) => byteLength === bytes);
    const shared = at < 0 ? new SharedArrayBuffer(bytes) : spare.splice(at, 1)[0]!;
    new Float64Array(shared)[3] = form === 'linear' ? 0 : 1;
    return shared;
  }

  /** Nobody in any thread will look at this memory any more. What was in it is gone at once. */
  static recycle(shared: SharedArrayBuffer): void {
    if (spare.length >= MOST_SPARE) return;
    const used = new RecordingBuffer(shared);
    // Not more than was written: what nobody has touched is no memory yet.
    used.#values.fill(0, 0, Math.min(used.#values.length, used.frames * FRAME_VALUES));
    used.#facts.fill(0);
    spare.push(shared);
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
    const at = this.#place(this.frames);
    this.#write(left, at);
    this.#write(right, at + FRAME_SAMPLES);
    this.#facts[0]!++;
  }

  /** Silences the left channel of the frames [from, to) that are still here. */
  silence(from: number, to: number): void {
    const first = Math.max(Math.floor(from), this.oldestFrame, this.secondsOnDisk * FRAMES_PER_SECOND);
    for (let frame = first; frame < Math.min(Math.ceil(to), this.frames); frame++) {
      this.#write(undefined, this.#place(frame));
    }
  }

  get oldestFrame(): number {
    return Math.max(0, this.frames - this.seconds * FRAMES_PER_SECOND);
  }

  /** Copies a second into `target`, as samples of both sides in turn; false when it is gone, or not there yet. */
  copySecond(second: number, target: Int16Array): boolean {
    const first = second * FRAMES_PER_SECOND;
    if (first < this.oldestFrame || first >= this.frames) return false;
    const at = this.#place(first);
    const pairs = new Int32Array(target.buffer, target.byteOffset, SECOND_VALUES / CHANNELS);
    for (let frame = 0; frame < FRAMES_PER_SECOND; frame++) {
      const from = at + frame * FRAME_VALUES;
      if (this.#companded) expand(this.#values, from, pairs, frame * FRAME_SAMPLES);
      else interleave(this.#values, from, pairs, frame * FRAME_SAMPLES);
    }
    return true;
  }

  /** Where a frame stands. */
  #place(frame: number): number {
    // As an integer, whose remainder costs a tenth of that of a float: a year's frames and more.
    return ((frame | 0) % (this.seconds * FRAMES_PER_SECOND)) * FRAME_VALUES;
  }

  /** One side of one frame. */
  #write(pcm: Pcm | undefined, at: number): void {
    const values = this.#values;
    if (pcm === undefined) for (let i = 0; i < FRAME_SAMPLES; i++) values[at + i] = this.#silence;
    else if (this.#companded) compress(pcm, values, at);
    else for (let i = 0; i < FRAME_SAMPLES; i++) values[at + i] = pcm[i]!;
  }
}

// The tables and lengths as constants of functions of their own: these run for every sample of every call.

function compress(pcm: Pcm, values: Int16Array | Uint8Array, at: number): void {
  const { fromLinear } = PCMU;
  for (let i = 0; i < FRAME_SAMPLES; i++) values[at + i] = fromLinear[pcm[i]! & 0xffff]!;
}

/** Both samples of a moment at once, the left one in the lower half: as WAV has them in memory of little-endian machines. */
function expand(values: Int16Array | Uint8Array, at: number, target: Int32Array, to: number): void {
  const { toLinear } = PCMU;
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    target[to + i] = (toLinear[values[at + i]!]! & 0xffff) | (toLinear[values[at + FRAME_SAMPLES + i]!]! << 16);
  }
}

function interleave(values: Int16Array | Uint8Array, at: number, target: Int32Array, to: number): void {
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    target[to + i] = (values[at + i]! & 0xffff) | (values[at + FRAME_SAMPLES + i]! << 16);
  }
}
