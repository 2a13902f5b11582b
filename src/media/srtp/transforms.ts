import { AesCounter } from './aes-counter.ts';
import { Ghash } from './ghash.ts';
import { HmacSha1 } from './hmac-sha1.ts';
import { Keystreams } from './keystreams.ts';
import type { SessionKeys } from './session-keys.ts';

/**
 * How packets of one kind are made unreadable and unforgeable. Bytes below `from` stay readable, those up to `to` are
 * encrypted in place; the tag is of both. `trailer`: 32 bits that are authenticated besides: the rollover counter of RTP,
 * or the word with the index of RTCP, which for RTCP also stands in the packet.
 */
export interface Transform {
  readonly tagBytes: number;
  /** Encrypts `data[from .. to)` in place and writes the tag over `tag`. */
  seal(data: Uint8Array, from: number, to: number, ssrc: number, index: number, trailer: number, tag: Uint8Array): void;
  /** Decrypts in place when the tag that stands at `tagAt` is right; false and nothing is touched when it is not. */
  open(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tagAt: number,
  ): boolean;
}

/** Packets of RTP whose keystreams are made at once; those of RTCP come seconds apart. */
const RTP_AHEAD = 8;

/** AES counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1). */
export class CounterModeTransform implements Transform {
  readonly tagBytes: number;
  readonly #streams: Keystreams;
  readonly #hmac: HmacSha1;
  readonly #expected: Uint8Array;

  constructor({ key, auth, salt }: SessionKeys, tagBytes: number, rtcp: boolean) {
    this.tagBytes = tagBytes;
    this.#hmac = new HmacSha1(auth);
    this.#expected = new Uint8Array(tagBytes);
    this.#streams = new Keystreams(new AesCounter(key), rtcp ? 1 : RTP_AHEAD, (iv, ssrc, index) => {
      iv.set(salt);
      iv[14] = 0;
      iv[15] = 0;
      xorWord(iv, 4, ssrc);
      xorIndex(iv, 8, index);
    });
  }

  seal(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tag: Uint8Array,
  ): void {
    this.#apply(data, from, to, ssrc, index);
    this.#hmac.sign(data, to, tag, trailer);
  }

  open(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tagAt: number,
  ): boolean {
    this.#hmac.sign(data, to, this.#expected, trailer);
    if (!sameBytes(this.#expected, data, tagAt)) return false;
    this.#apply(data, from, to, ssrc, index);
    return true;
  }

  #apply(data: Uint8Array, from: number, to: number, ssrc: number, index: number): void {
    xorBytes(data, from, to, this.#streams.of(ssrc, index, to - from), this.#streams.stream);
  }
}

/** AES-GCM (RFC 7714): for RTP the nonce ends with the 48 bits of the index, for RTCP with 32. */
export class GaloisTransform implements Transform {
  readonly tagBytes = 16;
  readonly #streams: Keystreams;
  readonly #ghash: Ghash;
  readonly #rtcp: boolean;
  readonly #expected = new Uint8Array(16);
  readonly #trailer = new Uint8Array(4);

  constructor({ key, salt }: SessionKeys, rtcp: boolean) {
    const aes = new AesCounter(key);
    this.#ghash = new Ghash(aes.encryptBlock(new Uint8Array(16)));
    this.#rtcp = rtcp;
    this.#streams = new Keystreams(aes, rtcp ? 1 : RTP_AHEAD, (iv, ssrc, index) => {
      iv.fill(0);
      iv.set(salt);
      xorWord(iv, 2, ssrc);
      if (rtcp) xorWord(iv, 8, index);
      else xorIndex(iv, 6, index);
      iv[15] = 1;
    });
  }

  seal(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tag: Uint8Array,
  ): void {
    const at = this.#keystream(ssrc, index, to - from);
    xorBytes(data, from, to, at + 16, this.#streams.stream);
    this.#sign(data, from, to, trailer, at, tag);
  }

  open(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tagAt: number,
  ): boolean {
    const at = this.#keystream(ssrc, index, to - from);
    this.#sign(data, from, to, trailer, at, this.#expected);
    if (!sameBytes(this.#expected, data, tagAt)) return false;
    xorBytes(data, from, to, at + 16, this.#streams.stream);
    return true;
  }

  /** Where it begins: the first block hides the tag, those behind it the data (NIST SP 800-38D section 7.1). */
  #keystream(ssrc: number, index: number, length: number): number {
    return this.#streams.of(ssrc, index, 16 + length);
  }

  #sign(data: Uint8Array, from: number, to: number, trailer: number, streamAt: number, tag: Uint8Array): void {
    const ghash = this.#ghash;
    ghash.reset();
    ghash.update(data, 0, from);
    let readable = from;
    // RTCP's word with the index belongs to what is authenticated; RTP's rollover counter is in the nonce already.
    if (this.#rtcp) {
      xorWord(this.#trailer.fill(0), 0, trailer);
      ghash.update(this.#trailer, 0, 4);
      readable += 4;
    }
    ghash.pad();
    ghash.update(data, from, to);
    ghash.pad();
    ghash.finish(readable, to - from, tag);
    xorBytes(tag, 0, 16, streamAt, this.#streams.stream);
  }
}

function xorBytes(data: Uint8Array, from: number, to: number, streamAt: number, stream: Uint8Array): void {
  for (let i = from, at = streamAt; i < to; i++, at++) data[i]! ^= stream[at]!;
}

function xorWord(target: Uint8Array, at: number, word: number): void {
  target[at]! ^= word >>> 24;
  target[at + 1]! ^= word >>> 16;
  target[at + 2]! ^= word >>> 8;
  target[at + 3]! ^= word;
}

/** 48 bits; numbers are exact to 53. */
function xorIndex(target: Uint8Array, at: number, index: number): void {
  const high = Math.floor(index / 2 ** 32);
  target[at]! ^= high >>> 8;
  target[at + 1]! ^= high;
  xorWord(target, at + 2, index);
}

/** Takes the same time wherever they differ. */
function sameBytes(expected: Uint8Array, data: Uint8Array, at: number): boolean {
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= expected[i]! ^ data[at + i]!;
  return difference === 0;
}
