import { sipFailure } from '../errors.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { PendingAnswer } from './pending-answer.ts';
import type { Stack } from './stack.ts';

/** 2xx of ours to INVITEs of the peer in one call that wait for their ACKs (RFC 3261 13.3.1.4). */
export class UnacknowledgedAnswers {
  readonly #stack: Stack;
  /** By CSeq. */
  readonly #answers = new Map<number, PendingAnswer>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** Sends it until its ACK comes, which it resolves with. `onNone`: there was none in 64*T1. */
  send(tx: ServerTransaction, response: SipResponse, onNone: () => void): Promise<SipRequest> {
    const { number } = tx.request.cseq;
    const answer = new PendingAnswer(this.#stack.scheduler, this.#stack.timers, tx, response);
    this.#answers.set(number, answer);
    answer.acknowledged
      .catch(() => {
        if (this.#answers.delete(number)) onNone();
      })
      // The transaction rests for 32 s more: a call that is over meanwhile does not hang on it.
      .finally(() => {
        tx.onFailed = undefined;
        tx.letGo();
      });
    return answer.acknowledged;
  }

  receiveAck(ack: SipRequest): void {
    const { number } = ack.cseq;
    const answer = this.#answers.get(number);
    if (answer === undefined) return;
    this.#answers.delete(number);
    answer.ack(ack);
  }

  /** Resolves when each has its ACK or was given up. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#answers.values()].map((answer) => answer.acknowledged));
  }

  /** Nobody waits for an ACK any more. */
  abandon(): void {
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const answer of answers) answer.abandon(sipFailure(487, 'sip-ended', 'the call has ended', 'network'));
  }
}
