import { payloadOffset, RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';
import { estimateIndex, ReplayWindow } from './packet-index.ts';
import type { SrtpKey } from './profiles.ts';
import { ENCRYPTED, type Protection, protectionOf, RTCP_READABLE_BYTES, RTCP_WORD_BYTES } from './protection.ts';
import { readWord } from './words.ts';

/**
 * Senders one key may protect: a peer that begins anew takes another SSRC. Each was authentic, so only the peer itself
 * can fill the table; what it sends beyond is refused, since forgetting one would let its packets be played again.
 */
const MOST_SENDERS = 64;

/** Why a packet was not taken. `malformed`: too short for its own parts, or not encrypted at all. */
export type Refused = 'forged' | 'replayed' | 'malformed';

/** The newest packet of a sender: what is left to another worker that goes on with the same key. */
export interface ReceivedPosition {
  ssrc: number;
  highest: number;
  /** Of RTCP; -1 before the first. */
  rtcpHighest: number;
}

interface Sender {
  rtp: ReplayWindow;
  rtcp: ReplayWindow;
}

/** Opens what one peer protects under one master key (RFC 3711 section 3.3, RFC 7714). Decrypts in place. */
export class SrtpReceiver {
  readonly #protection: Protection;
  readonly #mki: Uint8Array;
  readonly #senders = new Map<number, Sender>();
  /** Where senders stood under the key before this one. */
  readonly #hints = new Map<number, number>();
  #newest: { ssrc: number; sender: Sender } | undefined;

  constructor(key: SrtpKey, known?: ReceivedPosition) {
    this.#protection = protectionOf(key);
    this.#mki = key.mki ?? new Uint8Array(0);
    if (known) {
      this.#senders.set(known.ssrc, {
        rtp: new ReplayWindow(known.highest),
        rtcp: new ReplayWindow(known.rtcpHighest),
      });
    }
  }

  /** The sender heard last. */
  get position(): ReceivedPosition | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    const { ssrc, sender } = newest;
    return { ssrc, highest: sender.rtp.highest, rtcpHighest: sender.rtcp.highest };
  }

  /**
   * This key takes the place of another's. The rollover counter goes on when only the key changes (RFC 3711 section
   * 8.1), but most peers begin at zero, with a new SRTP stack: both are tried.
   */
  follow(before: SrtpReceiver): void {
    for (const [ssrc, { rtp }] of before.#senders) if (rtp.highest >= 65_536) this.#hints.set(ssrc, rtp.highest);
  }

  /** The RTP packet in it, a view. */
  openRtp(data: Uint8Array): Uint8Array | Refused {
    const { rtp: transform, profile } = this.#protection;
    const { tagBytes } = transform;
    const end = data.length - tagBytes - this.#mki.length;
    const from = payloadOffset(data, end);
    if (end < RTP_HEADER_BYTES || from > end) return 'malformed';
    const tagAt = profile.aead ? end : end + this.#mki.length;
    if (!this.#named(data, profile.aead ? end + tagBytes : end)) return 'forged';
    const ssrc = readWord(data, 8);
    const sequence = (data[2]! << 8) | data[3]!;
    const sender = this.#senders.get(ssrc);
    let index = estimateIndex(sequence, sender?.rtp.highest ?? this.#hints.get(ssrc) ?? -1);
    if (sender !== undefined && !sender.rtp.isNew(index)) return 'replayed';
    if (index < 0) return 'replayed';
    let authentic = transform.open(data, from, end, ssrc, index, Math.floor(index / 65_536), tagAt);
    if (!authentic && sender === undefined && index >= 65_536) {
      index = sequence;
      authentic = transform.open(data, from, end, ssrc, index, 0, tagAt);
    }
    if (!authentic) return 'forged';
    const known = sender ?? this.#admit(ssrc);
    if (known === undefined) return 'forged';
    known.rtp.add(index);
    this.#note(ssrc, known);
    return data.subarray(0, end);
  }

  /** The compound RTCP packet in it, a view. */
  openRtcp(data: Uint8Array): Uint8Array | Refused {
    const { rtcp: transform, profile } = this.#protection;
    const { tagBytes } = transform;
    const end = data.length - tagBytes - RTCP_WORD_BYTES - this.#mki.length;
    if (end < RTCP_READABLE_BYTES) return 'malformed';
    const wordAt = profile.aead ? end + tagBytes : end;
    const tagAt = profile.aead ? end : end + RTCP_WORD_BYTES + this.#mki.length;
    if (!this.#named(data, wordAt + RTCP_WORD_BYTES)) return 'forged';
    const word = readWord(data, wordAt);
    // We never agree to RTCP in the clear.
    if (word < ENCRYPTED) return 'malformed';
    const index = word - ENCRYPTED;
    const ssrc = readWord(data, 4);
    const sender = this.#senders.get(ssrc);
    if (sender !== undefined && !sender.rtcp.isNew(index)) return 'replayed';
    // AES-CM signs the word where it stands, behind what is encrypted; the transform is told of it either way.
    if (!transform.open(data, RTCP_READABLE_BYTES, end, ssrc, index, word, tagAt)) return 'forged';
    const known = sender ?? this.#admit(ssrc);
    if (known === undefined) return 'forged';
    known.rtcp.add(index);
    return data.subarray(0, end);
  }

  #admit(ssrc: number): Sender | undefined {
    if (this.#senders.size >= MOST_SENDERS) return undefined;
    const sender = { rtp: new ReplayWindow(), rtcp: new ReplayWindow() };
    this.#senders.set(ssrc, sender);
    return sender;
  }

  #note(ssrc: number, sender: Sender): void {
    if (this.#newest?.sender !== sender) this.#newest = { ssrc, sender };
  }

  /** Does the packet name our key, where keys have names? */
  #named(data: Uint8Array, at: number): boolean {
    const mki = this.#mki;
    for (let i = 0; i < mki.length; i++) if (data[at + i] !== mki[i]) return false;
    return true;
  }
}
