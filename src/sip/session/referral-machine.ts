import type { Ms } from '../../core/clock.ts';
import { sipFailure } from '../errors.ts';

/** How a REFER of ours went. */
export type ReferralEnd =
  /** The other end has reached whom it was referred to. */
  | { outcome: 'connected'; status: number }
  /** It took the REFER and hung up without a word how it went: many PBXs transfer like that. */
  | { outcome: 'left' }
  /** It does not let itself be referred: its answer to the REFER; 408 when it gave none. */
  | { outcome: 'refused'; status: number }
  /** It tried, and this is what it was answered. */
  | { outcome: 'failed'; status: number }
  /** It took the REFER and is still here, but nothing more has been heard, or nothing that says how it went. */
  | { outcome: 'unknown'; why: 'no-notify' | 'expired' | 'no-status' }
  /** The call ended before the REFER was taken. */
  | { outcome: 'ended'; by: 'remote' | 'local' | 'network' };

export type ReferralState = 'asking' | 'accepted' | 'trying' | 'leaving' | 'settled';

const LEGAL: Readonly<Record<ReferralState, readonly ReferralState[]>> = {
  asking: ['accepted', 'trying', 'settled'],
  accepted: ['trying', 'leaving', 'settled'],
  trying: ['leaving', 'settled'],
  leaving: ['settled'],
  settled: [],
};

export interface ReferralTimes {
  /** From the 2xx to the first NOTIFY: Timer N of RFC 6665, 64*T1. */
  firstNotifyMs: Ms;
  /** From the REFER to its end, whatever the peer's subscription says. */
  longestMs: Ms;
  /** From the peer's BYE to the NOTIFY that says why, which may come behind it. */
  afterByeMs: Ms;
}

/** What a NOTIFY says. */
export interface Notice {
  /** In its sipfrag. */
  status: number | undefined;
  terminated: boolean;
  /** Why it is terminated. */
  reason: string | undefined;
  /** How long the subscription goes on. */
  expiresS: number | undefined;
}

/**
 * One REFER of ours and the subscription it makes (RFC 3515), until it is known how it went.
 *
 *     asking -> accepted -> trying -> settled        202, NOTIFY 100, NOTIFY 200
 *     asking -> trying                               a NOTIFY that came before the 202
 *     accepted, trying -> leaving -> settled         BYE of the peer; the last NOTIFY may be on its way
 *     asking, accepted, trying -> settled            refused; never answered; silence; the call ended
 *
 * Pure: time is an argument.
 */
export class ReferralMachine {
  readonly #times: ReferralTimes;
  #state: ReferralState = 'asking';
  #end: ReferralEnd | undefined;
  /** Of the subscription, and of the whole. */
  #deadline: Ms | undefined;
  readonly #last: Ms;
  #followed = true;
  #status = 0;

  constructor(times: ReferralTimes, now: Ms) {
    this.#times = times;
    this.#last = now + times.longestMs;
  }

  get state(): ReferralState {
    return this.#state;
  }

  /** Set once settled. */
  get end(): ReferralEnd | undefined {
    return this.#end;
  }

  /** The last provisional status a NOTIFY told of; 0 before. */
  get progress(): number {
    return this.#status;
  }

  /** The final answer to the REFER. `followed` false: no NOTIFY will come (Refer-Sub: false, RFC 4488). */
  answered(status: number, followed: boolean, now: Ms): void {
    if (this.#state === 'settled') return;
    if (status >= 300) {
      // A NOTIFY said otherwise before: then what it says counts (RFC 6665 4.1.2.4).
      if (this.#state === 'asking') this.#settle({ outcome: 'refused', status });
      return;
    }
    if (this.#state !== 'asking') return;
    this.#move('accepted');
    this.#followed = followed;
    this.#deadline = followed ? now + this.#times.firstNotifyMs : undefined;
  }

  notified(notice: Notice, now: Ms): void {
    if (this.#state === 'settled') return;
    const { status, terminated, expiresS } = notice;
    if (status !== undefined && status >= 200) {
      this.#settle(status < 300 ? { outcome: 'connected', status } : { outcome: 'failed', status });
      return;
    }
    if (terminated) {
      // `noresource` and the like without a status; "giveup" or "timeout" is the target that was never reached.
      this.#settle(this.#state === 'leaving' ? { outcome: 'left' } : { outcome: 'unknown', why: 'no-status' });
      return;
    }
    if (this.#state === 'leaving') return;
    if (this.#state !== 'trying') this.#move('trying');
    this.#status = status ?? this.#status;
    this.#deadline = expiresS === undefined ? undefined : now + expiresS * 1000;
  }

  /** The call the REFER was sent in is over. */
  dialogEnded(by: 'remote' | 'local' | 'network', now: Ms): void {
    if (this.#state === 'settled' || this.#state === 'leaving') return;
    if (this.#state === 'asking' || by !== 'remote') {
      this.#settle({ outcome: 'ended', by });
      return;
    }
    // Who never tells how it goes has nothing to add behind its BYE.
    if (!this.#followed || this.#state === 'accepted') {
      this.#settle({ outcome: 'left' });
      return;
    }
    this.#move('leaving');
    this.#deadline = now + this.#times.afterByeMs;
  }

  deadline(): Ms | undefined {
    if (this.#state === 'settled') return undefined;
    return Math.min(this.#last, this.#deadline ?? this.#last);
  }

  tick(now: Ms): void {
    const due = this.deadline();
    if (due === undefined || now < due) return;
    if (this.#state === 'leaving') this.#settle({ outcome: 'left' });
    else if (this.#state === 'asking') this.#settle({ outcome: 'refused', status: 408 });
    else this.#settle({ outcome: 'unknown', why: this.#state === 'accepted' ? 'no-notify' : 'expired' });
  }

  #settle(end: ReferralEnd): void {
    this.#end = end;
    this.#move('settled');
  }

  /** @throws Failure for a move that is not in the table: a fault of ours */
  #move(to: ReferralState): void {
    if (!LEGAL[this.#state].includes(to)) {
      throw sipFailure(500, 'sip-illegal-transition', `referral cannot go from ${this.#state} to ${to}`);
    }
    this.#state = to;
  }
}
