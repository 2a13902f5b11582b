import type { Ms } from '../../../src/core/clock.ts';
import { decode } from './g711.ts';
import { isVoiced, loudestWindow } from './level.ts';
import { digitOf, parseRtp, type RtpFields } from './rtp-packet.ts';

/** One packet as it arrived. */
export interface HeardPacket {
  readonly at: Ms;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly payloadBytes: number;
  /** Loudest 10 ms window; -120 for digital silence and for what is no audio. */
  readonly levelDbfs: number;
  /** Above -38 dBFS: carries sound. */
  readonly sound: boolean;
}

/** A stretch of sound from the far end without a gap of 200 ms. */
export interface Spell {
  /** Arrival of its first packet with sound. */
  readonly startAt: Ms;
  /** Arrival of its last packet with sound so far. */
  lastSoundAt: Ms;
}

/** Gaps inside words and between them are shorter than this. */
export const SPELL_GAP_MS: Ms = 200;
/** An hour of packets; older ones are dropped, and the measures then cover the last hour. */
const PACKETS_KEPT = 180_000;

export interface EarOptions {
  readonly onAudio?: (pcm: Int16Array, packet: HeardPacket) => void;
  readonly onDigit?: (digit: string, at: Ms) => void;
}

/** The listening half of the line. Pure but for what it remembers: packets and their arrival times go in. */
export class Ear {
  telephoneEvent: number | undefined;
  readonly packets: HeardPacket[] = [];
  readonly spells: Spell[] = [];
  /** Keys the far end pressed (RFC 4733), each once. */
  digits = '';
  /** Datagrams that were no RTP. */
  refused = 0;
  readonly #options: EarOptions;
  #eventTimestamp: number | undefined;

  constructor(options: EarOptions = {}) {
    this.#options = options;
  }

  receive(data: Buffer, now: Ms): void {
    const rtp = parseRtp(data);
    if (!rtp) {
      this.refused++;
      return;
    }
    const pcm =
      rtp.payloadType === 0
        ? decode('PCMU', rtp.payload)
        : rtp.payloadType === 8
          ? decode('PCMA', rtp.payload)
          : undefined;
    const levelDbfs = pcm ? loudestWindow(pcm) : -120;
    const packet: HeardPacket = {
      at: now,
      sequence: rtp.sequence,
      timestamp: rtp.timestamp,
      ssrc: rtp.ssrc,
      payloadType: rtp.payloadType,
      marker: rtp.marker,
      payloadBytes: rtp.payload.length,
      levelDbfs,
      sound: isVoiced(levelDbfs),
    };
    if (this.packets.length >= PACKETS_KEPT) this.packets.splice(0, PACKETS_KEPT / 10);
    this.packets.push(packet);
    if (packet.sound) this.#heardSound(now);
    if (pcm) this.#options.onAudio?.(pcm, packet);
    if (rtp.payloadType === this.telephoneEvent) this.#heardEvent(rtp, now);
  }

  /** Is the far end speaking: sound within the last `gapMs`. */
  speaking(now: Ms, gapMs: Ms = SPELL_GAP_MS): boolean {
    const last = this.spells.at(-1);
    return last !== undefined && now - last.lastSoundAt < gapMs;
  }

  /** Milliseconds since the last packet with sound; undefined when there was none yet. */
  silentFor(now: Ms): Ms | undefined {
    const last = this.spells.at(-1);
    return last === undefined ? undefined : now - last.lastSoundAt;
  }

  #heardSound(now: Ms): void {
    const last = this.spells.at(-1);
    if (last && now - last.lastSoundAt < SPELL_GAP_MS) last.lastSoundAt = now;
    else this.spells.push({ startAt: now, lastSoundAt: now });
  }

  #heardEvent(rtp: RtpFields, now: Ms): void {
    // One key is one timestamp, however many of its packets come and whichever carry the marker (RFC 4733 2.5.1.2).
    if (rtp.payload.length < 4 || rtp.timestamp === this.#eventTimestamp) return;
    const digit = digitOf(rtp.payload[0]!);
    if (digit === undefined) return;
    this.#eventTimestamp = rtp.timestamp;
    this.digits += digit;
    this.#options.onDigit?.(digit, now);
  }
}
