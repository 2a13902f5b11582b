import type { Ms } from '../../core/clock.ts';
import { SAMPLE_RATE } from '../audio.ts';
import { float64s } from '../call-memory.ts';
import { LossBursts } from '../rtp/loss-bursts.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { RtpReception } from '../rtp/rtp-reception.ts';
import { DelayEstimator } from './delay-estimator.ts';

/** The target delay stays within this and `maxTargetMs`. */
const MIN_TARGET_MS: Ms = 20;
/** Target until jitter has been measured. */
const INITIAL_TARGET_MS: Ms = 40;
/** Packets the ring can hold: 640 ms even at 10 ms per packet. A power of two. */
const CAPACITY = 64;
/** How long an empty buffer is bridged by concealment before the peer counts as silent. */
const MAX_BRIDGE_MS = 60;
/** A pause in the sender's timeline (silence suppression) up to this is waited out, a longer one jumped. */
const MAX_PAUSE_MS = 500;
const ADJUST_EVERY_MS = 200;
/** Beyond this excess delay is shortened even in the middle of speech. */
const LOUD_EXCESS_MS = 80;

const perMs = SAMPLE_RATE / 1000;

/**
 * Puts packets back in order and plays them at a steady pace with a small adaptive delay. Pure: time is an argument.
 *
 * - In order, each at most once; a hole whose time has come is 'lost'; an empty buffer is bridged as 'lost' for 60 ms
 *   (what then arrives is still played), after that the peer is silent: `undefined`.
 * - The first packet after silence is held for the target delay less its own lateness, so the delay is corrected at
 *   every talk spurt; in between one packet is dropped or one pause put in while the caller is quiet.
 * - Bounded: more than `maxHeldMs` drops the oldest; a jump past the ring, a new SSRC or a restarted sequence resyncs.
 */
export class JitterBuffer {
  readonly reception = new RtpReception();
  /** What was not played, lost or late or too much, as it lay in the sequence. */
  readonly bursts = new LossBursts();
  /** Came after its turn had passed. */
  late = 0;
  /** Dropped to get rid of excess delay. */
  discarded = 0;
  /** Delay of a packet that comes on time, ms: what the buffer adds to voice-to-voice. */
  delayMs = 0;
  /** Behind a 'lost' that is a hole in the sequence: the audio packet that follows at once, if it is there. */
  behindHole: RtpPacket | undefined;
  /** Duration of the packets being played. */
  packetMs: Ms = 20;
  /** The longest delay aimed for. */
  readonly maxTargetMs: Ms = 60;
  /** More audio than this waiting is a burst after an outage: the oldest goes. */
  readonly maxHeldMs: Ms = 200;

  readonly #delays = new DelayEstimator();
  readonly #slots: (RtpPacket | undefined)[] = new Array(CAPACITY).fill(undefined);
  readonly #filler = new Uint8Array(CAPACITY);
  readonly #onTime = float64s(CAPACITY);
  /** Audio packets waiting. */
  #count = 0;
  /** Fillers waiting. */
  #fillers = 0;
  /** Extended sequence to play next; -1 before the first packet. */
  #next = -1;
  #highest = -1;
  /** While not playing: the last sequence number whose turn has come. */
  #played = -1;
  #epoch = 0;
  #playing = false;
  #startAt: Ms = 0;
  #bridgedMs: Ms = 0;
  #expected = 0;
  #hasExpected = false;
  #resumeAt: Ms = -1;
  #adjustedAt: Ms = Number.NEGATIVE_INFINITY;

