import { Failure } from '../../core/errors.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import type { DigestClient } from '../auth/digest-client.ts';
import { sipFailure } from '../errors.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import type { Flow } from '../transport/flow.ts';
import type { Dialog } from './dialog.ts';
import { formatDtmfInfo, type InfoDigit } from './dtmf-info.ts';
import { exchange } from './exchange.ts';
import { receiveInDialog } from './in-dialog.ts';
import type { IncomingInvite } from './incoming-invite.ts';
import type { IncomingReferral } from './incoming-referral.ts';
import { offer, reinvite } from './own-offer.ts';
import { type ReferOptions, Referral } from './referral.ts';
import type { ReferralEnd } from './referral-machine.ts';
import type { SessionEnd } from './session-end.ts';
import { SessionRefresh } from './session-refresh.ts';
import type { Stack } from './stack.ts';
import { UnacknowledgedAnswers } from './unacknowledged-answers.ts';

/** Requests of the peer in one call: what comes beyond is refused unread, so that one call takes no room from others. */
const MOST_REQUESTS = { perSecond: 20, burst: 100 };

/** What the user of a session wants to be asked. Set before the call is answered. */
export interface SessionHandlers {
  /** re-INVITE or UPDATE with an offer: our answer. A Failure refuses with its SIP status, anything else with 488. */
  onOffer?: (sdp: string) => string;
  /** Our offer, for a re-INVITE without one. Default: our last description once more. */
  onOfferWanted?: () => string;
  /** The peer asked for an offer by a re-INVITE without one, and this is its answer. */
  onAnswer?: (sdp: string) => void;
  onDtmf?: (digit: InfoDigit) => void;
  /** The peer asks for the call to be taken to somebody else. Must accept or refuse it. Default: 403. */
  onRefer?: (referral: IncomingReferral) => void;
}

/** One call from its first dialog-creating response to its end: requests inside the dialog, both ways. */
export class Session {
  readonly dialog: Dialog;
  readonly handlers: SessionHandlers = {};
  /** Contact of ours, as a header value. */
  readonly contact: string;
  /** Our last session description; what an INVITE without an offer is answered with. */
  localSdp: string | undefined;
  remoteSdp: string | undefined;
  /** The initial offer of the peer's INVITE is not answered yet, or not reliably (RFC 3311 5.2). */
  offerOpen = false;
  /** Does the peer serve UPDATE (its Allow)? Then that refreshes the session, else a re-INVITE. */
  allowsUpdate = false;
  /** Does it let itself be referred (its Allow)? */
  allowsRefer = false;
  /** Does it take INFO? Without an Allow of its own nobody knows, and it is asked. */
  allowsInfo = true;
  /** REFERs of the peer so far. */
  referralsTaken = 0;
  readonly timer: SessionRefresh;
  /** A PRACK of the peer, while its INVITE may have reliable provisional responses: does it name one of them? */
  onPrack: ((prack: SipRequest) => boolean) | undefined;
  /** An INVITE of the peer has no final answer yet. */
  inviteOpen = false;
  /** An offer of ours is out, by INVITE or UPDATE. */
  ourOffer = false;
  /** Answers challenges to our requests; undefined: they are refusals. */
  auth: DigestClient | undefined;
  /** Told when the peer hangs up before the answer (15.1.2). */
  onEarlyBye: (() => void) | undefined;
  /** Of a call of ours that rings: whoever sent this INVITE answers in its place (RFC 3891 3). Undefined: nobody can. */
  pickUp: ((invite: IncomingInvite) => void) | undefined;
  readonly #requests: TokenBucket;
  readonly #stack: Stack;
  readonly #controller = new AbortController();
  readonly #answers: UnacknowledgedAnswers;
  #flow: Flow;
  #bye: Promise<void> | undefined;
  /** The last ACK we sent, for repeated 2xx. */
  #lastAck: { cseq: number; bytes: Buffer; flow: Flow } | undefined;

  constructor(stack: Stack, dialog: Dialog, flow: Flow, contact: string) {
    this.#stack = stack;
    this.#answers = new UnacknowledgedAnswers(stack);
    this.#requests = new TokenBucket(MOST_REQUESTS, stack.scheduler.now());
    this.dialog = dialog;
    this.#flow = flow;
    this.contact = contact;
    this.timer = new SessionRefresh(stack, this);
    stack.sessions.set(dialog.key, this);
  }

