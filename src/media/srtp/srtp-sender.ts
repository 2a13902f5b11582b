import { PacketBuffers } from '../rtp/packet-buffers.ts';
import { payloadOffset } from '../rtp/rtp-packet.ts';
import type { SrtpKey } from './profiles.ts';
import { ENCRYPTED, type Protection, protectionOf, RTCP_READABLE_BYTES, RTCP_WORD_BYTES } from './protection.ts';
import { readWord, writeWord } from './words.ts';

const MAX_BYTES = 1500;
const MAX_ADDED = 64;

/** Where a sender stands: no index may be used twice under one key, or two packets give away what is in both. */
export interface SrtpPosition {
  /** How often the sequence number has turned over. */
  rollover: number;
  /** Of the last packet; -1 before the first. */
  sequence: number;
  /** Of the next RTCP packet. */
  rtcpIndex: number;
}

/** Protects the packets of one sender (one SSRC) under one master key (RFC 3711 section 3.3, RFC 7714). */
export class SrtpSender {
  readonly position: SrtpPosition;
  readonly #protection: Protection;
  readonly #buffers = new PacketBuffers(MAX_BYTES + MAX_ADDED);
  readonly #tags: { rtp: Uint8Array; rtcp: Uint8Array };
  /** Of the last RTCP packet: its index, and that it is encrypted. */
  readonly #word = new Uint8Array(RTCP_WORD_BYTES);
  /** What goes behind the packet itself, in this order. */
  readonly #behind: { rtp: readonly Uint8Array[]; rtcp: readonly Uint8Array[] };

  /** `position`: of a sender before that went by the same key. */
  constructor(key: SrtpKey, position: SrtpPosition = { rollover: 0, sequence: -1, rtcpIndex: 0 }) {
    this.#protection = protectionOf(key);
    this.position = { ...position };
    const { profile, rtp, rtcp } = this.#protection;
    const tags = { rtp: new Uint8Array(rtp.tagBytes), rtcp: new Uint8Array(rtcp.tagBytes) };
    const mki = key.mki ?? new Uint8Array(0);
    // RFC 3711 section 3.1: the key's identifier before the tag; with AEAD the tag ends the ciphertext (RFC 7714).
    this.#behind = profile.aead
      ? { rtp: [tags.rtp, mki], rtcp: [tags.rtcp, this.#word, mki] }
      : { rtp: [mki, tags.rtp], rtcp: [this.#word, mki, tags.rtcp] };
    this.#tags = tags;
  }

  /** The packet as it may travel, in a buffer that stays untouched for the next seven. Sequence numbers must only rise. */
  protectRtp(packet: Uint8Array): Uint8Array {
    const length = packet.length;
    const out = this.#copy(packet);
    const sequence = (packet[2]! << 8) | packet[3]!;
    const { position } = this;
    if (sequence < position.sequence) position.rollover++;
    position.sequence = sequence;
    const index = position.rollover * 65_536 + sequence;
    this.#protection.rtp.seal(
      out,
      payloadOffset(packet, length),
      length,
      readWord(packet, 8),
      index,
      position.rollover,
      this.#tags.rtp,
    );
    return this.#end(length, this.#behind.rtp);
  }

  /** A compound packet as it may travel. */
  protectRtcp(packet: Uint8Array): Uint8Array {
    const length = packet.length;
    const out = this.#copy(packet);
    const index = this.position.rtcpIndex;
    this.position.rtcpIndex = (index + 1) % ENCRYPTED;
    const word = (ENCRYPTED | index) >>> 0;
    this.#protection.rtcp.seal(out, RTCP_READABLE_BYTES, length, readWord(packet, 4), index, word, this.#tags.rtcp);
    writeWord(this.#word, 0, word);
    return this.#end(length, this.#behind.rtcp);
  }

  #copy(packet: Uint8Array): Uint8Array {
    if (packet.length > MAX_BYTES) throw new RangeError(`a packet of ${packet.length} bytes is too long for SRTP`);
    const out = this.#buffers.next;
    out.set(packet);
    return out;
  }

  #end(length: number, parts: readonly Uint8Array[]): Uint8Array {
    const out = this.#buffers.next;
    let end = length;
    for (const part of parts) {
      out.set(part, end);
      end += part.length;
    }
    return this.#buffers.take(end);
  }
}
