import type { Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { sipFailure } from '../errors.ts';
import { parseDecimal } from '../message/grammar.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { Dialog } from './dialog.ts';
import { ReliableProvisionals, reliabilityAsked } from './reliable-provisionals.ts';
import { Session } from './session.ts';
import { reasonOf } from './session-end.ts';
import { allowHeader, EXTENSIONS, SDP, type Stack, withHeaders } from './stack.ts';

type InviteState = 'ringing' | 'answered' | 'refused';

/** A proxy in between forgets a call that shows no sign of life for three minutes (13.3.1.1, 16.7): each minute one. */
const REPEAT_PROGRESS: Ms = 60_000;
/** How long the caller is let wait where the INVITE has no Expires. */
const RING_LIMIT: Ms = 180_000;

/** Headers of a refusal, e.g. `{ 'Retry-After': '5' }`. */
export interface Refusal {
  status: number;
  reason?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}

/** An INVITE of a peer: ring, answer or refuse it. Goes from ringing to answered or to refused, once. */
export class IncomingInvite {
  readonly request: SipRequest;
  readonly session: Session;
  /**
   * The call this one is to take the place of (RFC 3891): answering this hangs that one up. One that rings still is to be
   * told: see Session.pickUp.
   */
  readonly replaces: Session | undefined;
  /** Our address as this peer reaches it. */
  readonly localAddress: string;
  /** Address the signalling socket is bound to; may be a wildcard. */
  readonly bindAddress: string;
  readonly #stack: Stack;
  readonly #tx: ServerTransaction;
  readonly #stopTimers: (() => void)[] = [];
  readonly #reliability: ReturnType<typeof reliabilityAsked>;
  readonly #provisionals: ReliableProvisionals;
  #state: InviteState = 'ringing';
  /** A session description went out in a reliable provisional response. */
  #described = false;
  #repeatProgress: (() => void) | undefined;

  /** @throws Failure 400 when the INVITE cannot make a dialog */
  constructor(
    stack: Stack,
    tx: ServerTransaction,
    contact: string,
    addresses: { local: string; bind: string },
    replaces: Session | undefined,
  ) {
    this.#stack = stack;
    this.#tx = tx;
    this.request = tx.request;
    this.localAddress = addresses.local;
    this.bindAddress = addresses.bind;
    this.replaces = replaces;
    this.session = new Session(stack, Dialog.uas(tx.request, tx.localTag), tx.flow, contact);
    const { session } = this;
    session.inviteOpen = true;
    session.remoteSdp = tx.request.sdp;
    session.offerOpen = tx.request.sdp !== undefined;
    session.takeCapabilities(tx.request);
    session.onPrack = (prack) => this.#provisionals.acknowledge(prack);
    this.#reliability = reliabilityAsked(tx.request);
    // A caller who does not acknowledge provisional responses will not hear the final one either (RFC 3262 3).
    this.#provisionals = new ReliableProvisionals(stack, tx, () => this.#giveUp(504, 'no PRACK came'));
    this.session.onEarlyBye = () => {
      if (this.#state === 'ringing') this.#refuse({ status: 487 });
    };
    const expires = parseDecimal(tx.request.headers.get('expires') ?? '', 86_400);
    const limit = expires === undefined ? RING_LIMIT : expires * 1000;
    this.#stopTimers.push(stack.scheduler.after(limit, () => this.#expire(expires)));
  }

  /** The SDP of the INVITE; undefined when it brings none (then `answer` makes the offer). */
  get offer(): string | undefined {
    return this.request.sdp;
  }

  get state(): InviteState {
    return this.#state;
  }

  /** Aborts when the call ends, in any way; the reason is a SessionEnd. */
  get signal(): AbortSignal {
    return this.session.signal;
  }

  /**
   * 180, or 183 with SDP; reliable where the caller knows of that (RFC 3262). SDP in a reliable one is the answer (or,
   * without an offer in the INVITE, the offer): it is said once and `answer` does not repeat it. Ignored when the call
   * is answered or refused already.
   */
  progress(sdp?: string, status = sdp === undefined ? 180 : 183): void {
    if (this.#state !== 'ringing') return;
    const described = this.#described ? undefined : sdp;
    // Where the INVITE has no offer the first reliable response has to make it (RFC 3262 5): 180 cannot.
    const reliable = this.#reliability !== 'no' && (this.offer ?? described ?? this.session.localSdp) !== undefined;
    if (this.#reliability === 'required' && !reliable) return;
    const response = this.#response(status);
    if (described !== undefined) {
      response.setBody(SDP, described);
      this.session.localSdp = described;
    }
    if (reliable) {
      if (described !== undefined) this.#settleOffer();
      this.#provisionals.send(response);
    } else this.#tx.respond(response);
    this.#repeatProgress?.();
    this.#repeatProgress = this.#stack.scheduler.after(REPEAT_PROGRESS, () => this.progress(sdp, status));
  }

  /**
   * The call waits for its turn: 100 at once, and who sent it, an edge that knows of it, is told why (X-Waits). Not 182: that is
   * passed on to the caller.
   */
  queued(): void {
    if (this.#state !== 'ringing') return;
    this.#tx.respond(withHeaders(createResponse(this.request, 100, ''), { 'X-Waits': 'yes' }));
  }

  /**
   * 200 with SDP; resolves with the ACK. Waits for the PRACK of a 183 that described the session (RFC 3262 3); then the
   * description is not said again and `sdp` is not used.
   * @throws Failure 487 when the caller has gone, 408 when the ACK does not come, 500 when it was answered before
   */
  async answer(sdp: string, headers: Readonly<Record<string, string>> = {}): Promise<SipRequest> {
    if (this.#state === 'ringing' && this.#provisionals.blocksAnswer) {
      await this.#provisionals.described().catch(() => undefined);
    }
    if (this.#state === 'refused') throw sipFailure(487, 'sip-ended', 'the caller has gone', 'caller');
    if (this.#state === 'answered') throw sipFailure(500, 'sip-answered', 'the call is answered already');
    this.#settle('answered');
    const { session } = this;
    session.dialog.move('confirmed');
    const response = withHeaders(this.#response(200), headers);
    const timer = session.timer.negotiate(this.request);
    session.timer.answer(response, 'terms' in timer ? timer.terms : undefined);
    // As soon as the new call is there: who replaces cannot be asked to wait for the old one's end (RFC 3891 3).
    if (this.replaces?.dialog.state === 'confirmed') void this.replaces.bye();
    if (this.#described) return session.sendAnswer(this.#tx, response);
    session.localSdp = sdp;
    this.#settleOffer();
    const ack = await session.sendAnswer(this.#tx, response.setBody(SDP, sdp));
    // Without an offer in the INVITE, the ACK brings the answer to ours.
    if (this.offer === undefined) {
      session.ourOffer = false;
      session.remoteSdp = ack.sdp;
    }
    return ack;
  }

  /** A final refusal. Ignored when the call is answered or refused already. */
  reject(refusal: Refusal): void {
    if (this.#state !== 'ringing') return;
    this.#refuse(refusal);
    this.session.end({ by: 'local', how: 'rejected', status: refusal.status });
  }

  /** The caller's CANCEL, which has its own 200 (9.2). Too late once there is a final answer. */
  cancelled(cancel: SipRequest): void {
    if (this.#state !== 'ringing') return;
    this.#refuse({ status: 487 });
    this.session.end({ by: 'remote', how: 'cancel', ...reasonOf(cancel) });
  }

  /** Our description is out where it cannot get lost: it answers their offer, or is ours to be answered. */
  #settleOffer(): void {
    this.#described = true;
    if (this.offer === undefined) this.session.ourOffer = true;
    this.session.offerOpen = false;
  }

  /**
   * The caller said with the INVITE how long they would wait (13.3.1): the same as if they cancelled now. Or we have let them
   * wait too long.
   */
  #expire(expires: number | undefined): void {
    if (this.#state !== 'ringing') return;
    this.#refuse({ status: 487 });
    if (expires === undefined) this.session.end({ by: 'local', how: 'rejected', status: 487, reason: 'rang too long' });
    else this.session.end({ by: 'remote', how: 'cancel', status: 487, reason: `Expires: ${expires}` });
  }

  #giveUp(status: number, reason: string): void {
    if (this.#state !== 'ringing') return;
    this.#refuse({ status });
    this.session.end({ by: 'network', how: 'transport', status, reason });
  }

  #refuse(refusal: Refusal): void {
    this.#settle('refused');
    const { request, localTag } = this.#tx;
    this.#tx.onFailed = unacknowledged(this.#stack.log, refusal.status);
    const response = createResponse(request, refusal.status, localTag, refusal.reason);
    response.headers.set('Server', this.#stack.product);
    this.#tx.respond(withHeaders(response, refusal.headers ?? {}));
  }

  #settle(state: 'answered' | 'refused'): void {
    this.#state = state;
    this.#repeatProgress?.();
    this.#provisionals.stop();
    for (const stop of this.#stopTimers.splice(0)) stop();
  }

  /** Responses that make a dialog copy Record-Route and have a Contact (12.1.1). */
  #response(status: number): SipResponse {
    const response = createResponse(this.request, status, this.#tx.localTag);
    for (const route of this.request.headers.lines('record-route')) response.headers.append('Record-Route', route);
    response.headers.set('Contact', this.session.contact).set('Allow', allowHeader().Allow);
    return withHeaders(response, { Supported: EXTENSIONS.join(', '), Server: this.#stack.product });
  }
}

/** By itself, so that a call that was refused does not hang on its transaction. */
function unacknowledged(log: Stack['log'], status: number): (error: Failure | undefined) => void {
  return (error) => log.debug({ err: error, status }, 'refusal was not acknowledged');
}
