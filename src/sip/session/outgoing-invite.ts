import type { Ms } from '../../core/clock.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { DigestClient } from '../auth/digest-client.ts';
import { sipFailure, timeoutFailure } from '../errors.ts';
import { parseDecimal } from '../message/grammar.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { patience } from '../transactions/timers.ts';
import type { ClientTransaction } from '../transactions/transaction.ts';
import type { Flow } from '../transport/flow.ts';
import { Dialog } from './dialog.ts';
import type { IncomingInvite } from './incoming-invite.ts';
import type { OutgoingOptions } from './outgoing-request.ts';
import { Session } from './session.ts';
import type { Stack } from './stack.ts';

/** How long a call of ours may ring where nobody says otherwise; then it is cancelled. */
const RING_LIMIT: Ms = 180_000;

/** How long, in T1, whoever has cancelled waits for the peer to say so. */
const CANCEL_PATIENCE = 8;

/** Branches of a fork that are followed. */
const MAX_FORKS = 16;

export interface InviteEvents extends Pick<OutgoingOptions, 'hint'> {
  /** Aborting cancels the call: CANCEL, or BYE when it was answered meanwhile. */
  signal?: AbortSignal | undefined;
  onProgress?: ((response: SipResponse) => void) | undefined;
  /** Cancelled when it has not been answered for this long. Default: 180 s. */
  ringMs?: Ms | undefined;
  /**
   * Given up when not even a provisional response has come for this long, so that another server can be tried before
   * the caller tires. Default: 64*T1, as RFC 3261 has it.
   */
  silenceMs?: Ms | undefined;
  /** Answers challenges to requests in the dialog. */
  auth?: DigestClient | undefined;
  /**
   * Somebody else picks the call up while it rings (RFC 3891 3): our answer to what their INVITE offers; their dialog is
   * the call then. Rejects with what they are to be refused with. Left out: nobody else may.
   */
  onPickUp?: ((offer: string) => Promise<string>) | undefined;
}

/**
 * An INVITE of ours until it is answered (RFC 3261 13.2). A fork may answer several times: the first 2xx is the call,
 * every other one is acknowledged and hung up.
 */
export class OutgoingInvite {
  readonly #stack: Stack;
  readonly #request: SipRequest;
  readonly #contact: string;
  readonly #events: InviteEvents;
  readonly #early = new Map<string, Session>();
  readonly #outcome = Promise.withResolvers<Session>();
  readonly #stopTimers: (() => void)[] = [];
  /** The last reliable provisional response of each dialog. */
  readonly #rseq = new Map<Session, number>();
  #tx: ClientTransaction | undefined;
  #answered: Session | undefined;
  #settled = false;
  #provisional = false;
  #progressed = false;
  /** Why it is being cancelled: what its user is told of it. */
  #cancelling: Failure | undefined;
  #cancelSent = false;
  /** Nobody waits for the outcome any more; what still comes is cancelled or hung up. */
  #abandoned = false;

  constructor(stack: Stack, request: SipRequest, contact: string, events: InviteEvents) {
    this.#stack = stack;
    this.#request = request;
    this.#contact = contact;
    this.#events = events;
    // It may fail while `run` still waits for something else.
    this.#outcome.promise.catch(() => undefined);
  }

  /** The way it went; undefined until it is sent. */
  get flow(): Flow | undefined {
    return this.#tx?.flow;
  }

  /** Has the far end, and not only the next hop, said something (18x)? */
  get progressed(): boolean {
    return this.#progressed;
  }

