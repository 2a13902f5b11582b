import type { Ms } from './clock.ts';

/** `perSecond` on average, `burst` at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** What is allowed at once where nothing is said of it: what is allowed in a second, and one at least. */
export function rateOf(perSecond: number, burst: number = Math.max(1, Math.ceil(perSecond))): Rate {
  return { perSecond, burst };
}

/** A rate, kept with one number and one time. Full when made. Pure: time is passed in. */
export class TokenBucket {
  #tokens: number;
  #at: Ms;

  constructor(rate: Rate, now: Ms) {
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes `cost`; false when there is less. The rate may differ from the last time: limits are reloaded. */
  take(rate: Rate, now: Ms, cost = 1): boolean {
    this.#tokens = Math.min(rate.burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * rate.perSecond);
    this.#at = Math.max(this.#at, now);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** What was taken was not needed. */
  giveBack(cost = 1): void {
    this.#tokens += cost;
  }

  /** Until the next one, at this rate. */
  waitMs({ perSecond }: Rate): Ms {
    return Math.max(0, ((1 - this.#tokens) / perSecond) * 1000);
  }
}
