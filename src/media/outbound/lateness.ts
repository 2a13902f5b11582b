import type { Ms } from '../../core/clock.ts';

/** Upper edges of the buckets, ms: a quarter of a millisecond where it matters, coarser where all is lost. */
const EDGES: readonly Ms[] = [
  ...Array.from({ length: 40 }, (_, i) => (i + 1) / 4),
  ...Array.from({ length: 40 }, (_, i) => 11 + i),
  ...Array.from({ length: 15 }, (_, i) => 60 + 10 * i),
  Number.POSITIVE_INFINITY,
];

/** How late a worker's ticks were, ms; quantiles are upper edges of their buckets. */
export interface TickLateness {
  ticks: number;
  p50Ms: Ms;
  p99Ms: Ms;
  maxMs: Ms;
}

/** Counts are kept for one to two of these. */
const PERIOD_MS = 10_000;

/**
 * Distribution of the last 10 to 20 s: two sets of fixed buckets used in turn. No allocation per tick, no list that
 * grows. Pure: time is an argument.
 */
export class LatenessHistogram {
  #current = new Uint32Array(EDGES.length);
  #before = new Uint32Array(EDGES.length);
  #max: Ms = 0;
  #maxBefore: Ms = 0;
  #period = 0;

  note(lateness: Ms, now: Ms): void {
    this.#turnTo(now);
    const late = Math.max(0, lateness);
    let bucket = late <= 10 ? Math.max(0, Math.ceil(late * 4) - 1) : 40;
    while (late > EDGES[bucket]!) bucket++;
    this.#current[bucket] = this.#current[bucket]! + 1;
    if (late > this.#max) this.#max = late;
  }

  read(now: Ms): TickLateness {
    this.#turnTo(now);
    const counts = this.#current.map((count, i) => count + this.#before[i]!);
    const ticks = counts.reduce((sum, count) => sum + count, 0);
    const maxMs = Math.max(this.#max, this.#maxBefore);
    const quantile = (share: number): Ms => {
      let below = 0;
      const at = counts.findIndex((count) => {
        below += count;
        return below > 0 && below >= share * ticks;
      });
      return at < 0 ? 0 : Math.min(EDGES[at]!, maxMs);
    };
    return { ticks, p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs };
  }

  #turnTo(now: Ms): void {
    const period = Math.floor(now / PERIOD_MS);
    if (period === this.#period) return;
    [this.#before, this.#current] = [this.#current, this.#before];
    this.#maxBefore = this.#max;
    if (period !== this.#period + 1) {
      this.#before.fill(0);
      this.#maxBefore = 0;
    }
    this.#current.fill(0);
    this.#max = 0;
    this.#period = period;
  }
}
