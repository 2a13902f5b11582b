import type { Ms } from '../../core/clock.ts';
import { rateOf, TokenBucket } from '../../core/token-bucket.ts';
import { Trend } from './trend.ts';

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
/** Of the present rate, where a process has more than half of its limit to spare: then the bound is what is wrong. */
const BOLD_INCREASE = 0.5;
const TO_SPARE = 0.5;
/** Never less than this part of it: what comes of the calls that are taken says when more can be. */
const LEAST_SHARE = 0.1;
/** Nor than this many a second. */
const LEAST_PER_SECOND = 2;

/** What was seen since the last sample. */
export interface Traffic {
  /** A second. */
  asked: number;
  answered: number;
  /** Calls that wait for their turn. */
  waiting: number;
}

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
 * How many calls are taken in a second, when they cost more processor than there is as long as they last. A rate
 * (RFC 7415), not a share (RFC 7339 section 5.3), since whoever is refused comes again and a share of more is more. Pure:
 * time is passed in.
 */
export class RateBound {
  /** Calls answered a second. */
  #usual: number | undefined;
  #bound: Bound | undefined;
  readonly #bucket: TokenBucket;
  readonly #trend = new Trend();

  constructor(now: Ms) {
    this.#bucket = new TokenBucket({ perSecond: 0, burst: 1 }, now);
  }

  /** Calls a second; undefined while as many are taken as come. */
  get perSecond(): number | undefined {
    return this.#bound?.perSecond;
  }

  /** What it is when the present trouble is over. */
  get soonPerSecond(): number | undefined {
    return this.#bound && Math.max(this.#bound.perSecond, this.#bound.careful);
  }

  /** Is there time for one more? Evenly, but for two that come together. */
  takes(now: Ms): boolean {
    if (this.#bound === undefined) return true;
    const { perSecond } = this.#bound;
    return this.#bucket.take(rateOf(perSecond, Math.max(2, perSecond / 20)), now);
  }

  /**
   * `excess`: the worst figure in parts of its limit. What was answered says what may go in: of calls that are only taken
   * nobody has anything.
   */
  observe(excess: number, traffic: Traffic): void {
    const { answered } = traffic;
    this.#usual = this.#usual === undefined ? answered : this.#usual + (answered - this.#usual) * NEWEST;
    const wanted = this.#trend.observe(excess, this.#bound !== undefined);
    if (wanted === 'less') this.#tighten(this.#usual);
    else if (wanted === 'more') this.#loosen(1 - excess, traffic);
  }

  #tighten(usual: number): void {
    this.#bound ??= { perSecond: usual, peak: usual, careful: usual, clear: 1 };
    const bound = this.#bound;
    bound.perSecond = Math.max(LEAST_PER_SECOND, bound.peak * LEAST_SHARE, Math.min(bound.perSecond, usual) * DECREASE);
    // Trouble upon trouble is the same one, until what waits has been worked off.
    if (bound.clear > 0) bound.careful = bound.perSecond;
    bound.clear = 0;
  }

  #loosen(headroom: number, { asked, waiting }: Traffic): void {
    const bound = this.#bound;
    if (bound === undefined) return;
    const whole = Math.max(bound.peak, bound.careful, LEAST_PER_SECOND) * headroom;
    if (bound.perSecond < bound.careful) {
      bound.perSecond = Math.min(bound.careful, bound.perSecond + whole * INCREASE);
      bound.clear = 1;
    } else {
      const careful = whole * CAREFUL_INCREASE * Math.min(++bound.clear, BOLDEST);
      bound.perSecond += Math.max(careful, headroom > TO_SPARE ? bound.perSecond * BOLD_INCREASE * headroom : 0);
    }
    if (waiting === 0 && bound.perSecond >= Math.max(bound.peak, asked)) this.#bound = undefined;
  }
}