  /** Aborts when the call ends, whoever ends it; the reason is a SessionEnd. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ended(): boolean {
    return this.#controller.signal.aborted;
  }

  /** An INVITE of the peer has no final answer, or its 2xx no ACK yet. */
  get theirInvite(): boolean {
    return this.inviteOpen || this.#answers.size > 0;
  }

  /** The flow the peer was last heard on. */
  get flow(): Flow {
    return this.#flow;
  }

  /**
   * BYE. The signal aborts at once; resolves when the peer has confirmed or did not answer. When our 2xx has not been
   * acknowledged the BYE waits for the ACK, or for giving up on it (RFC 3261 15).
   */
  bye(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#bye ??= this.ended ? Promise.resolve() : this.#sayGoodbye({ by: 'local', how: 'bye' }, headers, true);
    return this.#bye;
  }

  /** BYE without waiting for an outstanding ACK: the user agent closes. */
  shutdown(): Promise<void> {
    // A BYE that waits for an ACK goes out now.
    if (this.#bye !== undefined) this.#answers.abandon();
    else this.#bye = this.ended ? Promise.resolve() : this.#sayGoodbye({ by: 'local', how: 'shutdown' }, {}, false);
    return this.#bye;
  }

  /**
   * Offers a new session description by re-INVITE; resolves with the peer's answer. On 491 it tries once more after
   * the pause of 14.1.
   * @throws Failure 491 while another offer is under way, 481 when the call is over, else the peer's refusal
   */
  reinvite(sdp: string): Promise<string | undefined> {
    return reinvite(this, this.#stack, sdp);
  }

  /** The same by UPDATE (RFC 3311), which also works before the answer. */
  update(sdp: string): Promise<string | undefined> {
    return offer(this, 'UPDATE', sdp);
  }

  /** Tells the peer that the call lives, by UPDATE or by our last description once more (RFC 4028 7.4). */
  async refresh(): Promise<void> {
    if (this.allowsUpdate) await offer(this, 'UPDATE', undefined);
    else await offer(this, 'INVITE', this.localSdp);
  }

  /** Nobody has refreshed the session (RFC 4028 10). */
  expire(): void {
    const reason = { Reason: 'SIP;cause=408;text="Session expired"' };
    if (!this.ended) this.#bye ??= this.#sayGoodbye({ by: 'network', how: 'expired', status: 408 }, reason, false);
  }

  /** PRACK for a reliable provisional response to our INVITE (RFC 3262 4). @throws Failure with the peer's refusal */
  async prack(rseq: number, invite: number): Promise<void> {
    await this.request('PRACK', (request) => request.headers.set('RAck', `${rseq} ${invite} INVITE`));
  }

  /** @throws Failure with the peer's refusal */
  async info(contentType: string, body: string): Promise<void> {
    await this.request('INFO', (request) => request.setBody(contentType, body));
  }

  /** A keypress, by INFO. @throws Failure 405 where the peer does not take INFO, or its refusal */
  async sendDigit(digit: InfoDigit): Promise<void> {
    if (!this.allowsInfo) throw sipFailure(405, 'sip-no-info', 'the peer takes no INFO', 'network');
    const { contentType, body } = formatDtmfInfo(digit);
    await this.info(contentType, body);
  }

  /**
   * Asks the peer to call somebody else (RFC 3515); resolves when it is known how that went. The call stays as it is:
   * whoever was connected is hung up by us, unless the peer does it.
   * @throws Failure 491 while another REFER is under way, 481 when the call is over, 400 for a target nobody can call
   */
  async refer(options: ReferOptions): Promise<ReferralEnd> {
    return Referral.start(this, this.#stack, options);
  }

  /** What the peer says it can do, in its INVITE or its 2xx to ours. */
  takeCapabilities(message: SipMessage): void {
    const methods = message.headers.list('allow');
    this.allowsUpdate = methods.includes('UPDATE');
    this.allowsRefer = methods.includes('REFER');
    this.allowsInfo = methods.length === 0 || methods.includes('INFO');
  }

  /** Is there room for this request of the peer, before anything is made of it? For the one that ends the call, always. */
  takes({ method }: SipRequest): boolean {
    return method === 'BYE' || this.#requests.take(MOST_REQUESTS, this.#stack.scheduler.now());
  }

  /** A request of the peer inside this dialog. Called by the user agent. */
  receive(tx: ServerTransaction): void {
    this.#flow = tx.flow;
    receiveInDialog(this, tx, this.#stack);
  }

  /** An ACK of the peer for a 2xx of ours. */
  receiveAck(ack: SipRequest): void {
    this.#answers.receiveAck(ack);
  }

  /** Sends a 2xx to an INVITE until its ACK comes. Without one the call ends: BYE, signal `no-ack` (13.3.1.4). */
  sendAnswer(tx: ServerTransaction, response: SipResponse): Promise<SipRequest> {
    tx.onFailed = (error) => {
      if (error !== undefined) this.end({ by: 'network', how: 'transport', reason: error.message });
    };
    this.inviteOpen = false;
    return this.#answers.send(tx, response, () => {
      if (!this.ended) this.#bye ??= this.#sayGoodbye({ by: 'network', how: 'no-ack', status: 408 }, {}, false);
    });
  }

  /** ACK for a 2xx, ours to send for the first and each repeated one, with the credentials of its INVITE (13.2.2.4). */
  async acknowledge(invite: SipRequest): Promise<void> {
    const cseq = invite.cseq.number;
    const last = this.#lastAck;
    if (last !== undefined && last.cseq === cseq && last.flow.open) {
      last.flow.send(last.bytes, () => undefined);
      return;
    }
    try {
      const ack = this.dialog.request('ACK', cseq);
      for (const name of ['Authorization', 'Proxy-Authorization']) {
        for (const value of invite.headers.lines(name.toLowerCase())) ack.headers.append(name, value);
      }
      const sent = await this.#stack.transactions.sendAck(ack, this.dialog.nextHop, this.#flow);
      this.#lastAck = { cseq, ...sent };
    } catch (error) {
      this.#stack.log.info({ err: error }, 'ACK could not be sent');
    }
  }

  /** The call is over without a BYE of ours. Ending twice is ending once. */
  end(end: SessionEnd): void {
    this.#abort(end);
    this.#forget();
  }

  #abort(end: SessionEnd): void {
    if (this.ended) return;
    if (this.dialog.state !== 'terminated') this.dialog.move('terminated');
    this.timer.stop();
    this.#controller.abort(end);
  }

  #forget(): void {
    const { sessions } = this.#stack;
    if (sessions.get(this.dialog.key) === this) sessions.delete(this.dialog.key);
    this.#answers.abandon();
  }

