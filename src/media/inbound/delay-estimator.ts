import type { Ms } from '../../core/clock.ts';
import { SAMPLE_RATE } from '../audio.ts';
import { float64s } from '../call-memory.ts';

const BUCKET_MS = 5;
const BUCKETS = 40;
/** Share of packets that should arrive before they are due. */
const QUANTILE = 0.97;
/** Each packet weighs this much more than the one before: the memory is about 250 packets, 5 s. */
const GROWTH = 1 / 0.996;
const RECOMPUTE_EVERY = 8;
/** The fastest transit is looked for over one to two of these, so clock drift between the machines is followed. */
const WINDOW_MS = 4000;
/** A transit this far off is a new time base of the sender, not network delay. */
const REBASE_MS = 1000;

/**
 * How late packets come, relative to the fastest of the last seconds: a histogram with forgetting, as in WebRTC's
 * NetEQ delay manager. Pure: arrival times are passed in.
 */
export class DelayEstimator {
  /** Lateness of the last packet, ms. */
  lateness = 0;
  /** 97th percentile of lateness, upper edge of its 5 ms bucket; 0 before the first packet. */
  quantileMs = 0;

  readonly #histogram = float64s(BUCKETS);
  #weight = 1;
  #sum = 0;
  #sinceRecompute = 0;
  #windowStart = 0;
  #windowMin = Number.POSITIVE_INFINITY;
  #previousMin = Number.POSITIVE_INFINITY;
  #lastTimestamp = 0;
  #unwrapped = 0;
  #seen = false;

  reset(): void {
    this.#seen = false;
    this.#windowMin = Number.POSITIVE_INFINITY;
    this.#previousMin = Number.POSITIVE_INFINITY;
  }

  /** `timestamp` is the packet's RTP timestamp (32 bit), `now` its arrival. Returns its lateness in ms. */
  update(timestamp: number, now: Ms): Ms {
    if (!this.#seen) {
      this.#seen = true;
      this.#unwrapped = 0;
      this.#windowStart = now;
    } else {
      this.#unwrapped += (timestamp - this.#lastTimestamp) | 0;
    }
    this.#lastTimestamp = timestamp;
    const transit = now - (this.#unwrapped * 1000) / SAMPLE_RATE;
    const base = Math.min(this.#windowMin, this.#previousMin);
    if (Math.abs(transit - base) > REBASE_MS && base !== Number.POSITIVE_INFINITY) {
      this.#windowMin = transit;
      this.#previousMin = transit;
      this.#windowStart = now;
    } else {
      if (now - this.#windowStart > WINDOW_MS) {
        this.#previousMin = this.#windowMin;
        this.#windowMin = transit;
        this.#windowStart = now;
      }
      if (transit < this.#windowMin) this.#windowMin = transit;
    }
    this.lateness = Math.max(0, transit - Math.min(this.#windowMin, this.#previousMin));
    this.#count(this.lateness);
    return this.lateness;
  }

  #count(lateness: Ms): void {
    const bucket = Math.min(BUCKETS - 1, Math.floor(lateness / BUCKET_MS));
    this.#histogram[bucket]! += this.#weight;
    this.#sum += this.#weight;
    this.#weight *= GROWTH;
    if (++this.#sinceRecompute < RECOMPUTE_EVERY && this.quantileMs > 0) return;
    this.#sinceRecompute = 0;
    if (this.#weight > 1e12) this.#normalise();
    let left = this.#sum * QUANTILE;
    let edge = 0;
    while (edge < BUCKETS - 1) {
      left -= this.#histogram[edge]!;
      if (left <= 0) break;
      edge++;
    }
    this.quantileMs = (edge + 1) * BUCKET_MS;
  }

  #normalise(): void {
    for (let i = 0; i < BUCKETS; i++) this.#histogram[i]! /= this.#weight;
    this.#sum /= this.#weight;
    this.#weight = 1;
  }
}
