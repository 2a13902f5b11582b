import type { MessagePort } from 'node:worker_threads';
import type { Ms } from '../../core/clock.ts';
import { type Pcm, SAMPLE_RATE } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import type { ListenMessage } from '../ports.ts';

/** Audio before the first voiced window that the recogniser gets too. */
const PRE_ROLL_MS = 300;
/** A segment that nobody ends goes on this long after speech. */
const TRAILING_MS = 3000;
/** Pre-roll, what the VAD took to be sure, and a slow inference. A multiple of one frame. */
const RING_SAMPLES = (SAMPLE_RATE * 800) / 1000;
const perMs = SAMPLE_RATE / 1000;

/** The end of a MessagePort that takes ListenMessages. */
export type SegmentPort = Pick<MessagePort, 'postMessage' | 'close'>;

/**
 * The caller's speech on its way to the recogniser. A segment opens when speech starts, with pre-roll, goes on through
 * pauses, and ends at `end()` or 3 s after speech; two segments never share a sample.
 */
export class SegmentFeed {
  /** Number of the segment that is open, or of the last one; 0 before the first. */
  segment = 0;
  open = false;
  readonly #ring = int16s(RING_SAMPLES);
  /** Samples ever taken; the ring's write position is this modulo its size. */
  #taken = 0;
  /** Position up to which audio was posted. */
  #posted = 0;
  /** When the sample at #taken is spoken. */
  #headAt: Ms = 0;
  #speechEndedAt: Ms | undefined;
  #port: SegmentPort | undefined;

  /** Where segments go from now on; a segment that is open starts over there with what the ring still holds. */
  listen(port: SegmentPort): void {
    this.#port?.close();
    this.#port = port;
    if (!this.open) return;
    const from = Math.max(0, this.#taken - RING_SAMPLES);
    this.#post({ type: 'segment-start', segment: this.segment, at: this.#timeOf(from) });
    this.#postFrom(from);
  }

  /** One frame whose first sample was spoken at `at`. */
  push(frame: Pcm, at: Ms): void {
    this.#ring.set(frame, this.#taken % RING_SAMPLES);
    this.#taken += frame.length;
    this.#headAt = at + frame.length / perMs;
    if (!this.open) return;
    if (this.#speechEndedAt !== undefined && this.#headAt - this.#speechEndedAt >= TRAILING_MS) {
      this.end();
      return;
    }
    this.#posted = this.#taken;
    // A copy: postMessage of a view would send the whole buffer under it.
    this.#post({ type: 'audio', segment: this.segment, at, pcm: frame.slice() });
  }

  /** Speech has started at `at`. Opens a segment, or goes on with the open one. Returns its number. */
  speechStart(at: Ms): number {
    const pauses = this.#speechEndedAt !== undefined;
    this.#speechEndedAt = undefined;
    if (this.open) {
      if (pauses) this.#post({ type: 'resume', segment: this.segment, at });
      return this.segment;
    }
    this.open = true;
    this.segment++;
    const wanted = this.#taken - Math.round((this.#headAt - at + PRE_ROLL_MS) * perMs);
    const from = Math.max(wanted, this.#posted, this.#taken - RING_SAMPLES, 0);
    this.#post({ type: 'segment-start', segment: this.segment, at: this.#timeOf(from) });
    this.#postFrom(from);
    return this.segment;
  }

  speechEnd(at: Ms): void {
    if (!this.open) return;
    this.#speechEndedAt = at;
    this.#post({ type: 'pause', segment: this.segment, at });
  }

  /** Nothing has been spoken since `at`: speech may have ended there. */
  speechLull(at: Ms): void {
    if (this.open) this.#post({ type: 'lull', segment: this.segment, at });
  }

  /** Ends the open segment, if there is one. */
  end(): void {
    if (!this.open) return;
    this.open = false;
    this.#speechEndedAt = undefined;
    this.#post({ type: 'segment-end', segment: this.segment, at: this.#headAt });
  }

  close(): void {
    this.end();
    this.#port?.close();
    this.#port = undefined;
  }

  #timeOf(position: number): Ms {
    return this.#headAt - (this.#taken - position) / perMs;
  }

  #postFrom(from: number): void {
    this.#posted = this.#taken;
    const length = this.#taken - from;
    if (length <= 0) return;
    const pcm = new Int16Array(length);
    const start = from % RING_SAMPLES;
    const first = Math.min(length, RING_SAMPLES - start);
    pcm.set(this.#ring.subarray(start, start + first));
    pcm.set(this.#ring.subarray(0, length - first), first);
    this.#post({ type: 'audio', segment: this.segment, at: this.#timeOf(from), pcm });
  }

  #post(message: ListenMessage): void {
    this.#port?.postMessage(message);
  }
}
