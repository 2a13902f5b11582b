import { type AesCounter, BLOCK, MOST_BLOCKS } from './aes-counter.ts';

const NOTHING = new Uint8Array(0);

/** Writes the counter block that a packet's keystream begins with; all 16 bytes. */
type CounterBlockOf = (iv: Uint8Array, ssrc: number, index: number) => void;

/**
 * The keystreams of one stream's packets under one key. Where packets come in order those of the next ones are made along,
 * since an update of a cipher object costs nearly as much for one packet as for eight. Each belongs to one index, so
 * none is used for two packets that the caller has not given the same index; what is forged makes one at a time.
 */
export class Keystreams {
  /** The keystream asked for last begins in it where `of` said. */
  stream: Uint8Array = NOTHING;
  readonly #aes: AesCounter;
  readonly #ivOf: CounterBlockOf;
  readonly #most: number;
  readonly #iv = new Uint8Array(BLOCK);
  /** Asked for last. */
  #ssrc = -1;
  #last = -1;
  /** Made ahead: `#count` keystreams of `#blocks` blocks each, the first for `#first`. */
  #ahead: Uint8Array = NOTHING;
  #aheadSsrc = -1;
  #first = 0;
  #count = 0;
  #blocks = 0;

  /** @param most packets whose keystreams are made at once */
  constructor(aes: AesCounter, most: number, ivOf: CounterBlockOf) {
    this.#aes = aes;
    this.#most = most;
    this.#ivOf = ivOf;
  }

  /** Where the keystream for `length` bytes (at most 2048) of that packet begins in `stream`. */
  of(ssrc: number, index: number, length: number): number {
    const inOrder = ssrc === this.#ssrc && index === this.#last + 1;
    this.#ssrc = ssrc;
    this.#last = index;
    const blocks = (length + BLOCK - 1) >> 4;
    const place = index - this.#first;
    if (ssrc === this.#aheadSsrc && place >= 0 && place < this.#count && blocks <= this.#blocks) {
      this.stream = this.#ahead;
      return place * this.#blocks * BLOCK;
    }
    if (inOrder) this.#makeAhead(ssrc, index, Math.max(1, blocks, this.#blocks));
    else this.stream = this.#make(ssrc, index, blocks, 1);
    return 0;
  }

  #makeAhead(ssrc: number, index: number, blocks: number): void {
    const count = Math.min(this.#most, Math.floor(MOST_BLOCKS / blocks));
    this.stream = this.#ahead = this.#make(ssrc, index, blocks, count);
    this.#aheadSsrc = ssrc;
    this.#first = index;
    this.#count = count;
    this.#blocks = blocks;
  }

  #make(ssrc: number, index: number, blocks: number, count: number): Uint8Array {
    for (let i = 0; i < count; i++) {
      this.#ivOf(this.#iv, ssrc, index + i);
      this.#aes.count(this.#iv, blocks, i * blocks);
    }
    return this.#aes.encrypt(blocks * count);
  }
}
