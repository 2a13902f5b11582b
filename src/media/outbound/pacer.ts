import type { Clock, Ms } from '../../core/clock.ts';
import { FRAME_MS } from '../audio.ts';
import { LatenessHistogram, type TickLateness } from './lateness.ts';

/** Ticks made up for after a late wake-up; what is owed beyond that (the process was suspended) is skipped. */
const MAX_OWED = 10;
/** A tick this close ahead is done now: a timer could only come a whole millisecond later. */
const EARLY_MS = 0.6;

/** How long before a tick the hook `before` is called: as long as its work for hundreds of calls takes, or the tick is late. */
export const BEFORE_MS: Ms = 8;

export interface PacerHooks {
  /**
   * Some milliseconds before a tick is due: work whose result should count in that very tick. Left out when the
   * wake-up comes late.
   */
  before?(due: Ms): void;
  /** One frame of time. `due` is the deadline: an exact multiple of 20 ms after the start. */
  tick(due: Ms): void;
  /** After the last tick of a wake-up: work that may come late. `nextDue`: when the next tick is. */
  idle(nextDue: Ms): void;
  /** Time has passed for which no tick will be made: `frames` of 20 ms. */
  skipped(frames: number): void;
}

/**
 * One timer that drives all calls of a worker by absolute deadlines: lateness never adds up, and after a late wake-up
 * exactly the ticks owed are made up, after the event loop has read the packets that came in meanwhile.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #hooks: PacerHooks;
  #due: Ms = 0;
  /** `before` has been called for the coming tick, or nobody wants it. */
  #prepared = false;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** Worst lateness per second, ms, of the last ten seconds. */
  readonly #worst = new Float64Array(10);
  #second = -1;
  readonly #histogram = new LatenessHistogram();

  constructor(clock: Clock, hooks: PacerHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  get running(): boolean {
    return this.#timer !== undefined || this.#immediate !== undefined;
  }

  start(): void {
    if (this.running) return;
    this.#due = this.#clock.now() + FRAME_MS;
    this.#prepared = this.#hooks.before === undefined;
    this.#sleep(this.#clock.now());
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  /** Worst lateness of a tick in the last ten seconds, ms. */
  worstLateness(now: Ms): Ms {
    this.#turnTo(Math.floor(now / 1000));
    return Math.max(...this.#worst);
  }

  /** Distribution of the ticks' lateness in the last 10 to 20 s. */
  lateness(now: Ms): TickLateness {
    return this.#histogram.read(now);
  }

  #sleep(now: Ms): void {
    const until = this.#prepared ? this.#due : this.#due - BEFORE_MS;
    this.#timer = setTimeout(this.#wake, Math.max(1, Math.round(until - now)));
  }

  readonly #wake = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    if (now < this.#due - EARLY_MS) {
      if (!this.#prepared && now >= this.#due - BEFORE_MS - EARLY_MS) {
        this.#prepared = true;
        this.#hooks.before?.(this.#due);
      }
      this.#sleep(this.#clock.now());
    } else if (now >= this.#due + FRAME_MS) {
      this.#immediate = setImmediate(this.#catchUp);
    } else {
      this.#run(now);
    }
  };

  readonly #catchUp = (): void => {
    this.#immediate = undefined;
    this.#run(this.#clock.now());
  };

  #run(now: Ms): void {
    this.#noteLateness(now, now - this.#due);
    const owed = Math.floor((now + EARLY_MS - this.#due) / FRAME_MS) + 1;
    if (owed > MAX_OWED) {
      const skipped = owed - MAX_OWED;
      this.#due += skipped * FRAME_MS;
      this.#hooks.skipped(skipped);
    }
    const last = now + EARLY_MS;
    while (this.#due <= last) {
      this.#histogram.note(now - this.#due, now);
      this.#hooks.tick(this.#due);
      this.#due += FRAME_MS;
    }
    this.#prepared = this.#hooks.before === undefined;
    this.#hooks.idle(this.#due);
    this.#sleep(this.#clock.now());
  }

  #noteLateness(now: Ms, lateness: Ms): void {
    const second = Math.floor(now / 1000);
    this.#turnTo(second);
    const slot = second % 10;
    if (lateness > this.#worst[slot]!) this.#worst[slot] = lateness;
  }

  #turnTo(second: number): void {
    const from = Math.max(this.#second + 1, second - 9);
    for (let s = from; s <= second; s++) this.#worst[s % 10] = 0;
    this.#second = second;
  }
}
