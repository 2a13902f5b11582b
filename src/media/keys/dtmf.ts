import type { Ms } from '../../core/clock.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';

/** RFC 4733 section 3.2: events 0..15. 16 is flash-hook and no digit. */
export const DIGITS = '0123456789*#ABCD';
/** A duration field that is full: the event goes on in a next segment with its own timestamp (RFC 4733 2.5.1.3). */
const FULL_SEGMENT = 0xffff;
/** An older timestamp by more than this is a new time base, not a packet out of order. */
const NEW_BASE_S = 10;
/** Senders that wrongly move the timestamp on with every packet of one event move it by one packet. */
const PACKET_STEP_S = 0.06;
/** A key of which nothing more comes, not even its end, has been let go: three updates of the slowest senders. */
const SILENT_MS: Ms = 200;

/** Nobody asks for them: the oldest is forgotten. */
const MOST_LET_GO = 16;
const NONE: readonly DtmfDigit[] = [];

export interface DtmfDigit {
  digit: string;
  /** What the sender had played when its first packet to arrive was sent; of a key that was let go, how long it was pressed. */
  durationMs: Ms;
}

/**
 * RFC 4733 telephone events. A digit is reported once, at the first of its packets that arrives, whichever that is:
 * so neither the marker bit nor any of the three end packets is needed, and a key interrupts the bot without waiting
 * for its release. Packets of one press share a timestamp, by which repeats are told apart from a second press. When it
 * was let go, and how long it was pressed, is told apart from that, for who passes keys on.
 */
export class DtmfReceiver {
  #timestamp = -1;
  #event = -1;
  #duration = 0;
  #ended = false;
  /** Of the segments of this press before the one that runs. */
  #before = 0;
  #clockRate = 8000;
  #heardAt: Ms = 0;
  /** Pressed, and not let go yet. */
  #pressed: string | undefined;
  #letGo: DtmfDigit[] = [];

  /** Of the last press; -1 before the first. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Goes on where another receiver stopped: a press it has told is not told again. */
  resume(timestamp: number): void {
    this.#timestamp = timestamp;
    this.#event = -1;
    this.#pressed = undefined;
  }

  /** Forget the sender's time base: a new SSRC. */
  reset(): void {
    this.#timestamp = -1;
  }

  /**
   * Undefined for repeats, for events that are no digits, and for packets too short to be events. `clockRate`: of the
   * payload type, 8000 beside G.711 and G.722, 48000 beside Opus.
   */
  push(packet: RtpPacket, clockRate = 8000, now: Ms = 0): DtmfDigit | undefined {
    if (packet.payloadLength < 4) return undefined;
    const { data, payloadOffset: at, timestamp } = packet;
    const event = data[at]!;
    const ended = (data[at + 1]! & 0x80) !== 0;
    const duration = (data[at + 2]! << 8) | data[at + 3]!;
    const known = this.#timestamp >= 0;
    const ahead = (timestamp - this.#timestamp) | 0;
    if (known && ahead === 0 && event === this.#event) {
      this.#duration = Math.max(this.#duration, duration);
      this.#heardAt = now;
      if (ended) this.#end();
      return undefined;
    }
    if (known && ahead <= 0 && ahead > -NEW_BASE_S * clockRate) return undefined;
    const goesOn =
      known && event === this.#event && !this.#ended && this.#goesOn(ahead, duration, PACKET_STEP_S * clockRate);
    if (goesOn) this.#before += ahead === FULL_SEGMENT ? FULL_SEGMENT : 0;
    else this.#begin(DIGITS[event], clockRate);
    this.#timestamp = timestamp;
    this.#event = event;
    this.#duration = duration;
    this.#heardAt = now;
    this.#ended = false;
    const digit = goesOn ? undefined : this.#pressed;
    if (ended) this.#end();
    return digit === undefined ? undefined : { digit, durationMs: (duration * 1000) / clockRate };
  }

  /** Keys that were let go since it was asked last, each once, in order. */
  letGo(now: Ms): readonly DtmfDigit[] {
    if (this.#pressed !== undefined && now - this.#heardAt > SILENT_MS) this.#release();
    if (this.#letGo.length === 0) return NONE;
    const told = this.#letGo;
    this.#letGo = [];
    return told;
  }

  #begin(digit: string | undefined, clockRate: number): void {
    // Whoever presses the next key has let go of the one before, also if all that said so was lost.
    this.#release();
    this.#pressed = digit;
    this.#clockRate = clockRate;
    this.#before = 0;
  }

  #end(): void {
    this.#ended = true;
    this.#release();
  }

  #release(): void {
    const digit = this.#pressed;
    this.#pressed = undefined;
    if (digit === undefined) return;
    this.#letGo.push({ digit, durationMs: ((this.#before + this.#duration) * 1000) / this.#clockRate });
    if (this.#letGo.length > MOST_LET_GO) this.#letGo.shift();
  }

  #goesOn(ahead: number, duration: number, packetStep: number): boolean {
    if (ahead === FULL_SEGMENT) return true;
    return ahead <= packetStep && duration > this.#duration;
  }
}
