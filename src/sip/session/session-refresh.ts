import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { Timed } from '../scheduler.ts';
import { glarePause } from './own-offer.ts';
import type { Session } from './session.ts';
import {
  askTerms,
  type Negotiated,
  negotiate,
  readSessionExpires,
  SessionClock,
  type Terms,
  termsOf,
  writeTerms,
} from './session-timer.ts';
import type { Stack } from './stack.ts';

/** The session timer of one call at work (RFC 4028): refreshes it, or hangs up when nobody does. */
export class SessionRefresh implements Timed {
  readonly #stack: Stack;
  readonly #session: Session;
  readonly #clock = new SessionClock();
  /** The least the peer has asked for in a 422; said in every request after it (RFC 4028 7.4). */
  #peerMinSe = 0;

  constructor(stack: Stack, session: Session) {
    this.#stack = stack;
    this.#session = session;
  }

  /** Terms in force; undefined without a timer. */
  get terms(): Terms | undefined {
    return this.#clock.terms;
  }

  /** What an INVITE or UPDATE of the peer asks for. */
  negotiate(request: SipRequest): Negotiated {
    return negotiate(request, this.#stack.sessionTimer, this.#clock.terms);
  }

  /** Our 2xx to it: says what was agreed on, and time starts anew. */
  answer(response: SipResponse, terms: Terms | undefined): void {
    if (terms !== undefined) writeTerms(response, terms);
    this.#start(terms);
  }

  /** An INVITE or UPDATE of ours inside the call is a refresh too. */
  ask(request: SipRequest): void {
    const { terms } = this.#clock;
    const minSe = Math.max(this.#stack.sessionTimer.minSe, this.#peerMinSe);
    if (terms !== undefined) askTerms(request, terms, minSe);
  }

  /** Its 2xx. */
  granted(response: SipResponse): void {
    const { terms } = this.#clock;
    if (terms !== undefined) this.#start(termsOf(response, terms));
  }

  /** The 2xx to the INVITE that made the call ours: there is a timer where one of the two names terms (7.2). */
  begun(response: SipResponse, invite: SipRequest): void {
    const asked = readSessionExpires(invite)?.expires;
    if (asked === undefined && !response.headers.has('session-expires')) return;
    this.#start(termsOf(response, { expires: asked ?? this.#stack.sessionTimer.expires, refresher: 'us' }));
  }

  /** 422: the peer wants more time between refreshes. False when it asks for nothing new. */
  raise(minSe: number | undefined): boolean {
    const { terms } = this.#clock;
    if (terms === undefined || minSe === undefined || minSe <= terms.expires) return false;
    // The session goes on as it was until the longer interval is agreed on.
    this.#peerMinSe = minSe;
    this.#clock.extend(minSe);
    return true;
  }

  stop(): void {
    this.#start(undefined);
  }

  deadline(): Ms | undefined {
    return this.#clock.deadline();
  }

  wake(now: Ms): void {
    const due = this.#clock.tick(now);
    if (due === 'expired') this.#session.expire();
    else if (due === 'refresh') void this.#refresh();
  }

  #start(terms: Terms | undefined): void {
    this.#clock.start(terms, this.#stack.scheduler.now());
    this.#stack.scheduler.changed(this);
  }

  async #refresh(): Promise<void> {
    try {
      await this.#session.refresh();
    } catch (error) {
      // 408 and 481 have ended the call by now; anything else leaves it as it was, to be tried again (10).
      if (this.#session.ended) return;
      const status = error instanceof Failure ? error.sipStatus : 500;
      this.#stack.log.info({ err: error, status }, 'session refresh failed');
      this.#clock.retryAt(this.#stack.scheduler.now() + glarePause(this.#session, this.#stack));
      this.#stack.scheduler.changed(this);
    }
  }
}
