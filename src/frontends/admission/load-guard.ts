import type { LoadSample } from '../../call/admission.ts';

export type LoadLimits = LoadSample;

export type Overload = keyof LoadSample;

/** Time there is too little of, and what tells so. */
const TIMELY = ['cpu', 'loopDelayMs', 'setupMs'] as const satisfies readonly Overload[];
/** A limit is left behind only when its figure is below this part of it: no flapping at the edge. */
const RELEASE = 0.85;
/** As many samples in a row have to say so: one busy moment is no overload. */
const SAMPLES = 3;
/** What is left of the share of new calls after a sample beyond a limit, and what it regains with one that is clear. */
const DECREASE = 0.75;
const INCREASE = 0.05;
/** Never less: what comes of the calls that are taken says when more can be. */
const LEAST_SHARE = 0.1;

/**
 * Says which new calls must be refused so that those that are there do not suffer. Too little time costs a share of the new
 * calls, as large as it takes (loss-based overload control, RFC 7339 section 5.3): whoever refuses all and then none serves
 * half of what can be served. Too little memory costs all of them, since each adds to it. Pure: samples come from
 * load-probe.ts, at even intervals.
 */
export class LoadGuard {
  readonly #limits: LoadLimits;
  #share = 1;
  /** Of a call; one is taken for each whole one. */
  #credit = 0;
  /** Samples in a row beyond a limit of time; beyond, or clear of, that of memory. */
  #strained = 0;
  #turning = 0;
  #full = false;
  #short: Overload = 'cpu';

  constructor(limits: LoadLimits) {
    this.#limits = limits;
  }

  observe(sample: LoadSample): void {
    const clear = (key: Overload) => sample[key] < this.#limits[key] * RELEASE;
    const turns = this.#full ? clear('memory') : sample.memory > this.#limits.memory;
    this.#turning = turns ? this.#turning + 1 : 0;
    if (this.#turning >= SAMPLES) {
      this.#full = !this.#full;
      this.#turning = 0;
    }
    const short = TIMELY.find((key) => sample[key] > this.#limits[key]);
    this.#strained = short === undefined ? 0 : this.#strained + 1;
    if (short !== undefined && (this.#share < 1 || this.#strained >= SAMPLES)) {
      this.#short = short;
      this.#share = Math.max(LEAST_SHARE, this.#share * DECREASE);
    } else if (TIMELY.every(clear)) this.#share = Math.min(1, this.#share + INCREASE);
  }

  /** What is exhausted; undefined while all calls are taken. */
  get overload(): Overload | undefined {
    if (this.#full) return 'memory';
    return this.#share < 1 ? this.#short : undefined;
  }

  /** How many of the new calls are taken: 1 all, 0 none. */
  get share(): number {
    return this.#full ? 0 : this.#share;
  }

  /** Is this new call to be taken? Asked once for each. */
  takes(): boolean {
    this.#credit += this.share;
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }
}