  /**
   * `tried`: see TransportLayer.route.
   * @throws Failure with the peer's status, 408, 503, or 487 when cancelled
   */
  async run(nextHop: string, tried: readonly Flow[] = []): Promise<Session> {
    const { signal } = this.#events;
    const cancel = () => this.#cancel(cancelled());
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (signal?.aborted) throw sipFailure(487, 'sip-cancelled', 'cancelled before it was sent', 'us');
      const { hint } = this.#events;
      const events = {
        onResponse: (response: SipResponse) => this.#receive(response),
        onFailed: (error?: Failure) => this.#fail(error ?? timeoutFailure('INVITE was not answered')),
      };
      this.#tx = await this.#stack.transactions.request(this.#request, nextHop, events, hint, tried);
      const { ringMs = RING_LIMIT, silenceMs } = this.#events;
      this.#stopTimers.push(this.#stack.scheduler.after(ringMs, () => this.#cancel(noAnswer())));
      if (silenceMs !== undefined) {
        const giveUp = () => {
          if (!this.#provisional) this.#stack.transports.suspect(this.#tx!.flow);
          this.#abandon(timeoutFailure('nobody answered the INVITE'));
        };
        this.#stopTimers.push(this.#stack.scheduler.after(silenceMs, giveUp));
      }
      if (signal?.aborted) cancel();
      return await this.#outcome.promise;
    } finally {
      signal?.removeEventListener('abort', cancel);
      for (const stop of this.#stopTimers.splice(0)) stop();
    }
  }

  /** Another telephone takes the call that rings: its dialog is the call, and where it rings it is cancelled. */
  async #pickUp(invite: IncomingInvite, onPickUp: (offer: string) => Promise<string>): Promise<void> {
    const { offer } = invite;
    if (offer === undefined) {
      invite.reject({ status: 488 });
      return;
    }
    try {
      const sdp = await onPickUp(offer);
      if (this.#settled || this.#cancelling !== undefined) {
        // Somebody has answered meanwhile, or nobody wants the call any more.
        invite.reject({ status: 603 });
        return;
      }
      this.#settled = true;
      this.#abandoned = true;
      this.#cancelling = sipFailure(487, 'sip-picked-up', 'picked up by another telephone', 'network');
      const answered = invite.answer(sdp);
      this.#sendCancel();
      await answered;
      this.#outcome.resolve(invite.session);
    } catch (error) {
      // What it offers cannot be spoken: it rings on. Or it was never acknowledged, and the call is over.
      invite.reject({ status: asFailure(error).sipStatus });
      if (this.#settled) this.#outcome.reject(error);
    }
  }

  /** CANCEL; where no provisional response allows it yet (9.1), as soon as one does, but nobody waits for that. */
  #cancel(why: Failure): void {
    this.#cancelling ??= why;
    if (this.#tx !== undefined) this.#abandon(why);
    this.#sendCancel();
  }

  /** The outcome is settled before the peer has said anything. Should it wake up, it is told that nobody is there. */
  #abandon(error: Failure): void {
    if (this.#provisional || this.#settled) return;
    this.#abandoned = true;
    this.#cancelling ??= error;
    this.#fail(error);
  }

  #sendCancel(): void {
    const tx = this.#tx;
    if (this.#cancelling === undefined || this.#cancelSent || !this.#provisional || tx === undefined) return;
    if (this.#settled && !this.#abandoned) return;
    this.#cancelSent = true;
    this.#stack.transactions.cancel(tx, { onResponse: () => undefined, onFailed: () => undefined });
    const why = this.#cancelling;
    const { scheduler, timers } = this.#stack;
    this.#stopTimers.push(scheduler.after(CANCEL_PATIENCE * timers.t1, () => this.#release(why)));
    // A peer that does not end the INVITE after that is given up (9.1), whether somebody still waits for it or not.
    scheduler.after(patience(timers), () => {
      tx.terminate();
      this.#fail(why);
    });
  }

  /** The peer takes its time to end what was cancelled: nobody waits for that, but what still comes is dealt with. */
  #release(why: Failure): void {
    if (this.#settled) return;
    this.#abandoned = true;
    this.#settled = true;
    this.#outcome.reject(why);
  }

  #receive(response: SipResponse): void {
    if (response.isProvisional) this.#progress(response);
    else if (response.isSuccess) this.#success(response);
    else if (response.status === 487 && this.#cancelling !== undefined) this.#fail(this.#cancelling);
    else {
      const facts = { code: 'sip-refused', blame: 'network', sipStatus: response.status } as const;
      this.#fail(new Failure(`INVITE refused: ${response.status} ${response.reason}`, { ...facts, cause: response }));
    }
  }

  #progress(response: SipResponse): void {
    if (this.#settled && !this.#abandoned) return;
    this.#provisional = true;
    if (response.status > 100 && !this.#abandoned) {
      this.#progressed = true;
      const session = this.#sessionOf(response);
      if (session !== undefined) {
        if (!this.#acknowledge(session, response)) return;
        // Not to be changed by the 200 (RFC 6337 3.1.1), which may leave it out where this one was reliable.
        session.remoteSdp = response.sdp ?? session.remoteSdp;
      }
      this.#events.onProgress?.(response);
    }
    this.#sendCancel();
  }

  /** PRACK for a reliable provisional response (RFC 3262 4). False for one that came again or out of order. */
  #acknowledge(session: Session, response: SipResponse): boolean {
    if (!response.headers.list('require').some((tag) => tag.toLowerCase() === '100rel')) return true;
    const rseq = parseDecimal(response.headers.get('rseq')?.trim() ?? '', 2 ** 31 - 1);
    const before = this.#rseq.get(session);
    if (rseq === undefined || (before !== undefined && rseq !== before + 1)) return false;
    this.#rseq.set(session, rseq);
    session
      .prack(rseq, this.#request.cseq.number)
      .catch((error: unknown) => this.#stack.log.info({ err: error }, 'PRACK was not taken'));
    return true;
  }

  #success(response: SipResponse): void {
    const session = this.#sessionOf(response);
    if (session === undefined) {
      this.#fail(sipFailure(502, 'sip-malformed', 'the 200 makes no dialog', 'network'));
      return;
    }
    const repeated = session.dialog.state !== 'early';
    if (!repeated) session.dialog.confirm(response);
    void session.acknowledge(this.#request).then(() => {
      // Another branch of a fork, or an answer that crossed our CANCEL.
      if (!repeated && session !== this.#answered) void session.bye();
    });
    if (this.#settled) return;
    if (repeated) {
      // It had hung up on its early dialog, which it must not (RFC 3261 15), and answers all the same.
      this.#fail(sipFailure(480, 'sip-hung-up-early', 'the far end hung up before it answered', 'network'));
      return;
    }
    session.remoteSdp = response.sdp ?? session.remoteSdp;
    session.takeCapabilities(response);
    session.timer.begun(response, this.#request);
    if (this.#cancelling !== undefined) {
      this.#fail(this.#cancelling);
      return;
    }
    this.#settled = true;
    this.#answered = session;
    for (const other of this.#early.values()) {
      if (other !== session && other.dialog.state === 'early') other.end({ by: 'local', how: 'cancel' });
    }
    this.#outcome.resolve(session);
  }

  #fail(error: Failure): void {
    for (const session of this.#early.values()) {
      if (session.dialog.state === 'early') {
        session.end({
          by: this.#cancelling !== undefined ? 'local' : 'remote',
          how: 'rejected',
          status: error.sipStatus,
        });
      }
    }
    if (this.#settled) return;
    this.#settled = true;
    this.#outcome.reject(error);
  }

  /** The dialog of this response, made by the first that has its tag. */
  #sessionOf(response: SipResponse): Session | undefined {
    try {
      // Of a To that nobody can read it throws.
      const tag = response.toTag ?? '';
      const known = this.#early.get(tag);
      if (known !== undefined) return known;
      const flow = this.#tx?.flow;
      if (flow === undefined || this.#early.size >= MAX_FORKS) return undefined;
      const session = new Session(this.#stack, Dialog.uac(this.#request, response), flow, this.#contact);
      session.localSdp = this.#request.sdp;
      session.auth = this.#events.auth;
      const { onPickUp } = this.#events;
      if (onPickUp !== undefined) session.pickUp = (invite) => void this.#pickUp(invite, onPickUp);
      this.#early.set(tag, session);
      return session;
    } catch (error) {
      this.#stack.log.debug({ err: error }, 'response makes no dialog');
      return undefined;
    }
  }
}

function cancelled(): Failure {
  return sipFailure(487, 'sip-cancelled', 'cancelled', 'us');
}

function noAnswer(): Failure {
  return sipFailure(408, 'sip-no-answer', 'nobody answered in time', 'network');
}
