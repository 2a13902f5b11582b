import type { Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { sipFailure } from '../errors.ts';
import { parseDecimal } from '../message/grammar.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { Dialog } from './dialog.ts';
import { Session } from './session.ts';
import { reasonOf } from './session-end.ts';
import { allowHeader, SDP, type Stack, withHeaders } from './stack.ts';

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
  /** Our address as this peer reaches it. */
  readonly localAddress: string;
  /** Address the signalling socket is bound to; may be a wildcard. */
  readonly bindAddress: string;
  readonly #stack: Stack;
  readonly #tx: ServerTransaction;
  readonly #stopTimers: (() => void)[] = [];
  #state: InviteState = 'ringing';
  #repeatProgress: (() => void) | undefined;

  /** @throws Failure 400 when the INVITE cannot make a dialog */
  constructor(stack: Stack, tx: ServerTransaction, contact: string, addresses: { local: string; bind: string }) {
    this.#stack = stack;
    this.#tx = tx;
    this.request = tx.request;
    this.localAddress = addresses.local;
    this.bindAddress = addresses.bind;
    this.session = new Session(stack, Dialog.uas(tx.request, tx.localTag), tx.flow, contact);
    this.session.theirInvite = true;
    this.session.remoteSdp = tx.request.sdp;
    this.session.onEarlyBye = () => {
      if (this.#state === 'ringing') this.#refuse({ status: 487 });
    };
    const expires = parseDecimal(tx.request.headers.get('expires') ?? '', 86_400);
    const limit = expires === undefined ? RING_LIMIT : expires * 1000;
    this.#stopTimers.push(stack.scheduler.after(limit, () => this.#expire()));
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

  /** 180, or 183 with SDP. Ignored when the call is answered or refused already. */
  progress(sdp?: string, status = sdp === undefined ? 180 : 183): void {
    if (this.#state !== 'ringing') return;
    const response = this.#response(status);
    if (sdp !== undefined) {
      response.setBody(SDP, sdp);
      this.session.localSdp = sdp;
    }
    this.#tx.respond(response);
    this.#repeatProgress?.();
    const repeat = (): void => {
      this.#tx.respond(response);
      this.#repeatProgress = this.#stack.scheduler.after(REPEAT_PROGRESS, repeat);
    };
    this.#repeatProgress = this.#stack.scheduler.after(REPEAT_PROGRESS, repeat);
  }

  /**
   * 200 with SDP; resolves with the ACK.
   * @throws Failure 487 when the caller has gone, 408 when the ACK does not come, 500 when it was answered before
   */
  async answer(sdp: string, headers: Readonly<Record<string, string>> = {}): Promise<SipRequest> {
    if (this.#state === 'refused') throw sipFailure(487, 'sip-ended', 'the caller has gone', 'caller');
    if (this.#state === 'answered') throw sipFailure(500, 'sip-answered', 'the call is answered already');
    this.#settle('answered');
    const { session } = this;
    session.dialog.move('confirmed');
    session.localSdp = sdp;
    const response = withHeaders(this.#response(200), headers).setBody(SDP, sdp);
    const ack = await session.sendAnswer(this.#tx, response);
    // Without an offer in the INVITE, the ACK brings the answer to ours.
    if (this.offer === undefined) session.remoteSdp = ack.sdp;
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

  #expire(): void {
    if (this.#state !== 'ringing') return;
    this.#refuse({ status: 487 });
    this.session.end({ by: 'network', how: 'expired', status: 487 });
  }

  #refuse(refusal: Refusal): void {
    this.#settle('refused');
    const { request, localTag } = this.#tx;
    this.#tx.onFailed = (error: Failure | undefined) =>
      this.#stack.log.debug({ err: error, status: refusal.status }, 'refusal was not acknowledged');
    const response = createResponse(request, refusal.status, localTag, refusal.reason);
    response.headers.set('Server', this.#stack.product);
    this.#tx.respond(withHeaders(response, refusal.headers ?? {}));
  }

  #settle(state: 'answered' | 'refused'): void {
    this.#state = state;
    this.#repeatProgress?.();
    for (const stop of this.#stopTimers.splice(0)) stop();
  }

  /** Responses that make a dialog copy Record-Route and have a Contact (12.1.1). */
  #response(status: number): SipResponse {
    const response = createResponse(this.request, status, this.#tx.localTag);
    for (const route of this.request.headers.lines('record-route')) response.headers.append('Record-Route', route);
    response.headers.set('Contact', this.session.contact).set('Allow', allowHeader().Allow);
    return withHeaders(response, { Server: this.#stack.product });
  }
}
