import { AesCounter } from './aes-counter.ts';
import { Ghash } from './ghash.ts';
import { HmacSha1 } from './hmac-sha1.ts';
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
  /** Decrypts in place when `tag` is right; false and nothing is touched when it is not. */
  open(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tag: Uint8Array,
  ): boolean;
}

/** AES counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1). */
export class CounterModeTransform implements Transform {
  readonly tagBytes: number;
  readonly #aes: AesCounter;
  readonly #hmac: HmacSha1;
  readonly #salt: Uint8Array;
  readonly #iv = new Uint8Array(16);
  readonly #expected: Uint8Array;

  constructor(keys: SessionKeys, tagBytes: number) {
    this.tagBytes = tagBytes;
    this.#aes = new AesCounter(keys.key);
    this.#hmac = new HmacSha1(keys.auth);
    this.#salt = keys.salt;
    this.#expected = new Uint8Array(tagBytes);
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
    this.#aes.apply(this.#ivOf(ssrc, index), data, from, to);
    this.#hmac.sign(data, to, tag, trailer);
  }

  open(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tag: Uint8Array,
  ): boolean {
    this.#hmac.sign(data, to, this.#expected, trailer);
    if (!sameBytes(this.#expected, tag)) return false;
    this.#aes.apply(this.#ivOf(ssrc, index), data, from, to);
    return true;
  }

  #ivOf(ssrc: number, index: number): Uint8Array {
    const iv = this.#iv;
    iv.set(this.#salt);
    xorWord(iv, 4, ssrc);
    // 48 bits; numbers are exact to 53.
    const high = Math.floor(index / 2 ** 32);
    iv[8]! ^= high >>> 8;
    iv[9]! ^= high;
    xorWord(iv, 10, index);
    iv[14] = 0;
    iv[15] = 0;
    return iv;
  }
}

/** AES-GCM (RFC 7714): for RTP the nonce ends with the 48 bits of the index, for RTCP with 32. */
export class GaloisTransform implements Transform {
  readonly tagBytes = 16;
  readonly #aes: AesCounter;
  readonly #ghash: Ghash;
  readonly #salt: Uint8Array;
  readonly #rtcp: boolean;
  readonly #iv = new Uint8Array(16);
  readonly #expected = new Uint8Array(16);
  readonly #trailer = new Uint8Array(4);

  constructor(keys: SessionKeys, rtcp: boolean) {
    this.#aes = new AesCounter(keys.key);
    this.#ghash = new Ghash(this.#aes.encryptBlock(new Uint8Array(16)));
    this.#salt = keys.salt;
    this.#rtcp = rtcp;
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
    const stream = this.#keystream(ssrc, index, to - from);
    for (let i = from; i < to; i++) data[i]! ^= stream[i - from + 16]!;
    this.#sign(data, from, to, trailer, stream, tag);
  }

  open(
    data: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    index: number,
    trailer: number,
    tag: Uint8Array,
  ): boolean {
    const stream = this.#keystream(ssrc, index, to - from);
    this.#sign(data, from, to, trailer, stream, this.#expected);
    if (!sameBytes(this.#expected, tag)) return false;
    for (let i = from; i < to; i++) data[i]! ^= stream[i - from + 16]!;
    return true;
  }

  /** The first block hides the tag, those behind it the data (NIST SP 800-38D section 7.1). */
  #keystream(ssrc: number, index: number, length: number): Uint8Array {
    const iv = this.#iv;
    iv.fill(0);
    iv.set(this.#salt);
    xorWord(iv, 2, ssrc);
    if (!this.#rtcp) {
      const high = Math.floor(index / 2 ** 32);
      iv[6]! ^= high >>> 8;
      iv[7]! ^= high;
    }
    xorWord(iv, 8, index);
    iv[15] = 1;
    return this.#aes.keystream(iv, 16 + length);
  }

  #sign(data: Uint8Array, from: number, to: number, trailer: number, stream: Uint8Array, tag: Uint8Array): void {
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
    for (let i = 0; i < 16; i++) tag[i]! ^= stream[i]!;
  }
}

function xorWord(target: Uint8Array, at: number, word: number): void {
  target[at]! ^= word >>> 24;
  target[at + 1]! ^= word >>> 16;
  target[at + 2]! ^= word >>> 8;
  target[at + 3]! ^= word;
}

/** Takes the same time wherever they differ. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
