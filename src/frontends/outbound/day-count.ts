import type { Ms } from '../../core/clock.ts';

const HOUR: Ms = 3_600_000;
const HOURS = 24;

/** How often something happened in the last 24 hours, to the hour. Pure: time is passed in. */
export class DayCount {
  readonly #counts = new Uint32Array(HOURS);
  /** Of the newest count. */
  #hour = 0;
  #total = 0;

  add(now: Ms): void {
    this.#advance(now);
    this.#counts[this.#hour % HOURS]!++;
    this.#total++;
  }

  total(now: Ms): number {
    this.#advance(now);
    return this.#total;
  }

  /** Forgets the hours that are a day old. */
  #advance(now: Ms): void {
    const hour = Math.floor(now / HOUR);
    if (hour - this.#hour >= HOURS) {
      this.#counts.fill(0);
      this.#total = 0;
      this.#hour = hour;
    }
    while (this.#hour < hour) {
      this.#hour++;
      this.#total -= this.#counts[this.#hour % HOURS]!;
      this.#counts[this.#hour % HOURS] = 0;
    }
  }
}
