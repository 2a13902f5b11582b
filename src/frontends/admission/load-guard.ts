import type { LoadSample } from '../../call/admission.ts';
import type { Ms } from '../../core/clock.ts';
import { rateOf, TokenBucket } from '../../core/token-bucket.ts';

export type LoadLimits = LoadSample;

export type Overload = keyof LoadSample;

/** Time there is too little of, and what tells so. */
const TIMELY = ['cpu', 'loopDelayMs', 'setupMs'] as const satisfies readonly Overload[];
/** A limit is left behind only when its figure is below this part of it: no flapping at the edge. */
const RELEASE = 0.85;
/** As many samples in a row have to say so: one busy moment is no overload. */
const SAMPLES = 3;
/** How many are taken after a sample beyond a limit, of those that were answered: what waits is worked off with the others. */
const DECREASE = 0.8;
/** Weight of the newest sample in what is usually answered. */
const NEWEST = 0.5;
/**
 * What it regains with a sample of an idle process, of the rate at which all began; less, the nearer a limit is. Quickly up to
 * where the last trouble was, then slowly at first and more with each clear sample (as TCP does, RFC 9438): that is where the
 * next trouble is, unless something has changed.
 */
const INCREASE = 0.2;
const CAREFUL_INCREASE = 0.02;
const BOLDEST = 10;
/** What is so much less than before is being worked off already. */
const BETTER = 0.9;
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
  /** That were answered when it began. */
  readonly peak: number;
  /** What the last trouble left. */
  careful: number;
  /** Clear samples in a row beyond that. */
  clear: number;
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
  /** Calls answered a second. */
  #usual: number | undefined;
  /** A second, until the last sample. */
  #askedPerSecond = 0;
  #bound: Bound | undefined;
  readonly #bucket: TokenBucket;
  /** Samples in a row beyond a limit of time; beyond, or clear of, that of memory. */
  #strained = 0;
  #turning = 0;
  /** The sample after a decrease tells of calls that were taken before it. */
  #tightened = false;
  /** How far beyond its limit the worst figure was in the last sample. */
  #excess = 0;
  #full = false;
  #short: Overload = 'cpu';

  constructor(limits: LoadLimits, now: Ms) {
    this.#limits = limits;
    this.#at = now;
    this.#bucket = new TokenBucket({ perSecond: 0, burst: 1 }, now);
  }

  /**
   * `answered`: calls since the last sample. What comes out says what may go in: of calls that are only taken nobody has
   * anything. `waiting`: calls that wait for their turn; as long as there are any, they come at the rate that is kept.
   */
  observe(sample: LoadSample, now: Ms, { answered, waiting = 0 }: { answered: number; waiting?: number }): void {
    const seconds = Math.max(1, now - this.#at) / 1000;
    const perSecond = answered / seconds;
    this.#usual = this.#usual === undefined ? perSecond : this.#usual + (perSecond - this.#usual) * NEWEST;
    this.#askedPerSecond = this.#asked / seconds;
    this.#at = now;
    this.#asked = 0;
    this.#watchMemory(sample);
    const short = TIMELY.find((key) => sample[key] > this.#limits[key]);
    this.#strained = short === undefined ? 0 : this.#strained + 1;
    const excess = Math.max(...TIMELY.map((key) => sample[key] / this.#limits[key]));
    const better = excess < this.#excess * BETTER;
    this.#excess = excess;
    if (this.#tightened || (this.#bound !== undefined && short !== undefined && better)) this.#tightened = false;
    else if (short !== undefined && (this.#bound !== undefined || this.#strained >= SAMPLES)) {
      this.#short = short;
      this.#tighten();
    } else if (excess < RELEASE) this.#loosen(1 - excess, waiting);
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
   * `behindOthers`: some wait already.
   */
  refuses(waitedMs: Ms, now: Ms, behindOthers = false): Overload | undefined {
    this.#asked++;
    if (this.#full) return 'memory';
    if (behindOthers) return this.#short;
    const tooLateMs = Math.max(RETRANSMITTED_MS, this.#limits.setupMs * TOO_LATE);
    if (this.#askedPerSecond >= CROWD && waitedMs > tooLateMs) return 'setupMs';
    return this.#hasTime(now) ? undefined : this.#short;
  }

  /** How long it takes until so many of those that wait have had their turn, when the present trouble is over. */
  waitMs(calls: number): Ms {
    if (this.#bound === undefined) return 0;
    return (calls / Math.max(this.#bound.perSecond, this.#bound.careful)) * 1000;
  }

  /** Is there time for one of those that wait? */
  takesWaiting(now: Ms): boolean {
    return !this.#full && this.#hasTime(now);
  }

  /** For one more, whoever it is: evenly, but for two that come together. */
  #hasTime(now: Ms): boolean {
    if (this.#bound === undefined) return true;
    const { perSecond } = this.#bound;
    return this.#bucket.take(rateOf(perSecond, Math.max(2, perSecond / 20)), now);
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

  #tighten(): void {
    const usual = this.#usual ?? 0;
    this.#bound ??= { perSecond: usual, peak: usual, careful: usual, clear: 1 };
    const bound = this.#bound;
    this.#tightened = true;
    bound.perSecond = Math.max(LEAST_PER_SECOND, bound.peak * LEAST_SHARE, Math.min(bound.perSecond, usual) * DECREASE);
    // Trouble upon trouble is the same one, until what waits has been worked off.
    if (bound.clear > 0) bound.careful = bound.perSecond;
    bound.clear = 0;
  }

  #loosen(headroom: number, waiting: number): void {
    const bound = this.#bound;
    if (bound === undefined) return;
    const whole = Math.max(bound.peak, bound.careful, LEAST_PER_SECOND) * headroom;
    if (bound.perSecond < bound.careful) {
      bound.perSecond = Math.min(bound.careful, bound.perSecond + whole * INCREASE);
      bound.clear = 1;
    } else bound.perSecond += whole * CAREFUL_INCREASE * Math.min(++bound.clear, BOLDEST);
    if (waiting === 0 && bound.perSecond >= Math.max(bound.peak, this.#askedPerSecond)) this.#bound = undefined;
  }
}
