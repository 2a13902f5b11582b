import type { GrammarDecoder } from './decoder.ts';
import type { CompiledGrammar } from './grammar-cache.ts';

export interface Lease {
  decoder: GrammarDecoder;
  /** Gives it back; `broken` when it threw, then it is replaced. Twice is once. */
  release(broken?: boolean): void;
}

interface Waiter {
  grammar: CompiledGrammar;
  take(lease: Lease): void;
}

/**
 * The decoders of one worker thread, leased for one segment of speech at a time; those who find none free wait in
 * line. A decoder that already holds the wanted grammar is preferred, then the one whose own grammar is the least loss:
 * putting the grammar of an open question back takes ten times as long as a yes or no, and the whole thread waits for
 * it. When the last free one is taken another is made, up to `most`.
 */
export class DecoderPool {
  readonly #create: () => Promise<GrammarDecoder>;
  readonly #onError: (error: unknown) => void;
  readonly #most: number;
  /** Least recently used first. */
  readonly #free: GrammarDecoder[] = [];
  readonly #waiters: Waiter[] = [];
  #count = 0;
  #making = 0;

  constructor(create: () => Promise<GrammarDecoder>, most: number, onError: (error: unknown) => void) {
    this.#create = create;
    this.#most = most;
    this.#onError = onError;
  }

  get size(): number {
    return this.#count;
  }

  get free(): number {
    return this.#free.length;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Makes decoders until there are `least`. Rejects when one does not start. */
  async fill(least: number): Promise<void> {
    while (this.#count < least) await this.#grow();
  }

  /** Calls `take` now or when a decoder is free; the function returned leaves the line. */
  lease(grammar: CompiledGrammar, take: (lease: Lease) => void): () => void {
    const waiter: Waiter = { grammar, take };
    this.#waiters.push(waiter);
    this.#serve();
    return () => {
      const at = this.#waiters.indexOf(waiter);
      if (at >= 0) this.#waiters.splice(at, 1);
    };
  }

  /** Puts the grammar into a free decoder while there is time, unless one holds it already. */
  prepare(grammar: CompiledGrammar): void {
    if (this.#free.length === 0 || this.#free.some((decoder) => decoder.key === grammar.key)) return;
    const decoder = this.#free[this.#leastLoss()]!;
    this.#tried(decoder, () => decoder.load(grammar));
    this.#free.push(...this.#free.splice(this.#free.indexOf(decoder), 1));
  }

  /** Puts the grammar into all that are free and hold none, and lets the first of them listen to a moment of silence. */
  equip(grammar: CompiledGrammar): void {
    const [first, ...others] = this.#free.filter(({ key }) => key === undefined);
    if (first === undefined) return;
    this.#tried(first, () => first.load(grammar));
    for (const decoder of others) decoder.takeAfter(first);
    first.warmUp();
  }

  /** A free one that throws is replaced. */
  #tried(decoder: GrammarDecoder, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#free.splice(this.#free.indexOf(decoder), 1);
      this.#leaseOf(decoder).release(true);
      throw error;
    }
  }

  /** Index of the free decoder to put another grammar in, the one unused the longest among equals. */
  #leastLoss(): number {
    let least = 0;
    let loss = Number.POSITIVE_INFINITY;
    this.#free.forEach(({ key, grammarSize }, index) => {
      // the others still have it
      const spare = this.#free.some((other, at) => at !== index && other.key === key);
      const mine = spare ? grammarSize / 2 : grammarSize;
      if (mine >= loss) return;
      loss = mine;
      least = index;
    });
    return least;
  }

  #serve(): void {
    while (this.#waiters.length > 0 && this.#free.length > 0) {
      const waiter = this.#waiters.shift()!;
      const holding = this.#free.findIndex((decoder) => decoder.key === waiter.grammar.key);
      const [decoder] = this.#free.splice(holding >= 0 ? holding : this.#leastLoss(), 1);
      waiter.take(this.#leaseOf(decoder!));
    }
    if (this.#free.length === 0 && this.#making === 0 && this.#count < this.#most) {
      // not within the tick of the speech that took the last one
      setImmediate(() => {
        if (this.#count < this.#most && this.#making === 0) this.#grow().catch(this.#onError);
      });
    }
  }

  #leaseOf(decoder: GrammarDecoder): Lease {
    let released = false;
    return {
      decoder,
      release: (broken = false) => {
        if (released) return;
        released = true;
        if (!broken && !decoder.worn) {
          this.#free.push(decoder);
        } else {
          this.#count--;
          this.#grow().catch(this.#onError);
        }
        this.#serve();
      },
    };
  }

  async #grow(): Promise<void> {
    this.#making++;
    this.#count++;
    try {
      this.#free.unshift(await this.#create());
    } catch (error) {
      this.#count--;
      throw error;
    } finally {
      this.#making--;
    }
    this.#serve();
  }
}
