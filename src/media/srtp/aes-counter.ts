import { type Cipheriv, createCipheriv } from 'node:crypto';

export const BLOCK = 16;
/** What one update encrypts at most: more than the largest datagram we read or write. */
export const MOST_BLOCKS = 128;

/** Counters on their way through AES, of whatever key: written and used up in one go. */
const counters = Buffer.alloc(MOST_BLOCKS * BLOCK);
/** By their number of blocks. */
const views: Buffer[] = [];

/**
 * AES in counter mode under one key. The blocks of counters go through one AES-ECB object that lives as long as the key:
 * a Cipher object of node:crypto for each packet costs some ten times as much as encrypting its 160 bytes.
 */
export class AesCounter {
  readonly #aes: Cipheriv;

  /** @param key 16 or 32 bytes */
  constructor(key: Uint8Array) {
    this.#aes = createCipheriv(key.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb', key, null);
    this.#aes.setAutoPadding(false);
  }

  /** One block, as it is. */
  encryptBlock(block: Uint8Array): Buffer {
    return this.#aes.update(block);
  }

  /** The keystream for `length` bytes (at most 2048) from the counter block `iv`, as `count` has it. */
  keystream(iv: Uint8Array, length: number): Buffer {
    const blocks = (length + BLOCK - 1) >> 4;
    this.count(iv, blocks, 0);
    return this.encrypt(blocks);
  }

  /**
   * Puts the counters of `blocks` blocks from `iv` on behind `before` others: the last two bytes count. GCM counts in
   * four, but no datagram is long enough to carry beyond two. To be encrypted before another key counts.
   */
  count(iv: Uint8Array, blocks: number, before: number): void {
    let counter = (iv[14]! << 8) | iv[15]!;
    for (let at = before * BLOCK; at < (before + blocks) * BLOCK; at += BLOCK, counter++) {
      for (let i = 0; i < 14; i++) counters[at + i] = iv[i]!;
      counters[at + 14] = counter >>> 8;
      counters[at + 15] = counter;
    }
  }

  /** The first `blocks` of what was counted, encrypted: in memory of their own. */
  encrypt(blocks: number): Buffer {
    views[blocks] ??= counters.subarray(0, blocks * BLOCK);
    return this.#aes.update(views[blocks]);
  }
}
