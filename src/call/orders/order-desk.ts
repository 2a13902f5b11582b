import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type Rate, TokenBucket } from '../../core/token-bucket.ts';
import type { ClaimedOrder } from './order.ts';
import type { CancelOutcome, NewOrder, OrderBook, OrderQuery } from './order-book.ts';
import { type AttemptResult, putBack, type Settlement, settle } from './settle.ts';

/** A call that is being made for an order. */
export interface OrderCall {
  /** Resolves when somebody or something has picked up; never when nobody does. */
  readonly answered: Promise<void>;
  /** Never rejects; `undefined`: there was no room after all, nothing was dialled. */
  readonly result: Promise<AttemptResult | undefined>;
  /** Gives it up while it rings; does nothing to an answered call. */
  cancel(): void;
}

export interface OrderDeskOptions {
  book: OrderBook;
  /** Makes the call of the order's last attempt. Must not throw. */
  dial(order: ClaimedOrder): OrderCall;
  /** How many more calls may go out now, besides those of this desk: what is left when inbound calls keep their share. */
  room(): number;
  /** Calls at once, and their rate. */
  limits: { calls: number; rate: Rate };
  clock: Clock;
  log: Logger;
  /** Makes the orders that others want made now, as campaigns do. */
  feed?(): Promise<unknown>;
}

/** Between two looks for orders that are due; and while the database is away. */
const POLL_MS: Ms = 500;
const AWAY_PAUSE_MS: Ms = 2000;
const NO_ROOM_PAUSE_MS: Ms = 5000;
const SETTLE_PAUSE_MS: Ms = 1000;
const CLEAN_UP_EVERY_MS: Ms = 15_000;

/**
 * Makes the calls that are ordered: claims what is due as long as there is room, and writes down what each came to. What
 * it claimed and could not write down (the database is away) is tried again until it stands; as many as run at once.
 */
export class OrderDesk {
  readonly #o: OrderDeskOptions;
  readonly #running = new Map<string, OrderCall>();
  readonly #work = new Set<Promise<void>>();
  readonly #bucket: TokenBucket;
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;
  #poked = false;
  #loop: Promise<void> | undefined;
  #cleanedUpAt = Number.NEGATIVE_INFINITY;

  constructor(options: OrderDeskOptions) {
    this.#o = options;
    this.#bucket = new TokenBucket(options.limits.rate, options.clock.now());
  }

  /** Calls that are being dialled or talking for an order. */
  get size(): number {
    return this.#running.size;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async place(order: NewOrder): ReturnType<OrderBook['place']> {
    const placed = await this.#o.book.place(order);
    this.poke();
    return placed;
  }

  earlier(asked: Parameters<OrderBook['earlier']>[0]): ReturnType<OrderBook['earlier']> {
    return this.#o.book.earlier(asked);
  }

  get(orderId: string): ReturnType<OrderBook['get']> {
    return this.#o.book.get(orderId);
  }

  list(query: OrderQuery): ReturnType<OrderBook['list']> {
    return this.#o.book.list(query);
  }

  /** Takes an order back: at once when it waits, by giving up the call while it rings, here or at another connector. */
  async cancel(orderId: string): ReturnType<OrderBook['cancel']> {
    const done = await this.#o.book.cancel(orderId);
    if (done?.outcome === ('asked' satisfies CancelOutcome)) this.#running.get(orderId)?.cancel();
    return done;
  }

  /** Something may be due. */
  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  /** Claims nothing more. Resolves when what runs is over and written down, which it brings about by nothing itself. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#loop;
    await Promise.all(this.#work);
  }

  async #run(): Promise<void> {
    const { log } = this.#o;
    while (!this.#stop.signal.aborted) {
      let pause = POLL_MS;
      this.#poked = false;
      try {
        await this.#cleanUp();
        await this.#o.feed?.();
        if (this.#running.size > 0) await this.#giveUpCancelled();
        while (await this.#next());
      } catch (error) {
        log.debug({ err: error }, 'the order book does not answer');
        pause = AWAY_PAUSE_MS;
      }
      await this.#rest(pause);
    }
  }

  /** Starts one order that is due. False when there is none, or no room. */
  async #next(): Promise<boolean> {
    const { book, limits, clock, room } = this.#o;
    if (this.#stop.signal.aborted || this.#running.size >= limits.calls || room() <= 0) return false;
    if (!this.#bucket.take(limits.rate, clock.now())) return false;
    let order: ClaimedOrder | undefined;
    try {
      order = await book.claim();
    } finally {
      if (order === undefined) this.#bucket.giveBack();
    }
    if (order === undefined) return false;
    const work = this.#make(order).finally(() => this.#work.delete(work));
    this.#work.add(work);
    return true;
  }

  async #make(order: ClaimedOrder): Promise<void> {
    const { book, clock, dial, log } = this.#o;
    const { orderId } = order;
    if (order.barred) {
      const now = clock.wall();
      // There was no call.
      const attempts = order.attempts.slice(0, -1);
      const become = (one: ClaimedOrder) => settle(one, { outcome: 'do-not-call', answered: false }, now);
      await this.#settle(order, (one) => ({ ...become(one), attempts }));
      return;
    }
    if (this.#stop.signal.aborted) {
      const now = clock.wall();
      await this.#settle(order, (one) => putBack(one, now, 0));
      return;
    }
    const call = dial(order);
    this.#running.set(orderId, call);
    void call.answered.then(() =>
      book.answered(order).catch((error) => log.debug({ err: error, order_id: orderId }, 'answer not noted')),
    );
    const result = await call.result;
    this.#running.delete(orderId);
    const now = clock.wall();
    const settled = await this.#settle(order, (one) =>
      result === undefined ? putBack(one, now, NO_ROOM_PAUSE_MS) : settle(one, result, now),
    );
    log.info(
      { order_id: orderId, state: settled?.state, outcome: result?.outcome ?? settled?.outcome },
      'order dialled',
    );
    this.poke();
  }

  /** Until it stands. While we close, for a few tries: the next start finds it by the call's record. Undefined: it does not. */
  async #settle(order: ClaimedOrder, become: (order: ClaimedOrder) => Settlement): Promise<Settlement | undefined> {
    for (let tries = 0; ; tries++) {
      try {
        const settled = await this.#o.book.settle(order, become);
        if (!settled) this.#o.log.warn({ order_id: order.orderId }, 'somebody else settled this order meanwhile');
        return settled;
      } catch (error) {
        const { code, retryable } = asFailure(error);
        this.#o.log.warn({ order_id: order.orderId, code }, 'the outcome of an order is not written down yet');
        if (!retryable || (this.#stop.signal.aborted && tries >= 2)) return undefined;
      }
      await sleep(this.#stop.signal.aborted ? SETTLE_PAUSE_MS / 4 : SETTLE_PAUSE_MS);
    }
  }

  /** Orders that another connector's API was told to cancel. */
  async #giveUpCancelled(): Promise<void> {
    for (const orderId of await this.#o.book.cancelRequests()) this.#running.get(orderId)?.cancel();
  }

  async #cleanUp(): Promise<void> {
    const { book, clock, log } = this.#o;
    if (clock.now() - this.#cleanedUpAt < CLEAN_UP_EVERY_MS) return;
    this.#cleanedUpAt = clock.now();
    const [expired, repaired] = [await book.expire(), await book.repair()];
    if (expired + repaired > 0) log.warn({ expired, repaired }, 'orders settled that were left or too late');
  }

  async #rest(ms: Ms): Promise<void> {
    if (this.#poked || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
