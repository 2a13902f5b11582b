import type { LoadSample } from '../../call/admission.ts';
import type { Ms } from '../../core/clock.ts';
import { RETRANSMITTED_MS } from '../../sip/transport/receive-delay.ts';
import { RateBound } from './rate-bound.ts';
import { SetUpWindow } from './setup-window.ts';
import { RELEASE, SAMPLES } from './trend.ts';
import type { Patience } from './waiting-line.ts';

/** That of `setupMs` counts for `receiveMs` as well. */
export type LoadLimits = Omit<LoadSample, 'receiveMs'>;

export type Overload = keyof LoadSample;

/** What a call costs as long as it lasts: the rate at which they are taken is bounded. */
const LASTING = ['cpu', 'loopDelayMs'] as const satisfies readonly Overload[];
/** What it costs until it is answered: how many are set up at once is. */
const PASSING = ['setupMs', 'receiveMs'] as const satisfies readonly Overload[];

/** So many times the limit of set-ups a call may have waited until it is begun at once. */
const TOO_LATE = 2;
/** Until our answer is with who waits for it. What is read later than that before its patience ends has been given up. */
const ANSWER_MS = 500;
/** Calls a second below which one busy moment is no overload. */
const CROWD = 10;
/** What is carried is forgotten by this part with each sample in which there was less. */
const FADES = 0.9;

/**
 * Says which new calls must be refused so that those that are there do not suffer. Too little time costs as many of the new
 * calls as it takes (rate-bound.ts, setup-window.ts); too little memory costs all of them: each adds to it. How long a call
 * waits for its turn, by what is decided here, is no figure of it: it would tell that there is too much because there was.
 * Pure: samples come from load-probe.ts, at about even intervals.
 */
export class LoadGuard {
  readonly #limits: LoadSample;
  readonly #rate: RateBound;
  readonly #window: SetUpWindow;
  #at: Ms;
  /** New calls since the last sample. */
  #asked = 0;
  /** A second, until the last sample. */
  #askedPerSecond = 0;
  #answeredPerSecond = 0;
  /** Answered a second, of late. */
  #carried = 0;
  #full = false;
  /** Samples in a row beyond, or clear of, the limit of memory. */
  #turning = 0;
  #short: Overload = 'cpu';

  constructor(limits: LoadLimits, now: Ms) {
    this.#limits = { ...limits, receiveMs: limits.setupMs };
    this.#at = now;
    this.#rate = new RateBound(now);
    this.#window = new SetUpWindow(limits.setupMs);
  }

  /** `answered`: calls since the last sample; `waiting`: that wait for their turn. */
  observe(sample: LoadSample, now: Ms, { answered, waiting = 0 }: { answered: number; waiting?: number }): void {
    const seconds = Math.max(1, now - this.#at) / 1000;
    this.#at = now;
    this.#askedPerSecond = this.#asked / seconds;
    this.#asked = 0;
    this.#answeredPerSecond = answered / seconds;
    this.#carried = Math.max(this.#answeredPerSecond, this.#carried * FADES);
    this.#watchMemory(sample);
    const lasting = this.#worst(LASTING, sample);
    const passing = this.#worst(PASSING, sample);
    this.#rate.observe(lasting.excess, { asked: this.#askedPerSecond, answered: this.#answeredPerSecond, waiting });
    this.#window.observe(passing.excess, waiting > 0);
    const worst = lasting.excess > passing.excess ? lasting : passing;
    if (worst.excess > 1) this.#short = worst.key;
  }

  /** What is exhausted; undefined while all calls are taken. */
  get overload(): Overload | undefined {
    if (this.#full) return 'memory';
    return this.#rate.perSecond === undefined && this.#window.size === undefined ? undefined : this.#short;
  }

  /** How many of the new calls are taken, as they came until the last sample: 1 all, 0 none. */
  get share(): number {
    if (this.#full) return 0;
    if (this.overload === undefined || this.#askedPerSecond === 0) return 1;
    const { perSecond = this.#askedPerSecond } = this.#rate;
    const taken = this.#window.size === undefined ? perSecond : Math.min(perSecond, this.#answeredPerSecond);
    return Math.min(1, taken / this.#askedPerSecond);
  }

  /** How many calls are taken in a second, and set up at once; undefined: as many as come. */
  get bounds(): { perSecond: number | undefined; atOnce: number | undefined } {
    return { perSecond: this.#rate.perSecond, atOnce: this.#window.size };
  }

  /**
   * Why this new call is not to be taken; undefined: it is. Asked once for each. `receiveMs`: how long what comes waits until
   * it is read; `behindOthers`: some calls wait for their turn already. One that was read late in a crowd is not begun at once:
   * when it is answered its caller, or the edge, has given it up, and it is carried until its 200 has gone unacknowledged for 32 s.
   */
  refuses(receiveMs: Ms, now: Ms, behindOthers = false): Overload | undefined {
    this.#asked++;
    if (this.#full) return 'memory';
    if (behindOthers) return this.#short;
    const tooLateMs = Math.max(RETRANSMITTED_MS, this.#limits.setupMs * TOO_LATE);
    if (this.#askedPerSecond >= CROWD && receiveMs > tooLateMs) return 'receiveMs';
    return this.#hasTime(receiveMs, now) ? undefined : this.#short;
  }

  /** The set-up of a call begins; call what is returned when it is over, in whatever way. */
  begins(now: Ms): () => void {
    return this.#window.begins(now);
  }

  /** Will a call that waits have its turn in time, behind so many, and is it still there? Its patience began when it was sent. */
  mayWait(behind: number, { waitMs, silenceMs }: Patience, receiveMs: Ms): boolean {
    return receiveMs < silenceMs - ANSWER_MS && receiveMs + this.waitMs(behind) < waitMs;
  }

  /** How long it takes until so many of those that wait have had their turn, when the present trouble is over. */
  waitMs(calls: number): Ms {
    const perSecond = this.#rate.soonPerSecond ?? this.#carried;
    return calls === 0 ? 0 : (calls / perSecond) * 1000;
  }

  /** Is there time for one of those that wait? */
  takesWaiting(receiveMs: Ms, now: Ms): boolean {
    return !this.#full && this.#hasTime(receiveMs, now);
  }

  #hasTime(receiveMs: Ms, now: Ms): boolean {
    return !this.#window.isFull(receiveMs / this.#limits.receiveMs, now) && this.#rate.takes(now);
  }

  #worst<Key extends Overload>(keys: readonly Key[], sample: LoadSample): { key: Key; excess: number } {
    const figures = keys.map((key) => ({ key, excess: sample[key] / this.#limits[key] }));
    return figures.reduce((worst, one) => (one.excess > worst.excess ? one : worst));
  }

  #watchMemory({ memory }: LoadSample): void {
    const turns = this.#full ? memory < this.#limits.memory * RELEASE : memory > this.#limits.memory;
    this.#turning = turns ? this.#turning + 1 : 0;
    if (this.#turning < SAMPLES) return;
    this.#full = !this.#full;
    this.#turning = 0;
  }
}
