import { sipFailure } from '../errors.ts';
import { parseDecimal } from '../message/grammar.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { PendingAnswer } from './pending-answer.ts';
import type { Stack } from './stack.ts';

/** Provisional responses that wait for the PRACK of the one before; beyond that the newest replaces the last. */
const MAX_WAITING = 4;

/**
 * Reliable provisional responses to one INVITE (RFC 3262 3): numbered, sent again after T1, 2*T1, 4*T1 ... until their
 * PRACK comes, one at a time. After 64*T1 without one `onGiveUp` is told.
 */
export class ReliableProvisionals {
  readonly #stack: Stack;
  readonly #tx: ServerTransaction;
  readonly #onGiveUp: () => void;
  readonly #waiting: SipResponse[] = [];
  /** The highest number is bounded by 2^31 - 1, and the first may not be zero. */
  #rseq = Math.floor(Math.random() * 2 ** 30) + 1;
  #pending: { rseq: number; answer: PendingAnswer; described: boolean } | undefined;
  /** A PRACK again, after its response was taken off the list: still answered 200. */
  #last: number | undefined;
  #stopped = false;
  /** Its CSeq number, which a PRACK may name when the transaction has let it go. */
  readonly #invite: number;

  constructor(stack: Stack, tx: ServerTransaction, onGiveUp: () => void) {
    this.#stack = stack;
    this.#tx = tx;
    this.#invite = tx.request.cseq.number;
    this.#onGiveUp = onGiveUp;
  }

  send(response: SipResponse): void {
    if (this.#stopped) return;
    if (this.#pending !== undefined) {
      if (this.#waiting.length === MAX_WAITING) this.#waiting.pop();
      this.#waiting.push(response);
      return;
    }
    const rseq = this.#rseq++;
    response.headers.set('Require', '100rel').set('RSeq', String(rseq));
    const { scheduler, timers } = this.#stack;
    const answer = new PendingAnswer(scheduler, timers, this.#tx, response, Number.POSITIVE_INFINITY);
    this.#pending = { rseq, answer, described: response.body.length > 0 };
    answer.acknowledged.catch(() => {
      if (!this.#stopped) this.#onGiveUp();
    });
  }

  /** Resolves once no session description of ours is unacknowledged: until then no 2xx may be sent (RFC 3262 3). */
  async described(): Promise<void> {
    while (this.blocksAnswer && this.#pending !== undefined) await this.#pending.answer.acknowledged;
  }

  get blocksAnswer(): boolean {
    return (this.#pending?.described ?? false) || this.#waiting.some(({ body }) => body.length > 0);
  }

  /** Does this PRACK name a response of ours (RFC 3262 3: response number, CSeq number and method)? */
  acknowledge(prack: SipRequest): boolean {
    const rack = /^(\d{1,10})\s+(\d{1,10})\s+(\S+)$/.exec(prack.headers.get('rack')?.trim() ?? '');
    if (rack === null || rack[3] !== 'INVITE' || parseDecimal(rack[2]!, 2 ** 31 - 1) !== this.#invite) return false;
    const rseq = Number(rack[1]);
    const pending = this.#pending;
    if (pending === undefined || pending.rseq !== rseq) return rseq === this.#last;
    this.#pending = undefined;
    this.#last = rseq;
    pending.answer.ack(prack);
    const next = this.#waiting.shift();
    if (next !== undefined) this.send(next);
    return true;
  }

  /** After the final answer nothing is repeated any more; a PRACK on its way is still known. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#pending?.answer.abandon(sipFailure(487, 'sip-ended', 'there is a final answer', 'network'));
  }
}

/** What the caller says of reliable provisional responses: `required` beats `supported`. */
export function reliabilityAsked(invite: SipRequest): 'required' | 'supported' | 'no' {
  const asks = (key: string) => invite.headers.list(key).some((tag) => tag.toLowerCase() === '100rel');
  return asks('require') ? 'required' : asks('supported') ? 'supported' : 'no';
}
