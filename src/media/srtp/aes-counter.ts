import { type Cipheriv, createCipheriv } from 'node:crypto';

const BLOCK = 16;
/** Largest datagram we read or write, in whole blocks. */
const MOST_BLOCKS = 94;

/**
 * AES in counter mode under one key. The blocks of counters go through one AES-ECB object that lives as long as the key:
 * a Cipher object of node:crypto for each packet costs some ten times as much as encrypting its 160 bytes.
 */
export class AesCounter {
  readonly #aes: Cipheriv;
  readonly #counters = Buffer.alloc(MOST_BLOCKS * BLOCK);
  readonly #views: Buffer[] = [];

  /** @param key 16 or 32 bytes */
  constructor(key: Uint8Array) {
    this.#aes = createCipheriv(key.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb', key, null);
    this.#aes.setAutoPadding(false);
  }

  /** One block, as it is. */
  encryptBlock(block: Uint8Array): Buffer {
    return this.#aes.update(block);
  }

  /**
   * The keystream for `length` bytes (at most 1504) from the counter block `iv`. Its last two bytes count; GCM counts in
   * four, but no datagram is long enough to carry beyond two.
   */
  keystream(iv: Uint8Array, length: number): Buffer {
    const blocks = (length + BLOCK - 1) >> 4;
    const counters = this.#counters;
    let counter = (iv[14]! << 8) | iv[15]!;
    for (let at = 0; at < blocks * BLOCK; at += BLOCK, counter++) {
      for (let i = 0; i < 14; i++) counters[at + i] = iv[i]!;
      counters[at + 14] = counter >>> 8;
      counters[at + 15] = counter;
    }
    this.#views[blocks] ??= counters.subarray(0, blocks * BLOCK);
    return this.#aes.update(this.#views[blocks]);
  }

  /** Encrypts or decrypts `data[from .. to)` in place. */
  apply(iv: Uint8Array, data: Uint8Array, from: number, to: number): void {
    const stream = this.keystream(iv, to - from);
    for (let i = from; i < to; i++) data[i]! ^= stream[i - from]!;
  }
}