  /** The delay aimed for, ms. */
  get targetMs(): Ms {
    if (this.reception.received < 10) return INITIAL_TARGET_MS;
    return Math.min(this.maxTargetMs, Math.max(MIN_TARGET_MS, this.#delays.quantileMs));
  }

  /** Audio packets waiting now. */
  get size(): number {
    return this.#count;
  }

  /**
   * Takes one packet that arrived at `now`. `audio: false` (telephone-event, comfort noise) only keeps its place in
   * the sequence, so that it is not taken for a loss. False when it is a duplicate, too late or not believed yet, and is
   * not kept.
   */
  push(packet: RtpPacket, now: Ms, audio = packet.samples > 0): boolean {
    const { reception } = this;
    if (reception.update(packet, now, audio) !== 'fresh') return false;
    if (reception.epoch !== this.#epoch) {
      this.#epoch = reception.epoch;
      this.#flush();
      this.#delays.reset();
    }
    const sequence = reception.extended;
    const lateness = audio ? this.#delays.update(packet.time, now) : 0;
    if (this.#next < 0) {
      this.#next = sequence;
      this.#highest = sequence;
    } else if (sequence < this.#next) {
      // While the first packets are still held, an earlier one that was overtaken may take the lead.
      if (this.#playing || sequence <= this.#played || this.#highest - sequence >= CAPACITY) {
        this.late++;
        return false;
      }
      this.#next = sequence;
    }
    if (sequence - this.#next >= CAPACITY) {
      const played = this.#playing ? this.#next - 1 : this.#played;
      // What waited is counted by the flush; the rest never came.
      this.bursts.lost(sequence - this.#next - this.#count - this.#fillers);
      this.#flush();
      this.#played = played;
      this.#next = sequence;
      this.#highest = sequence;
    }
    if (sequence > this.#highest) this.#highest = sequence;
    const slot = sequence & (CAPACITY - 1);
    this.#slots[slot] = packet;
    this.#onTime[slot] = now - lateness;
    this.#filler[slot] = audio ? 0 : 1;
    if (!audio) {
      this.#fillers++;
      return true;
    }
    if (this.#count++ === 0 && !this.#playing) {
      this.#startAt = now + Math.max(0, this.targetMs - lateness);
    }
    this.packetMs = packet.samples / perMs;
    this.#boundHeld();
    return true;
  }

  /**
   * The next packet due at `now`, 'lost' when it is to be concealed, undefined when the peer is silent. Call it once
   * per packet duration. `quiet`: nothing is being said, so the delay may be corrected by one packet unheard.
   */
  pull(now: Ms, quiet = false): RtpPacket | 'lost' | undefined {
    this.behindHole = undefined;
    if (!this.#playing) {
      if (this.#count === 0) {
        this.#dropFillers();
        return undefined;
      }
      if (now < this.#startAt) return undefined;
      this.#playing = true;
      this.#bridgedMs = 0;
      this.#skipHoles();
      this.#hasExpected = false;
    }
    if (this.#count === 0) return this.#bridge();
    if (this.#fillers > 0) this.#passFillers();
    let slot = this.#next & (CAPACITY - 1);
    let packet = this.#slots[slot];
    if (packet === undefined) {
      this.bursts.lost();
      this.#next++;
      slot = this.#next & (CAPACITY - 1);
      if (this.#filler[slot] === 0) this.behindHole = this.#slots[slot];
      this.#expected = (this.#expected + this.packetMs * perMs) >>> 0;
      return 'lost';
    }
    if (this.#pausing(packet, now)) return undefined;
    this.delayMs = Math.max(0, now - this.#onTime[slot]!);
    if (now - this.#adjustedAt >= ADJUST_EVERY_MS) {
      const excess = this.delayMs - this.targetMs;
      if (this.#count > 1 && excess > this.packetMs + 5 && (quiet || excess > LOUD_EXCESS_MS)) {
        this.#adjustedAt = now;
        this.#discard(slot);
        this.#skipHoles();
        slot = this.#next & (CAPACITY - 1);
        packet = this.#slots[slot]!;
        this.delayMs = Math.max(0, now - this.#onTime[slot]!);
      } else if (quiet && excess < -this.packetMs) {
        this.#adjustedAt = now;
        return 'lost';
      }
    }
    this.#take(slot);
    this.bursts.received();
    this.#bridgedMs = 0;
    this.#resumeAt = -1;
    this.#hasExpected = true;
    this.#expected = (packet.time + packet.samples) >>> 0;
    return packet;
  }

  #bridge(): 'lost' | undefined {
    // A telephone event or comfort noise behind the last audio says that silence is meant.
    const meant = this.#fillers > 0;
    this.#dropFillers();
    if (meant || this.#bridgedMs >= MAX_BRIDGE_MS) {
      this.#playing = false;
      this.#played = this.#next - 1;
      return undefined;
    }
    this.#bridgedMs += this.packetMs;
    return 'lost';
  }

  /** Has the sender left a pause before this packet that has not passed yet? */
  #pausing(packet: RtpPacket, now: Ms): boolean {
    if (!this.#hasExpected) return false;
    if (this.#resumeAt < 0) {
      const ahead = (packet.time - this.#expected) | 0;
      const owed = ahead / perMs - this.#bridgedMs;
      if (owed < 1 || owed > MAX_PAUSE_MS) return false;
      this.#resumeAt = now + owed;
    }
    return now < this.#resumeAt - 1;
  }

  #take(slot: number): void {
    this.#slots[slot] = undefined;
    this.#count--;
    this.#next++;
  }

  #discard(slot: number): void {
    this.#take(slot);
    this.bursts.lost();
    this.discarded++;
  }

  /** Moves on to the first audio packet that is there; holes before it belong to the past. */
  #skipHoles(): void {
    while (this.#count > 0) {
      const slot = this.#next & (CAPACITY - 1);
      const packet = this.#slots[slot];
      if (packet !== undefined && this.#filler[slot] === 0) return;
      if (packet !== undefined) this.#dropFiller(slot);
      else this.bursts.lost();
      this.#next++;
    }
  }

  #passFillers(): void {
    for (;;) {
      const slot = this.#next & (CAPACITY - 1);
      if (this.#slots[slot] === undefined || this.#filler[slot] === 0) return;
      this.#dropFiller(slot);
      this.#next++;
    }
  }

  #dropFillers(): void {
    while (this.#fillers > 0) {
      const slot = this.#next & (CAPACITY - 1);
      if (this.#slots[slot] !== undefined) this.#dropFiller(slot);
      else this.bursts.lost();
      this.#next++;
    }
  }

  #dropFiller(slot: number): void {
    this.#slots[slot] = undefined;
    this.#fillers--;
    this.bursts.received();
  }

  #boundHeld(): void {
    if (this.#count * this.packetMs <= this.maxHeldMs) return;
    const keep = Math.max(1, Math.ceil(this.targetMs / this.packetMs) + 1);
    while (this.#count > keep) {
      this.#skipHoles();
      this.#discard(this.#next & (CAPACITY - 1));
    }
    this.#skipHoles();
    this.#hasExpected = false;
    this.#resumeAt = -1;
  }

  #flush(): void {
    this.#slots.fill(undefined);
    this.discarded += this.#count;
    this.bursts.lost(this.#count);
    this.#count = 0;
    this.#fillers = 0;
    this.#next = -1;
    this.#highest = -1;
    this.#played = -1;
    this.#playing = false;
    this.#hasExpected = false;
    this.#resumeAt = -1;
  }
}