  async #sayGoodbye(end: SessionEnd, headers: Readonly<Record<string, string>>, waitForAck: boolean): Promise<void> {
    this.#abort(end);
    if (waitForAck) await this.#answers.settled();
    try {
      await this.request('BYE', (request) => {
        for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
      });
    } catch (error) {
      // Whatever the peer says to it, the call is over (15.1.1).
      this.#stack.log.debug({ err: error }, 'BYE was not confirmed');
    } finally {
      this.#forget();
    }
  }

  /** Any request inside the dialog. @throws Failure `sip-refused` with the peer's status, 408, or 503 */
  async request(method: string, complete: (request: SipRequest) => void): Promise<SipResponse> {
    const build = () => {
      const request = this.dialog.request(method);
      request.headers.set('User-Agent', this.#stack.product);
      complete(request);
      return request;
    };
    // Each 2xx of an INVITE is acknowledged, also one that comes again (13.2.2.4).
    const onSuccess = method === 'INVITE' ? (request: SipRequest) => void this.acknowledge(request) : undefined;
    const options = { auth: this.auth, hint: this.#flow, onSuccess };
    const { response, failure } = await exchange(this.#stack, build, this.dialog.nextHop, options);
    if (response === undefined) {
      this.#lost(failure.sipStatus);
      throw failure;
    }
    if (response.isSuccess) return response;
    throw this.#refused(method, response);
  }

  /** 481 and 408 say that the dialog is gone, whatever was asked (12.2.1.2). */
  #refused(method: string, response: SipResponse): Failure {
    const { status, reason } = response;
    if (status === 481 || status === 408) this.#lost(status);
    const message = `${method} refused: ${status} ${reason}`;
    return new Failure(message, {
      code: 'sip-refused',
      blame: 'network',
      sipStatus: status,
      retryable: status === 491,
      cause: response,
    });
  }

  /** The peer knows nothing of the call any more; it is told all the same, because a proxy in between may. */
  #lost(status: number): void {
    if (!this.ended) this.#bye ??= this.#sayGoodbye({ by: 'network', how: 'transport', status }, {}, false);
  }
}
