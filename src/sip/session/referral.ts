import type { Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import { sipFailure } from '../errors.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import {
  formatReferredBy,
  formatReferTo,
  formatReplaces,
  readEvent,
  readSubscriptionState,
  sipfragStatus,
} from '../message/transfer.ts';
import type { Timed } from '../scheduler.ts';
import { patience } from '../transactions/timers.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { type ReferralEnd, ReferralMachine } from './referral-machine.ts';
import type { Session } from './session.ts';
import type { SessionEnd } from './session-end.ts';
import { refuse, type Stack } from './stack.ts';

export interface ReferOptions {
  /** Whom to call: a sip:, sips: or tel: URI. With `replaces` the far end's Contact there, unless it is given. */
  to?: string | undefined;
  /** Attended (RFC 5589 7): our other call, whose place the one who is referred takes at its far end. */
  replaces?: Session | undefined;
  /** False: asks for no NOTIFY (RFC 4488); heeded by peers that know `norefersub`. */
  follow?: boolean | undefined;
  /** For the INVITE that the far end sends, e.g. User-to-User; carried in the Refer-To. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long the peer may take in all. Default 180 s. */
  longestMs?: Ms | undefined;
  /** A provisional answer of the target, as a NOTIFY told it: 100, 180 ... */
  onProgress?: ((status: number) => void) | undefined;
}

const LONGEST: Ms = 180_000;
const AFTER_BYE: Ms = 1_500;

/**
 * A REFER of ours at work: sends it, takes the NOTIFYs of the subscription it makes, also those that come after the
 * call has ended (the subscription is a usage of the dialog of its own, RFC 5057).
 */
export class Referral implements Timed {
  readonly #session: Session;
  readonly #stack: Stack;
  readonly #options: ReferOptions;
  readonly #machine: ReferralMachine;
  readonly #settled = Promise.withResolvers<ReferralEnd>();
  #cseq: number | undefined;
  #forget: (() => void) | undefined;

  private constructor(session: Session, stack: Stack, options: ReferOptions) {
    this.#session = session;
    this.#stack = stack;
    this.#options = options;
    const firstNotifyMs = patience(stack.timers);
    const times = { firstNotifyMs, longestMs: options.longestMs ?? LONGEST, afterByeMs: AFTER_BYE };
    this.#machine = new ReferralMachine(times, stack.scheduler.now());
  }

  /** Resolves when it is known how it went. @throws Failure 491 while another REFER is under way, 481 after the end */
  static start(session: Session, stack: Stack, options: ReferOptions): Promise<ReferralEnd> {
    if (session.ended) throw sipFailure(481, 'sip-ended', 'the call has ended', 'us');
    const { key } = session.dialog;
    const before = stack.referrals.get(key);
    if (before !== undefined && before.#machine.end === undefined) {
      throw sipFailure(491, 'sip-pending', 'another REFER is under way', 'us');
    }
    before?.close();
    const referral = new Referral(session, stack, options);
    const referTo = referral.#referTo();
    stack.referrals.set(key, referral);
    void referral.#run(referTo);
    return referral.#settled.promise;
  }

  deadline(): Ms | undefined {
    return this.#machine.deadline();
  }

  wake(now: Ms): void {
    this.#machine.tick(now);
    this.#changed();
  }

  /** A NOTIFY of the peer in this dialog. Called by the user agent. */
  receive(tx: ServerTransaction): void {
    const { request } = tx;
    const event = readEvent(request.headers);
    // The id is the CSeq of the REFER; a peer that knows one REFER at a time leaves it out (RFC 3515 2.4.6).
    const ours = event?.name === 'refer' && (event.id === undefined || event.id === String(this.#cseq));
    if (!ours) {
      refuse(tx, event?.name === 'refer' ? 481 : 489, event?.name === 'refer' ? {} : { 'Allow-Events': 'refer' });
      return;
    }
    if (!this.#session.dialog.takeRemoteSeq(request.cseq.number)) {
      refuse(tx, 500);
      return;
    }
    refuse(tx, 200);
    const before = this.#machine.progress;
    const state = readSubscriptionState(request.headers);
    this.#machine.notified({ ...state, status: sipfragStatus(request) }, this.#stack.scheduler.now());
    const { progress } = this.#machine;
    if (progress !== before) this.#options.onProgress?.(progress);
    this.#changed();
    if (state.terminated) this.close();
  }

  /** Later NOTIFYs find nobody. */
  close(): void {
    this.#forget?.();
    const { referrals } = this.#stack;
    if (referrals.get(this.#session.dialog.key) === this) referrals.delete(this.#session.dialog.key);
  }

  #referTo(): string {
    const { to, replaces, headers } = this.#options;
    if (replaces === undefined) {
      if (to === undefined) throw sipFailure(500, 'sip-no-target', 'a REFER needs a target');
      return formatReferTo(to, headers);
    }
    const { callId, localTag, remoteTag, remoteTarget } = replaces.dialog;
    // As the far end there sees it: its own tag is the to-tag.
    const place = { callId, toTag: remoteTag, fromTag: localTag, earlyOnly: false };
    return formatReferTo(to ?? remoteTarget, { ...headers, Replaces: formatReplaces(place) });
  }

  async #run(referTo: string): Promise<void> {
    const { signal } = this.#session;
    const ended = () => {
      this.#machine.dialogEnded((signal.reason as SessionEnd).by, this.#stack.scheduler.now());
      this.#changed();
    };
    signal.addEventListener('abort', ended, { once: true });
    this.#stack.scheduler.changed(this);
    try {
      const response = await this.#session.request('REFER', (request) => this.#complete(request, referTo));
      this.#machine.answered(response.status, this.#isFollowed(response), this.#stack.scheduler.now());
    } catch (error) {
      this.#machine.answered(asFailure(error).sipStatus, true, this.#stack.scheduler.now());
    }
    this.#changed();
    await this.#settled.promise;
    signal.removeEventListener('abort', ended);
  }

  #complete(request: SipRequest, referTo: string): void {
    this.#cseq = request.cseq.number;
    const { headers } = request;
    headers.set('Contact', this.#session.contact).set('Refer-To', referTo);
    headers.set('Referred-By', formatReferredBy(this.#session.dialog.local));
    if (this.#options.follow === false) headers.set('Refer-Sub', 'false').set('Supported', 'norefersub');
  }

  #isFollowed(response: SipResponse): boolean {
    return response.headers.get('refer-sub')?.trim().toLowerCase() !== 'false';
  }

  #changed(): void {
    this.#stack.scheduler.changed(this);
    const { end } = this.#machine;
    if (end === undefined || this.#forget !== undefined) return;
    this.#settled.resolve(end);
    // The NOTIFYs that still come are taken with a 200, for as long as one can be on its way.
    this.#forget = this.#stack.scheduler.after(patience(this.#stack.timers), () => this.close());
  }
}
