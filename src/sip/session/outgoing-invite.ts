import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { sipFailure, timeoutFailure } from '../errors.ts';
import { parseDecimal } from '../message/grammar.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { patience } from '../transactions/timers.ts';
import type { ClientTransaction } from '../transactions/transaction.ts';
import { Dialog } from './dialog.ts';
import { Session } from './session.ts';
import type { Stack } from './stack.ts';

/** How long a call of ours may ring; then it is cancelled. */
const RING_LIMIT: Ms = 180_000;

/** Branches of a fork that are followed. */
const MAX_FORKS = 16;

export interface InviteEvents {
  /** Aborting cancels the call: CANCEL, or BYE when it was answered meanwhile. */
  signal?: AbortSignal | undefined;
  onProgress?: ((response: SipResponse) => void) | undefined;
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
  #cancelling = false;
  #cancelSent = false;

  constructor(stack: Stack, request: SipRequest, contact: string, events: InviteEvents) {
    this.#stack = stack;
    this.#request = request;
    this.#contact = contact;
    this.#events = events;
    // It may fail while `run` still waits for something else.
    this.#outcome.promise.catch(() => undefined);
  }

  /** @throws Failure with the peer's status, 408, 503, or 487 when cancelled */
  async run(nextHop: string): Promise<Session> {
    const { signal } = this.#events;
    const cancel = () => this.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (signal?.aborted) throw sipFailure(487, 'sip-cancelled', 'cancelled before it was sent', 'us');
      this.#tx = await this.#stack.transactions.request(this.#request, nextHop, {
        onResponse: (response) => this.#receive(response),
        onFailed: (error) => this.#fail(error ?? timeoutFailure('INVITE was not answered')),
      });
      this.#stopTimers.push(this.#stack.scheduler.after(RING_LIMIT, cancel));
      if (signal?.aborted) this.cancel();
      return await this.#outcome.promise;
    } finally {
      signal?.removeEventListener('abort', cancel);
      for (const stop of this.#stopTimers.splice(0)) stop();
    }
  }

  /** CANCEL, as soon as a provisional response allows it (9.1). */
  cancel(): void {
    this.#cancelling = true;
    this.#sendCancel();
  }

  #sendCancel(): void {
    const tx = this.#tx;
    if (!this.#cancelling || this.#cancelSent || !this.#provisional || this.#settled || tx === undefined) return;
    this.#cancelSent = true;
    this.#stack.transactions.cancel(tx, { onResponse: () => undefined, onFailed: () => undefined });
    // A peer that does not end the INVITE after that is given up (9.1).
    const giveUp = () => {
      tx.terminate();
      this.#fail(sipFailure(487, 'sip-cancelled', 'cancelled', 'us'));
    };
    this.#stopTimers.push(this.#stack.scheduler.after(patience(this.#stack.timers), giveUp));
  }

  #receive(response: SipResponse): void {
    if (response.isProvisional) this.#progress(response);
    else if (response.isSuccess) this.#success(response);
    else {
      const facts = { code: 'sip-refused', blame: 'network', sipStatus: response.status } as const;
      this.#fail(new Failure(`INVITE refused: ${response.status} ${response.reason}`, { ...facts, cause: response }));
    }
  }

  #progress(response: SipResponse): void {
    if (this.#settled) return;
    this.#provisional = true;
    if (response.status > 100) {
      const session = this.#sessionOf(response);
      if (session !== undefined && !this.#acknowledge(session, response)) return;
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
    if (response.sdp !== undefined) session.remoteSdp = response.sdp;
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
    void session.acknowledge(this.#request.cseq.number).then(() => {
      // Another branch of a fork, or an answer that crossed our CANCEL.
      if (!repeated && session !== this.#answered) void session.bye();
    });
    if (repeated || this.#settled) return;
    session.remoteSdp = response.sdp ?? session.remoteSdp;
    session.allowsUpdate = response.headers.list('allow').includes('UPDATE');
    session.timer.begun(response);
    if (this.#cancelling) {
      this.#fail(sipFailure(487, 'sip-cancelled', 'cancelled', 'us'));
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
    if (this.#settled) return;
    this.#settled = true;
    for (const session of this.#early.values()) {
      if (session.dialog.state === 'early') {
        session.end({ by: this.#cancelling ? 'local' : 'remote', how: 'rejected', status: error.sipStatus });
      }
    }
    this.#outcome.reject(error);
  }

  /** The dialog of this response, made by the first that has its tag. */
  #sessionOf(response: SipResponse): Session | undefined {
    const tag = response.toTag ?? '';
    const known = this.#early.get(tag);
    if (known !== undefined) return known;
    try {
      const flow = this.#tx?.flow;
      if (flow === undefined || this.#early.size >= MAX_FORKS) return undefined;
      const session = new Session(this.#stack, Dialog.uac(this.#request, response), flow, this.#contact);
      session.localSdp = this.#request.sdp;
      this.#early.set(tag, session);
      return session;
    } catch (error) {
      this.#stack.log.debug({ err: error }, 'response makes no dialog');
      return undefined;
    }
  }
}
