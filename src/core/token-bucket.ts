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

  /** Takes one; false when there is none. The rate may differ from the last time: limits are reloaded. */
  take(rate: Rate, now: Ms): boolean {
    this.#tokens = Math.min(rate.burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * rate.perSecond);
    this.#at = Math.max(this.#at, now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** One that was taken was not needed. */
  giveBack(): void {
    this.#tokens += 1;
  }

  /** Until the next one, at this rate. */
  waitMs({ perSecond }: Rate): Ms {
    return Math.max(0, ((1 - this.#tokens) / perSecond) * 1000);
  }
}
