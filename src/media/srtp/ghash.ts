import { readWord, writeWord } from './words.ts';

/**
 * GHASH (NIST SP 800-38D section 6.4) under one key. The carry-less products are made of ordinary ones with holes between
 * the bits, as in BearSSL's ctmul32: no table is looked into, so no cache tells of the key, and a packet of 160 bytes
 * takes a few microseconds where a GCM object of node:crypto takes forty.
 */
export class Ghash {
  /** The key's words, the lowest first, their halves' sums for Karatsuba, and all of it with the bits reversed. */
  readonly #h = new Int32Array(9);
  readonly #hr = new Int32Array(9);
  /** The state, the lowest word first. */
  readonly #y = new Int32Array(4);
  readonly #yw = new Int32Array(9);
  readonly #z = new Int32Array(9);
  readonly #zr = new Int32Array(9);
  readonly #product = new Int32Array(8);
  readonly #block = new Uint8Array(16);
  #fill = 0;

  /** @param key 16 bytes: the block of zeros, encrypted */
  constructor(key: Uint8Array) {
    const words = Int32Array.from({ length: 4 }, (_, i) => readWord(key, 12 - 4 * i));
    spread(words, this.#h);
    for (let i = 0; i < 9; i++) this.#hr[i] = reversed(this.#h[i]!);
  }

  reset(): void {
    this.#y.fill(0);
    this.#fill = 0;
  }

  update(data: Uint8Array, from: number, to: number): void {
    let at = from;
    while (this.#fill > 0 && at < to) this.#byte(data[at++]!);
    for (; at + 16 <= to; at += 16) this.#absorb(data, at);
    while (at < to) this.#byte(data[at++]!);
  }

  /** Zeros to the next whole block. */
  pad(): void {
    while (this.#fill > 0) this.#byte(0);
  }

  /** The hash, behind the lengths in bytes of what was readable and of what was not. `out`: 16 bytes. */
  finish(readable: number, hidden: number, out: Uint8Array): void {
    const block = this.#block.fill(0);
    writeWord(block, 4, readable * 8);
    writeWord(block, 12, hidden * 8);
    this.#absorb(block, 0);
    for (let i = 0; i < 4; i++) writeWord(out, 12 - 4 * i, this.#y[i]!);
  }

  #byte(value: number): void {
    this.#block[this.#fill++] = value;
    if (this.#fill < 16) return;
    this.#fill = 0;
    this.#absorb(this.#block, 0);
  }

  #absorb(data: Uint8Array, at: number): void {
    const y = this.#y;
    for (let i = 0; i < 4; i++) y[i]! ^= readWord(data, at + 12 - 4 * i);
    this.#multiply();
  }

  /** y = y * H in GF(2^128). */
  #multiply(): void {
    const h = this.#h;
    const hr = this.#hr;
    const a = this.#yw;
    const z = this.#z;
    const zr = this.#zr;
    spread(this.#y, a);
    // A product of two words has 63 bits: the lower 32 by multiplying them, the upper 31 by multiplying them mirrored.
    for (let i = 0; i < 9; i++) {
      z[i] = lowProduct(a[i]!, h[i]!);
      zr[i] = reversed(lowProduct(reversed(a[i]!), hr[i]!)) >>> 1;
    }
    const p = this.#product;
    // Karatsuba, twice: words 0..3 are products of the low halves, 4..7 of the high ones, and the sums between them.
    const l0 = z[0]!;
    const l1 = zr[0]! ^ z[0]! ^ z[1]! ^ z[2]!;
    const l2 = z[1]! ^ zr[0]! ^ zr[1]! ^ zr[2]!;
    const l3 = zr[1]!;
    const u0 = z[3]!;
    const u1 = zr[3]! ^ z[3]! ^ z[4]! ^ z[5]!;
    const u2 = z[4]! ^ zr[3]! ^ zr[4]! ^ zr[5]!;
    const u3 = zr[4]!;
    const m0 = z[6]! ^ l0 ^ u0;
    const m1 = zr[6]! ^ z[6]! ^ z[7]! ^ z[8]! ^ l1 ^ u1;
    const m2 = z[7]! ^ zr[6]! ^ zr[7]! ^ zr[8]! ^ l2 ^ u2;
    const m3 = zr[7]! ^ l3 ^ u3;
    p[0] = l0;
    p[1] = l1;
    p[2] = l2 ^ m0;
    p[3] = l3 ^ m1;
    p[4] = u0 ^ m2;
    p[5] = u1 ^ m3;
    p[6] = u2;
    p[7] = u3;
    // GHASH numbers bits from the left: the product of the mirrored operands is one place short.
    for (let i = 7; i > 0; i--) p[i] = (p[i]! << 1) | (p[i - 1]! >>> 31);
    p[0] = p[0]! << 1;
    // Reduction modulo x^128 + x^7 + x^2 + x + 1.
    for (let i = 0; i < 4; i++) {
      const low = p[i]!;
      p[i + 4]! ^= low ^ (low >>> 1) ^ (low >>> 2) ^ (low >>> 7);
      p[i + 3]! ^= (low << 31) ^ (low << 30) ^ (low << 25);
    }
    for (let i = 0; i < 4; i++) this.#y[i] = p[i + 4]!;
  }
}

/** Four words to the nine factors of a double Karatsuba: low half and its sum, high half and its sum, both halves' sums. */
function spread(words: Int32Array, out: Int32Array): void {
  const w0 = words[0]!;
  const w1 = words[1]!;
  const w2 = words[2]!;
  const w3 = words[3]!;
  out[0] = w0;
  out[1] = w1;
  out[2] = w0 ^ w1;
  out[3] = w2;
  out[4] = w3;
  out[5] = w2 ^ w3;
  out[6] = w0 ^ w2;
  out[7] = w1 ^ w3;
  out[8] = out[6]! ^ out[7]!;
}

/** The lower 32 bits of a product without carries: carries run into the three empty bits between those that count. */
function lowProduct(x: number, y: number): number {
  const x0 = x & 0x11111111;
  const x1 = x & 0x22222222;
  const x2 = x & 0x44444444;
  const x3 = x & 0x88888888;
  const y0 = y & 0x11111111;
  const y1 = y & 0x22222222;
  const y2 = y & 0x44444444;
  const y3 = y & 0x88888888;
  const z0 = Math.imul(x0, y0) ^ Math.imul(x1, y3) ^ Math.imul(x2, y2) ^ Math.imul(x3, y1);
  const z1 = Math.imul(x0, y1) ^ Math.imul(x1, y0) ^ Math.imul(x2, y3) ^ Math.imul(x3, y2);
  const z2 = Math.imul(x0, y2) ^ Math.imul(x1, y1) ^ Math.imul(x2, y0) ^ Math.imul(x3, y3);
  const z3 = Math.imul(x0, y3) ^ Math.imul(x1, y2) ^ Math.imul(x2, y1) ^ Math.imul(x3, y0);
  return (z0 & 0x11111111) | (z1 & 0x22222222) | (z2 & 0x44444444) | (z3 & 0x88888888);
}

function reversed(x: number): number {
  x = ((x & 0x55555555) << 1) | ((x >>> 1) & 0x55555555);
  x = ((x & 0x33333333) << 2) | ((x >>> 2) & 0x33333333);
  x = ((x & 0x0f0f0f0f) << 4) | ((x >>> 4) & 0x0f0f0f0f);
  x = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
  return (x << 16) | (x >>> 16);
}
