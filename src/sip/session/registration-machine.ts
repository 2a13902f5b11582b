import type { Ms } from '../../core/clock.ts';
import { sipFailure } from '../errors.ts';

/**
 * `asking`: a REGISTER is out; `registered`: until the next refresh; `waiting`: it failed, and is tried again later;
 * `leaving`: the binding is being taken back; `gone`: for good.
 */
export type RegistrationState = 'idle' | 'asking' | 'registered' | 'waiting' | 'leaving' | 'gone';

const LEGAL: Readonly<Record<RegistrationState, readonly RegistrationState[]>> = {
  idle: ['asking', 'gone'],
  asking: ['registered', 'waiting', 'leaving', 'gone'],
  registered: ['asking', 'leaving', 'gone'],
  waiting: ['asking', 'leaving', 'gone'],
  leaving: ['gone'],
  gone: [],
};

/** How a registrar has refused, or that it has not answered (408). */
export interface RegistrationRefusal {
  status: number;
  /** Min-Expires of a 423, seconds. */
  minExpires?: number | undefined;
  retryAfterMs?: Ms | undefined;
}

/** The first pause after a failure; each further one is twice as long (RFC 5626 4.5). */
const FIRST_PAUSE: Ms = 5_000;
/** Where the account is wrong, trying often only gets us blocked. */
const FIRST_PAUSE_OF_STRANGERS: Ms = 60_000;
const LONGEST_PAUSE: Ms = 600_000;
const STRANGER: ReadonlySet<number> = new Set([401, 403, 404, 407]);
/** Longer intervals are nobody's policy, and a mistake would keep us away for so long. */
const LONGEST_MIN_EXPIRES = 86_400;
const LONGEST_RETRY_AFTER: Ms = 3_600_000;

/**
 * When to register (RFC 3261 10.2): refreshed when 70 to 85 % of what was granted is over, tried again after failures
 * with growing pauses of random length, so that a thousand clients of a registrar that comes back do not come at once.
 * Pure: time and chance are arguments.
 */
export class RegistrationMachine {
  readonly #random: () => number;
  #state: RegistrationState = 'idle';
  #expires: number;
  #failures = 0;
  #askAt: Ms | undefined;
  #boundUntil: Ms = Number.NEGATIVE_INFINITY;

  /** `expires`: seconds to ask for. `random`: in [0, 1). */
  constructor(expires: number, random: () => number) {
    this.#expires = expires;
    this.#random = random;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Seconds to ask for: what a 423 wants, where it has come. */
  get expires(): number {
    return this.#expires;
  }

  /** When to ask next; undefined: not now. */
  get askAt(): Ms | undefined {
    return this.#askAt;
  }

  /** Until when the registrar knows us, as far as it has said. */
  get boundUntil(): Ms {
    return this.#boundUntil;
  }

  ask(): void {
    this.#move('asking');
    this.#askAt = undefined;
  }

  /** 2xx: the binding stands for so many seconds from `now`, the moment of asking. */
  granted(expires: number, now: Ms): void {
    this.#move('registered');
    this.#failures = 0;
    this.#boundUntil = now + expires * 1000;
    this.#askAt = now + expires * 1000 * (0.7 + 0.15 * this.#random());
  }

  refused({ status, minExpires, retryAfterMs = 0 }: RegistrationRefusal, now: Ms): void {
    this.#move('waiting');
    if (status === 423 && minExpires !== undefined && minExpires > this.#expires && minExpires <= LONGEST_MIN_EXPIRES) {
      this.#expires = minExpires;
      this.#askAt = now;
      return;
    }
    const first = STRANGER.has(status) ? FIRST_PAUSE_OF_STRANGERS : FIRST_PAUSE;
    const pause = Math.min(LONGEST_PAUSE, first * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    this.#askAt = now + Math.max(pause * (0.5 + 0.5 * this.#random()), Math.min(retryAfterMs, LONGEST_RETRY_AFTER));
  }

  /** To be taken back. False when there is nothing to take back: it is gone at once. */
  leave(now: Ms): boolean {
    this.#askAt = undefined;
    if (this.#boundUntil <= now) {
      if (this.#state !== 'gone') this.#move('gone');
      return false;
    }
    this.#move('leaving');
    return true;
  }

  left(): void {
    this.#boundUntil = Number.NEGATIVE_INFINITY;
    this.#move('gone');
  }

  #move(to: RegistrationState): void {
    if (!LEGAL[this.#state].includes(to)) {
      throw sipFailure(500, 'sip-illegal-transition', `registration cannot go from ${this.#state} to ${to}`);
    }
    this.#state = to;
  }
}
