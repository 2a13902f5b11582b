import { type Ms, monotonicNow } from '../../../src/core/clock.ts';
import type { HeardPacket } from './ear.ts';

const PER_MS = 8;
/** Received audio is laid out by its timestamps; when arrival says otherwise by more than this, arrival wins. */
const RESYNC_MS = 200;

/** What both sides said, on one time line: left the caller as sent, right the bot as it arrived. 8 kHz. */
export class Tape {
  readonly #startedAt: Ms = monotonicNow();
  #left = new Int16Array(8000 * 30);
  #right = new Int16Array(8000 * 30);
  #length = 0;
  #nextLeft: number | undefined;
  #anchor: { ssrc: number; timestamp: number; position: number } | undefined;

  sent(pcm: Int16Array, at: Ms): void {
    const arrival = Math.round((at - this.#startedAt) * PER_MS);
    const drift = this.#nextLeft === undefined ? Number.POSITIVE_INFINITY : Math.abs(this.#nextLeft - arrival);
    const position = drift > RESYNC_MS * PER_MS ? arrival : this.#nextLeft!;
    this.#left = this.#put(this.#left, pcm, position);
    this.#nextLeft = position + pcm.length;
  }

  heard(pcm: Int16Array, packet: HeardPacket): void {
    const arrival = Math.round((packet.at - this.#startedAt) * PER_MS);
    const anchor = this.#anchor;
    let position = arrival;
    if (anchor && anchor.ssrc === packet.ssrc) {
      const byTimestamp = anchor.position + ((packet.timestamp - anchor.timestamp) | 0);
      if (Math.abs(byTimestamp - arrival) <= RESYNC_MS * PER_MS) position = byTimestamp;
    }
    if (position === arrival) this.#anchor = { ssrc: packet.ssrc, timestamp: packet.timestamp, position };
    this.#right = this.#put(this.#right, pcm, position);
  }

  /** The right side alone. */
  received(): Int16Array {
    const pcm = new Int16Array(this.#length);
    pcm.set(this.#right.subarray(0, this.#length));
    return pcm;
  }

  /** Interleaved, left first. */
  stereo(): Int16Array {
    const mixed = new Int16Array(this.#length * 2);
    for (let i = 0; i < this.#length; i++) {
      mixed[2 * i] = this.#left[i] ?? 0;
      mixed[2 * i + 1] = this.#right[i] ?? 0;
    }
    return mixed;
  }

  #put(track: Int16Array<ArrayBuffer>, pcm: Int16Array, position: number): Int16Array<ArrayBuffer> {
    if (position < 0) return track;
    let target = track;
    if (position + pcm.length > track.length) {
      target = new Int16Array(Math.max(track.length * 2, position + pcm.length));
      target.set(track);
    }
    target.set(pcm, position);
    this.#length = Math.max(this.#length, position + pcm.length);
    return target;
  }
}
