import type { Ms } from '../../core/clock.ts';
import { parseDecimal } from '../message/grammar.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { secondsOf } from '../message/values.ts';

/** Seconds. */
export interface SessionTimerOptions {
  /** What we ask for, and the longest we agree to. */
  expires: number;
  /** The shortest we agree to; not below 90 (RFC 4028 5), but in tests. */
  minSe: number;
}

export const DEFAULT_SESSION_TIMER: SessionTimerOptions = { expires: 1800, minSe: 90 };

/** A session that lives on refreshes only (RFC 4028). */
export interface Terms {
  /** Seconds without a refresh after which it is over. */
  expires: number;
  refresher: 'us' | 'them';
}

/** What a request of the peer leads to: terms, no timer at all, or 422 because the interval is too short. */
export type Negotiated = { terms: Terms | undefined } | { tooSmall: number };

/** The peer's INVITE or UPDATE (RFC 4028 9). `current` are the terms of the session so far. */
export function negotiate(request: SipRequest, options: SessionTimerOptions, current: Terms | undefined): Negotiated {
  const asked = readSessionExpires(request);
  const supports = supportsTimer(request);
  const floor = Math.max(options.minSe, readMinSe(request) ?? 0);
  if (asked === undefined) {
    // Only a peer that knows of timers can be told of one; the terms in force stay.
    if (!supports) return { terms: undefined };
    const expires = Math.max(current?.expires ?? options.expires, floor);
    return { terms: { expires, refresher: current?.refresher ?? 'us' } };
  }
  // A caller who does not know of timers cannot mend what a proxy has put in, so it is not refused.
  if (supports && asked.expires < options.minSe) return { tooSmall: options.minSe };
  const expires = Math.max(Math.min(asked.expires, options.expires), floor);
  // Table 2: the one who does not know of timers cannot be the one who refreshes.
  return { terms: { expires, refresher: supports && asked.refresher === 'uac' ? 'them' : 'us' } };
}

/** Headers of our 2xx (RFC 4028 9): Require where the peer has to refresh. */
export function writeTerms(response: SipResponse, terms: Terms): void {
  response.headers.set('Session-Expires', `${terms.expires};refresher=${terms.refresher === 'us' ? 'uas' : 'uac'}`);
  if (terms.refresher === 'them') response.headers.set('Require', 'timer');
}

/** Headers of our INVITE or UPDATE (RFC 4028 7.1, 7.4). */
export function askTerms(request: SipRequest, terms: Terms, minSe: number): void {
  const refresher = terms.refresher === 'us' ? 'uac' : 'uas';
  request.headers.set('Supported', 'timer').set('Session-Expires', `${terms.expires};refresher=${refresher}`);
  request.headers.set('Min-SE', String(minSe));
}

/** What the peer's 2xx makes of it (RFC 4028 7.2). Without Session-Expires we go on refreshing: it may know no better. */
export function termsOf(response: SipResponse, asked: Terms): Terms {
  const granted = readSessionExpires(response);
  if (granted === undefined) return { ...asked, refresher: 'us' };
  return { expires: granted.expires, refresher: granted.refresher === 'uas' ? 'them' : 'us' };
}

function supportsTimer(message: SipMessage): boolean {
  return ['supported', 'require'].some((key) => message.headers.list(key).some((tag) => tag.toLowerCase() === 'timer'));
}

export function readMinSe(message: SipMessage): number | undefined {
  return secondsOf(message.headers.get('min-se'));
}

export function readSessionExpires(
  message: SipMessage,
): { expires: number; refresher: string | undefined } | undefined {
  const match = /^(\d{1,10})\s*(?:;(.*))?$/.exec(message.headers.get('session-expires')?.trim() ?? '');
  const expires = match === null ? undefined : parseDecimal(match[1]!, 2 ** 31 - 1);
  if (match === null || expires === undefined || expires === 0) return undefined;
  return { expires, refresher: /(?:^|;)\s*refresher\s*=\s*(uac|uas)/i.exec(match[2] ?? '')?.[1]?.toLowerCase() };
}

/**
 * The clock of one session, time passed in. Whoever refreshes does so at half the interval; without a refresh the
 * session is over a third of the interval, at most 32 s, before it expires (RFC 4028 10).
 */
export class SessionClock {
  #terms: Terms | undefined;
  #refreshAt: Ms | undefined;
  #expireAt: Ms | undefined;

  get terms(): Terms | undefined {
    return this.#terms;
  }

  /** New terms, or the old ones again: a refresh. undefined: the session has no timer. */
  start(terms: Terms | undefined, now: Ms): void {
    this.#terms = terms;
    const interval = (terms?.expires ?? 0) * 1000;
    this.#refreshAt = terms?.refresher === 'us' ? now + interval / 2 : undefined;
    this.#expireAt = terms === undefined ? undefined : now + interval - Math.min(32_000, interval / 3);
  }

  stop(): void {
    this.start(undefined, 0);
  }

  /** A longer interval is going to be asked for; the deadlines stay until it is granted. */
  extend(expires: number): void {
    if (this.#terms !== undefined) this.#terms = { ...this.#terms, expires };
  }

  /** A refresh that could not be done yet (glare, 5xx) is tried again. */
  retryAt(at: Ms): void {
    if (this.#terms !== undefined) this.#refreshAt = at;
  }

  deadline(): Ms | undefined {
    if (this.#refreshAt === undefined || this.#expireAt === undefined) return this.#expireAt;
    return Math.min(this.#refreshAt, this.#expireAt);
  }

  tick(now: Ms): 'refresh' | 'expired' | undefined {
    if (this.#expireAt !== undefined && now >= this.#expireAt) {
      this.stop();
      return 'expired';
    }
    if (this.#refreshAt === undefined || now < this.#refreshAt) return undefined;
    this.#refreshAt = undefined;
    return 'refresh';
  }
}
