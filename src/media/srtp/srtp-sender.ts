import { payloadOffset } from '../rtp/rtp-packet.ts';
import type { SrtpKey } from './profiles.ts';
import { ENCRYPTED, type Protection, protectionOf, RTCP_READABLE_BYTES, RTCP_WORD_BYTES } from './protection.ts';
import { readWord, writeWord } from './words.ts';

/** Packet buffers used in turn: a send the kernel cannot take at once still reads its buffer for a while. */
const BUFFERS = 8;
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
  readonly #mki: Uint8Array;
  readonly #buffers = Array.from({ length: BUFFERS }, () => new Uint8Array(MAX_BYTES + MAX_ADDED));
  readonly #tags: { rtp: Uint8Array; rtcp: Uint8Array };
  #turn = 0;

  /** `position`: of a sender before that went by the same key. */
  constructor(key: SrtpKey, position: SrtpPosition = { rollover: 0, sequence: -1, rtcpIndex: 0 }) {
    this.#protection = protectionOf(key);
    this.#mki = key.mki ?? new Uint8Array(0);
    this.position = { ...position };
    const { rtp, rtcp } = this.#protection;
    this.#tags = { rtp: new Uint8Array(rtp.tagBytes), rtcp: new Uint8Array(rtcp.tagBytes) };
  }

  /** The packet as it may travel, in a buffer that stays untouched for the next seven. Sequence numbers must only rise. */
  protectRtp(packet: Uint8Array): Uint8Array {
    const length = packet.length;
    const out = this.#copy(packet);
    const sequence = (packet[2]! << 8) | packet[3]!;
    const { position } = this;
    if (sequence < position.sequence) position.rollover++;
    position.sequence = sequence;
    const tag = this.#tags.rtp;
    const index = position.rollover * 65_536 + sequence;
    this.#protection.rtp.seal(
      out,
      payloadOffset(packet, length),
      length,
      readWord(packet, 8),
      index,
      position.rollover,
      tag,
    );
    // RFC 3711 section 3.1: the key's identifier before the tag; with AEAD the tag ends the ciphertext (RFC 7714).
    return this.#end(out, this.#protection.profile.aead ? [tag, this.#mki] : [this.#mki, tag], length);
  }

  /** A compound packet as it may travel. */
  protectRtcp(packet: Uint8Array): Uint8Array {
    const length = packet.length;
    const out = this.#copy(packet);
    const index = this.position.rtcpIndex;
    this.position.rtcpIndex = (index + 1) % ENCRYPTED;
    const word = (ENCRYPTED | index) >>> 0;
    const tag = this.#tags.rtcp;
    this.#protection.rtcp.seal(out, RTCP_READABLE_BYTES, length, readWord(packet, 4), index, word, tag);
    const written = new Uint8Array(RTCP_WORD_BYTES);
    writeWord(written, 0, word);
    return this.#end(
      out,
      this.#protection.profile.aead ? [tag, written, this.#mki] : [written, this.#mki, tag],
      length,
    );
  }

  #copy(packet: Uint8Array): Uint8Array {
    if (packet.length > MAX_BYTES) throw new RangeError(`a packet of ${packet.length} bytes is too long for SRTP`);
    const out = this.#buffers[this.#turn]!;
    this.#turn = (this.#turn + 1) % BUFFERS;
    out.set(packet);
    return out;
  }

  #end(out: Uint8Array, parts: readonly Uint8Array[], from: number): Uint8Array {
    let at = from;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out.subarray(0, at);
  }
}
