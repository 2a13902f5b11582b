import type { Ms } from '../../core/clock.ts';
import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import type { AudioDecoder } from '../codecs/codec.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { Concealment, HEARD_BEFORE } from './concealment.ts';

/** Audio that may wait for a tick: a burst after an outage. The oldest goes. 200 ms. */
const CAPACITY = 10 * FRAME_SAMPLES;
/** A hole up to this is bridged; a longer one is a pause of the sender's. */
const MAX_HOLE = CAPACITY / 2;
/** Behind what was heard before: room for all that may wait, and for some frames before all of it moves to the front. */
const BUFFER = HEARD_BEFORE + CAPACITY + 154;
/** A packet this old belongs to another timeline. */
const MAX_LATE = SAMPLE_RATE;
/** New packets that go on coming behind the timeline this long are right, and the timeline is wrong. */
const BEHIND_MS = 80;
/** Without packets for this long the caller is silent. */
const SILENT_AFTER_MS = 60;
/** The shortest way through the network is forgotten by this much per packet: half a millisecond per second. */
const DRIFT_MS = 0.01;
const perMs = SAMPLE_RATE / 1000;
/** No packet has come. */
const NONE = -1;
/** Of all calls of this thread: given out for one call of a function. */
const given = new Int16Array(FRAME_SAMPLES);

/**
 * One frame, spoken from `at` on, read during the call only; `position` counts samples on the caller's timeline; not
 * `begun`: nothing has come yet.
 */
export type HearFrame = (frame: Pcm, at: Ms, position: number, begun: boolean) => void;

/**
 * The caller's audio as soon as it arrives, without the jitter buffer's delay of 20 to 60 ms: for those who must notice
 * speech at once and can bear a hole (VAD, echo guard), not for those who must understand it. Packets in order of
 * their timestamps; what comes behind its successors is dropped, holes are concealed. Pure: time is an argument.
 */
export class EarlyEar {
  /** What waits, from #read to #end, and before it what was heard. */
  readonly #audio = int16s(BUFFER);
  #read = HEARD_BEFORE;
  #end = HEARD_BEFORE;
  readonly #concealment = new Concealment();
  #ssrc = NONE;
  /** Timestamp expected next. */
  #next = 0;
  /** Position of the first sample that waits. */
  #position = 0;
  /** Time of position 0, for packets that travel fastest. */
  #base = Number.POSITIVE_INFINITY;
  /** When the frame given out last was spoken. */
  #at: Ms = Number.NEGATIVE_INFINITY;
  #lastPacketAt: Ms = Number.NEGATIVE_INFINITY;
  #lastSequence = 0;
  /** Since when new packets have come behind the timeline. */
  #behindSince: Ms | undefined;

  /** A packet of audio that arrived at `now`; at most 120 ms long. */
  push(packet: RtpPacket, decoder: AudioDecoder, now: Ms): void {
    const length = packet.samples;
    if (length > CAPACITY) return;
    const hole = (packet.time - this.#next) | 0;
    if (packet.ssrc !== this.#ssrc || hole > MAX_HOLE || hole < -MAX_LATE) this.#resync(packet, now);
    else if (hole < 0) {
      if (!this.#staysBehind(packet, now)) return;
      this.#resync(packet, now);
    } else if (hole > 0) this.#fillHole(packet, decoder, this.#room(hole), hole);
    const at = this.#room(length);
    const decoded = decoder.decode(packet.data, packet.payloadOffset, packet.payloadLength, this.#audio, at);
    if (decoded === length) this.#concealment.good(this.#audio, at, length);
    else this.#concealment.conceal(this.#audio, at, length);
    this.#next = (packet.time + length) >>> 0;
    this.#lastSequence = packet.sequence;
    this.#behindSince = undefined;
    this.#lastPacketAt = now;
    this.#base = Math.min(this.#base + DRIFT_MS, now - (this.#position + this.#end - this.#read) / perMs);
  }

  #fillHole({ data, payloadOffset, payloadLength }: RtpPacket, decoder: AudioDecoder, at: number, hole: number): void {
    const said = decoder.recover?.(data, payloadOffset, payloadLength, this.#audio, at, hole) ?? false;
    if (said) this.#concealment.good(this.#audio, at, hole);
    else this.#concealment.conceal(this.#audio, at, hole);
  }

  /** Once per tick: a caller from whom nothing comes is silent. */
  pass(now: Ms): void {
    if (now - this.#lastPacketAt <= SILENT_AFTER_MS) return;
    if (this.#base === Number.POSITIVE_INFINITY) this.#base = now - FRAME_SAMPLES / perMs;
    this.#forget();
    const at = this.#room(FRAME_SAMPLES);
    this.#audio.fill(0, at, at + FRAME_SAMPLES);
    this.#next = (this.#next + FRAME_SAMPLES) >>> 0;
  }

  /** Gives all frames that are complete. */
  drain(hear: HearFrame): void {
    const audio = this.#audio;
    while (this.#end - this.#read >= FRAME_SAMPLES) {
      const from = this.#read;
      for (let i = 0; i < FRAME_SAMPLES; i++) given[i] = audio[from + i]!;
      const position = this.#position;
      this.#drop(FRAME_SAMPLES);
      // A packet faster than all before moves the timeline back; what was told already stays told.
      this.#at = Math.max(this.#at, this.#base + position / perMs);
      hear(given, this.#at, position, this.#ssrc !== NONE);
    }
  }

  /**
   * Silence was put where nothing came, and now something comes for that time. After an outage of the network it comes
   * in a burst, and what follows is on time again. A sender that stood still, or whose timestamps did while it was
   * silent (a file played from its start, a call that was parked), stays behind for good: it is followed.
   */
  #staysBehind(packet: RtpPacket, now: Ms): boolean {
    if (((packet.sequence - this.#lastSequence) & 0xffff) >= 0x8000) return false;
    this.#behindSince ??= now;
    return now - this.#behindSince >= BEHIND_MS;
  }

  /** Makes room for so many samples, which are to be written there. */
  #room(length: number): number {
    this.#drop(this.#end - this.#read + length - CAPACITY);
    if (this.#end + length > BUFFER) {
      const from = this.#read - HEARD_BEFORE;
      this.#audio.copyWithin(0, from, this.#end);
      this.#read -= from;
      this.#end -= from;
    }
    const at = this.#end;
    this.#end += length;
    return at;
  }

  #drop(samples: number): void {
    if (samples <= 0) return;
    this.#read += samples;
    this.#position += samples;
  }

  /** Nothing of what was heard has to do with what follows. */
  #forget(): void {
    if (this.#concealment.silent()) this.#audio.fill(0, 0, this.#read);
  }

  /** Another stream, or the same one after a pause: goes on where the clock stands. */
  #resync(packet: RtpPacket, now: Ms): void {
    this.#drop(this.#end - this.#read);
    this.#forget();
    this.#ssrc = packet.ssrc;
    if (this.#base === Number.POSITIVE_INFINITY) return;
    const begins = Math.round((now - this.#base) * perMs) - packet.samples;
    this.#position = Math.max(this.#position, begins);
  }
}
