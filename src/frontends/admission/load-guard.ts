import type { LoadSample } from '../../call/admission.ts';
import type { Ms } from '../../core/clock.ts';
import { type Rate, TokenBucket } from '../../core/token-bucket.ts';

export type LoadLimits = LoadSample;

export type Overload = keyof LoadSample;

/** Time there is too little of, and what tells so. */
const TIMELY = ['cpu', 'loopDelayMs', 'setupMs'] as const satisfies readonly Overload[];
/** A limit is left behind only when its figure is below this part of it: no flapping at the edge. */
const RELEASE = 0.85;
/** As many samples in a row have to say so: one busy moment is no overload. */
const SAMPLES = 3;
/** What is left of the rate of new calls after a sample beyond a limit. */
const DECREASE = 0.75;
/** What it regains with a sample that is clear, of the rate at which the trouble began; more with each one in a row. */
const INCREASE = 0.05;
const FASTEST = 3;
/** Never less than this part of it: what comes of the calls that are taken says when more can be. */
const LEAST_SHARE = 0.1;
/** Nor than this many a second. */
const LEAST_PER_SECOND = 2;

/** So many times the limit of set-ups: a sample is that of the middle, this is one call. */
const TOO_LATE = 2;
/** What waits longer has been sent again (T1 of RFC 3261). */
const RETRANSMITTED_MS = 500;
/** Calls a second below which one busy moment is no overload. */
const CROWD = 10;

interface Bound {
  /** Calls a second that are taken. */
  perSecond: number;
  /** That were taken when it began. */
  readonly peak: number;
}

/**
 * Says which new calls must be refused so that those that are there do not suffer. Too little time costs as many of the new
 * calls as it takes: their rate is bounded (rate-based overload control, RFC 7415), not their share (RFC 7339 section 5.3),
 * since whoever is refused comes again and a share of more is more. Too little memory costs all of them: each adds to it.
 * Pure: samples come from load-probe.ts, at about even intervals.
 */
export class LoadGuard {
  readonly #limits: LoadLimits;
  #at: Ms;
  /** New calls since the last sample. */
  #asked = 0;
  #taken = 0;
  /** A second, until the last sample. */
  #askedPerSecond = 0;
  #bound: Bound | undefined;
  readonly #bucket: TokenBucket;
  /** Samples in a row beyond a limit of time; clear of all; beyond, or clear of, that of memory. */
  #strained = 0;
  #clear = 0;
  #turning = 0;
  #full = false;
  #short: Overload = 'cpu';

  constructor(limits: LoadLimits, now: Ms) {
    this.#limits = limits;
    this.#at = now;
    this.#bucket = new TokenBucket({ perSecond: 0, burst: 1 }, now);
  }

  observe(sample: LoadSample, now: Ms): void {
    const seconds = Math.max(1, now - this.#at) / 1000;
    const takenPerSecond = this.#taken / seconds;
    this.#askedPerSecond = this.#asked / seconds;
    this.#at = now;
    this.#asked = 0;
    this.#taken = 0;
    this.#watchMemory(sample);
    const short = TIMELY.find((key) => sample[key] > this.#limits[key]);
    const clear = TIMELY.every((key) => this.#isClear(key, sample));
    this.#strained = short === undefined ? 0 : this.#strained + 1;
    this.#clear = clear ? this.#clear + 1 : 0;
    if (short !== undefined && (this.#bound !== undefined || this.#strained >= SAMPLES)) {
      this.#short = short;
      this.#tighten(takenPerSecond);
    } else if (clear) this.#loosen();
  }

  /** What is exhausted; undefined while all calls are taken. */
  get overload(): Overload | undefined {
    if (this.#full) return 'memory';
    return this.#bound === undefined ? undefined : this.#short;
  }

  /** How many of the new calls are taken, as they came until the last sample: 1 all, 0 none. */
  get share(): number {
    if (this.#full) return 0;
    if (this.#bound === undefined) return 1;
    return Math.min(1, this.#bound.perSecond / Math.max(this.#askedPerSecond, this.#bound.peak));
  }

  /**
   * Why this new call is not to be taken; undefined: it is. Asked once for each. `waitedMs`: until we read its INVITE. One that
   * is later in a crowd than set-ups may be is not even begun: its caller, or the edge, will have given up when it is answered.
   */
  refuses(waitedMs: Ms, now: Ms): Overload | undefined {
    this.#asked++;
    if (this.#full) return 'memory';
    const tooLateMs = Math.max(RETRANSMITTED_MS, this.#limits.setupMs * TOO_LATE);
    if (this.#askedPerSecond >= CROWD && waitedMs > tooLateMs) return 'setupMs';
    if (this.#bound !== undefined && !this.#bucket.take(rateOf(this.#bound), now)) return this.#short;
    this.#taken++;
    return undefined;
  }

  #isClear(key: Overload, sample: LoadSample): boolean {
    return sample[key] < this.#limits[key] * RELEASE;
  }

  #watchMemory(sample: LoadSample): void {
    const turns = this.#full ? this.#isClear('memory', sample) : sample.memory > this.#limits.memory;
    this.#turning = turns ? this.#turning + 1 : 0;
    if (this.#turning < SAMPLES) return;
    this.#full = !this.#full;
    this.#turning = 0;
  }

  #tighten(takenPerSecond: number): void {
    this.#bound ??= { perSecond: takenPerSecond, peak: takenPerSecond };
    const { perSecond, peak } = this.#bound;
    // Fewer came than might have: it is these that are too many.
    const base = Math.min(perSecond, takenPerSecond);
    this.#bound.perSecond = Math.max(LEAST_PER_SECOND, peak * LEAST_SHARE, base * DECREASE);
  }

  #loosen(): void {
    if (this.#bound === undefined) return;
    const step = Math.max(this.#bound.peak, LEAST_PER_SECOND) * INCREASE * Math.min(this.#clear, FASTEST);
    this.#bound.perSecond += step;
    if (this.#bound.perSecond >= Math.max(this.#bound.peak, this.#askedPerSecond)) this.#bound = undefined;
  }
}

/** Evenly, but for two that come together. */
function rateOf({ perSecond }: Bound): Rate {
  return { perSecond, burst: Math.max(2, perSecond / 20) };
}
