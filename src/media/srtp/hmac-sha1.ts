import { writeWord } from './words.ts';

const BLOCK = 64;

/**
 * HMAC-SHA1 (RFC 2104, FIPS 180-4) of short messages under one key. In JavaScript because an Hmac object of node:crypto
 * for each packet costs some thirty times as much as hashing its 180 bytes; nothing in it depends on secret data but
 * sums, so it takes the same time for all keys.
 */
export class HmacSha1 {
  readonly #inner = new Int32Array(5);
  readonly #outer = new Int32Array(5);
  readonly #state = new Int32Array(5);
  readonly #words = new Int32Array(80);
  /** The end of a message with its padding: one block or two. */
  readonly #tail = new Uint8Array(2 * BLOCK);

  /** @param key at most 64 bytes */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK) throw new RangeError('the key is longer than a block');
    this.#begin(this.#inner, key, 0x36);
    this.#begin(this.#outer, key, 0x5c);
  }

  /** The tag over `data[0 .. length)` and, when given, `suffix` as 32 bits behind it: `tag` is filled, with 20 bytes at most. */
  sign(data: Uint8Array, length: number, tag: Uint8Array, suffix?: number): void {
    const state = this.#state;
    state.set(this.#inner);
    const whole = length - (length % BLOCK);
    for (let at = 0; at < whole; at += BLOCK) this.#compress(state, data, at);
    const tail = this.#tail;
    let fill = length - whole;
    for (let i = 0; i < fill; i++) tail[i] = data[whole + i]!;
    if (suffix !== undefined) {
      writeWord(tail, fill, suffix);
      fill += 4;
    }
    this.#finish(state, fill, length + (suffix === undefined ? 0 : 4));
    for (let i = 0; i < 5; i++) writeWord(tail, i * 4, state[i]!);
    state.set(this.#outer);
    this.#finish(state, 20, 20);
    for (let i = 0; i < tag.length; i++) tag[i] = state[i >> 2]! >>> (24 - (i & 3) * 8);
  }

  #begin(state: Int32Array, key: Uint8Array, pad: number): void {
    state.set([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0].map((word) => word | 0));
    const block = new Uint8Array(BLOCK).fill(pad);
    for (let i = 0; i < key.length; i++) block[i] = key[i]! ^ pad;
    this.#compress(state, block, 0);
  }

  /** `fill` bytes stand in the tail; `length` of the message were hashed, with the block of the key before them. */
  #finish(state: Int32Array, fill: number, length: number): void {
    const tail = this.#tail;
    const end = fill + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    tail.fill(0, fill, end);
    tail[fill] = 0x80;
    writeWord(tail, end - 4, (BLOCK + length) * 8);
    for (let at = 0; at < end; at += BLOCK) this.#compress(state, tail, at);
  }

  #compress(state: Int32Array, data: Uint8Array, at: number): void {
    const w = this.#words;
    for (let i = 0; i < 16; i++, at += 4) {
      w[i] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
    }
    for (let i = 16; i < 80; i++) {
      const x = w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!;
      w[i] = (x << 1) | (x >>> 31);
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    let next = 0;
    let i = 0;
    for (; i < 20; i++) {
      next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + w[i]!) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    for (; i < 40; i++) {
      next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + w[i]!) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    for (; i < 60; i++) {
      next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + w[i]!) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    for (; i < 80; i++) {
      next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + w[i]!) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    state[0] = (state[0]! + a) | 0;
    state[1] = (state[1]! + b) | 0;
    state[2] = (state[2]! + c) | 0;
    state[3] = (state[3]! + d) | 0;
    state[4] = (state[4]! + e) | 0;
  }
}
