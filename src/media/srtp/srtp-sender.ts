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
  readonly #buffers = Array.from({ length: BUFFERS }, (): PacketBuffer => {
    const bytes = new Uint8Array(MAX_BYTES + MAX_ADDED);
    return { bytes, view: bytes };
  });
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
    const buffer = this.#copy(packet);
    const out = buffer.bytes;
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
    const [first, second] = this.#protection.profile.aead ? [tag, this.#mki] : [this.#mki, tag];
    out.set(first, length);
    out.set(second, length + first.length);
    return viewOf(buffer, length + first.length + second.length);
  }

  /** A compound packet as it may travel. */
  protectRtcp(packet: Uint8Array): Uint8Array {
    const length = packet.length;
    const buffer = this.#copy(packet);
    const out = buffer.bytes;
    const index = this.position.rtcpIndex;
    this.position.rtcpIndex = (index + 1) % ENCRYPTED;
    const word = (ENCRYPTED | index) >>> 0;
    const tag = this.#tags.rtcp;
    this.#protection.rtcp.seal(out, RTCP_READABLE_BYTES, length, readWord(packet, 4), index, word, tag);
    const wordAt = this.#protection.profile.aead ? length + tag.length : length;
    writeWord(out, wordAt, word);
    const mkiAt = wordAt + RTCP_WORD_BYTES;
    out.set(this.#mki, mkiAt);
    const mkiEnd = mkiAt + this.#mki.length;
    out.set(tag, this.#protection.profile.aead ? length : mkiEnd);
    return viewOf(buffer, this.#protection.profile.aead ? mkiEnd : mkiEnd + tag.length);
  }

  #copy(packet: Uint8Array): PacketBuffer {
    if (packet.length > MAX_BYTES) throw new RangeError(`a packet of ${packet.length} bytes is too long for SRTP`);
    const buffer = this.#buffers[this.#turn]!;
    this.#turn = (this.#turn + 1) % BUFFERS;
    buffer.bytes.set(packet);
    return buffer;
  }
}

/** What stood in it last has this view; most packets of a call are as long as those before. */
interface PacketBuffer {
  readonly bytes: Uint8Array;
  view: Uint8Array;
}

function viewOf(buffer: PacketBuffer, length: number): Uint8Array {
  if (buffer.view.length !== length) buffer.view = buffer.bytes.subarray(0, length);
  return buffer.view;
}
