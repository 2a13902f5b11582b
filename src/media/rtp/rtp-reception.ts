import type { Ms } from '../../core/clock.ts';
import { SAMPLE_RATE } from '../audio.ts';
import { int32s } from '../call-memory.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** Forward jumps up to this are loss, larger ones a restart of the sender (RFC 3550 appendix A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
/** A stream that still flows is not replaced by another from the same address: that one is injected. */
const QUIET_BEFORE_RESTART_MS = 100;
/** Sequence numbers remembered to tell a duplicate from a late packet. A power of two. */
const HISTORY = 256;

export type Reception = 'fresh' | 'duplicate' | 'refused';

/**
 * What one RTP source has sent: extended sequence numbers, loss and interarrival jitter (RFC 3550 appendices A.1, A.3,
 * A.8). A new SSRC or a wild jump in sequence is believed at the second packet in a row, when the stream before has
 * fallen silent, so neither a stray packet nor an injected stream tears it down; `epoch` then counts up and everything
 * queued of the stream before is void.
 */
export class RtpReception {
  /** Counts restarts of the stream: a new SSRC, or a jump in sequence that cannot be loss. */
  epoch = 0;
  /** Extended (unwrapped) sequence number of the last fresh packet; grows by 65,536 per wrap. */
  extended = -1;
  received = 0;
  duplicated = 0;
  /** RFC 3550 A.8, ms. */
  jitterMs = 0;

  #ssrc = -1;
  #highest = -1;
  #base = 0;
  #receivedInEpoch = 0;
  #lostBefore = 0;
  #probationSsrc = -1;
  #probationSequence = -1;
  #lastAt: Ms = 0;
  #transit = 0;
  #hasTransit = false;
  readonly #seen = int32s(HISTORY).fill(-1);

  get ssrc(): number {
    return this.#ssrc;
  }

  /** Packets that never came, over all epochs; never negative. */
  get lost(): number {
    return this.#lostBefore + this.#lostInEpoch();
  }

  /** The stream since its last restart, as receiver reports count it (RFC 3550 appendix A.3). */
  get stream(): { highest: number; expected: number; arrived: number } {
    if (this.#highest < 0) return { highest: 0, expected: 0, arrived: 0 };
    return {
      // Without the cycle that #restart adds.
      highest: this.#highest - 0x10000,
      expected: this.#highest - this.#base + 1,
      arrived: this.#receivedInEpoch,
    };
  }

  /** `audio: false`: packets of one telephone event share a timestamp, which is no jitter. */
  update(packet: RtpPacket, now: Ms, audio = true): Reception {
    if (this.#highest < 0) {
      this.#restart(packet);
    } else if (packet.ssrc !== this.#ssrc) {
      if (!this.#confirmed(packet, now)) return 'refused';
      this.#restart(packet);
    } else {
      const delta = (packet.sequence - (this.#highest & 0xffff)) & 0xffff;
      if (delta < MAX_DROPOUT) {
        this.extended = this.#highest + delta;
        this.#highest = this.extended;
      } else if (delta > 0x10000 - MAX_MISORDER) {
        this.extended = this.#highest + delta - 0x10000;
      } else {
        if (!this.#confirmed(packet, now)) return 'refused';
        this.#restart(packet);
      }
    }
    this.#probationSequence = -1;
    this.#lastAt = now;
    const slot = this.extended & (HISTORY - 1);
    if (this.#seen[slot] === this.extended) {
      this.duplicated++;
      return 'duplicate';
    }
    this.#seen[slot] = this.extended;
    if (this.extended < this.#base) this.#base = this.extended;
    this.received++;
    this.#receivedInEpoch++;
    if (audio) this.#updateJitter(packet, now);
    return 'fresh';
  }

  #confirmed(packet: RtpPacket, now: Ms): boolean {
    const second = packet.ssrc === this.#probationSsrc && packet.sequence === this.#probationSequence;
    if (second && now - this.#lastAt >= QUIET_BEFORE_RESTART_MS) return true;
    this.#probationSsrc = packet.ssrc;
    this.#probationSequence = (packet.sequence + 1) & 0xffff;
    return false;
  }

  #restart(packet: RtpPacket): void {
    this.#lostBefore += this.#lostInEpoch();
    this.#receivedInEpoch = 0;
    if (this.#highest >= 0) this.epoch++;
    this.#ssrc = packet.ssrc;
    // One cycle up, so that packets reordered around the first one keep a positive extended number.
    this.#highest = 0x10000 + packet.sequence;
    this.#base = this.#highest;
    this.extended = this.#highest;
    this.#seen.fill(-1);
    this.#hasTransit = false;
  }

  #lostInEpoch(): number {
    if (this.#highest < 0) return 0;
    return Math.max(0, this.#highest - this.#base + 1 - this.#receivedInEpoch);
  }

  #updateJitter(packet: RtpPacket, now: Ms): void {
    const arrival = (now * SAMPLE_RATE) / 1000;
    const transit = arrival - packet.time;
    // A wrap of the 32-bit timestamp or a jump by the sender shows as a huge difference: it is no jitter.
    const difference = Math.abs(transit - this.#transit);
    if (this.#hasTransit && difference < SAMPLE_RATE) {
      this.jitterMs += ((difference * 1000) / SAMPLE_RATE - this.jitterMs) / 16;
    }
    this.#transit = transit;
    this.#hasTransit = true;
  }
}
