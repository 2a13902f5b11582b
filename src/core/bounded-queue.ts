/** What a full queue does with one more item. */
export type WhenFull = 'drop-oldest' | 'refuse';

/**
 * A queue that states its size and what happens when it is full, read as an async iterable by one consumer.
 * `close` lets the consumer finish what is queued; `fail` makes it throw after that.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  #items: T[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #error: unknown;
  #dropped = 0;
  readonly #capacity: number;
  readonly #whenFull: WhenFull;

  constructor(capacity: number, whenFull: WhenFull) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`queue capacity ${capacity}`);
    this.#capacity = capacity;
    this.#whenFull = whenFull;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Items lost to `drop-oldest` so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False when the queue is closed, or full and told to refuse. */
  push(item: T): boolean {
    if (this.#closed) return false;
    if (this.#items.length >= this.#capacity) {
      if (this.#whenFull === 'refuse') return false;
      this.#items.shift();
      this.#dropped++;
    }
    this.#items.push(item);
    this.#wake?.();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        yield item;
      } else if (this.#closed) {
        if (this.#error !== undefined) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
