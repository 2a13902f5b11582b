import type { Clock, Ms } from '../core/clock.ts';

/** Something that wants to be woken at a time. */
export interface Timed {
  /** When next; undefined for never. Read again after each wake-up and each `changed`. */
  deadline(): Ms | undefined;
  wake(now: Ms): void;
}

/** A place in the heap. Left behind by what has ended or stands further up, it refers to nothing any more. */
interface Node {
  readonly at: Ms;
  timed: Timed | undefined;
}

/** Sleeping longer than this at once is pointless, and setTimeout cannot go past 2^31 ms. */
const LONGEST_SLEEP: Ms = 60_000;

/**
 * One timer for all transactions: a binary heap of deadlines. An entry whose deadline moved is left where it is and
 * put right when it surfaces, so that re-arming costs nothing while deadlines only move back.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #heap: Node[] = [];
  /** The place of each entry in the heap. */
  readonly #queued = new Map<Timed, Node>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt: Ms = Number.POSITIVE_INFINITY;
  #closed = false;

  /** `onError` is told what a wake-up threw; the others go on. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  now(): Ms {
    return this.#clock.now();
  }

  /** Waiting entries. */
  get size(): number {
    return this.#queued.size;
  }

  /** Call after anything that may have brought the deadline forward, or ended it. */
  changed(timed: Timed): void {
    if (this.#closed) return;
    const at = timed.deadline();
    const queued = this.#queued.get(timed);
    if (at === undefined) {
      if (queued === undefined) return;
      // Its place goes on standing in the heap until its old time: a whole call must not hang on it (a session timer's
      // is a quarter of an hour away).
      queued.timed = undefined;
      this.#queued.delete(timed);
      this.#compact();
      return;
    }
    if (queued !== undefined && queued.at <= at) return;
    if (queued !== undefined) queued.timed = undefined;
    const node = { at, timed };
    this.#queued.set(timed, node);
    this.#push(node);
    this.#arm();
  }

  /** Calls `run` once after `delay`; the returned function cancels it. */
  after(delay: Ms, run: () => void): () => void {
    let at: Ms | undefined = this.now() + delay;
    const timed: Timed = {
      deadline: () => at,
      wake: () => {
        at = undefined;
        run();
      },
    };
    this.changed(timed);
    return () => {
      at = undefined;
      this.changed(timed);
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#heap.length = 0;
    this.#queued.clear();
  }

  #run(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.now();
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#pop();
      const { timed } = top;
      if (timed === undefined) continue;
      this.#queued.delete(timed);
      const due = timed.deadline();
      try {
        if (due !== undefined && due <= now) timed.wake(now);
      } catch (error) {
        this.#onError(error);
      }
      this.changed(timed);
    }
    this.#arm();
  }

  #arm(): void {
    const top = this.#heap[0];
    if (top === undefined || top.at >= this.#timerAt || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timerAt = top.at;
    const delay = Math.min(Math.max(1, Math.ceil(top.at - this.now())), LONGEST_SLEEP);
    this.#timer = setTimeout(() => this.#run(), delay);
  }

  /** Rebuilt once most of the heap is left behind. */
  #compact(): void {
    if (this.#heap.length < 4 * this.#queued.size + 1024) return;
    // A sorted array is a heap.
    const live = this.#heap.filter((node) => node.timed !== undefined).sort((a, b) => a.at - b.at);
    this.#heap.length = 0;
    for (const node of live) this.#heap.push(node);
  }

  #push(node: Node): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(node);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (above.at <= node.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = node;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
