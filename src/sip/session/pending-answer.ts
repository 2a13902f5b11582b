import type { Ms } from '../../core/clock.ts';
import { timeoutFailure } from '../errors.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { Scheduler, Timed } from '../scheduler.ts';
import { AnswerMachine } from '../transactions/answer.ts';
import type { Effect } from '../transactions/machine.ts';
import type { TimerValues } from '../transactions/timers.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';

/** A 2xx or a reliable 1xx of ours on its way: sent now and again until `ack`, given up after 64*T1. */
export class PendingAnswer implements Timed {
  /** The ACK or PRACK. Rejects with Failure 408 when it never comes. */
  readonly acknowledged: Promise<SipRequest>;
  readonly #scheduler: Scheduler;
  readonly #tx: ServerTransaction;
  readonly #response: SipResponse;
  readonly #machine: AnswerMachine;
  readonly #settle: { resolve: (ack: SipRequest) => void; reject: (error: Error) => void };

  constructor(
    scheduler: Scheduler,
    timers: TimerValues,
    tx: ServerTransaction,
    response: SipResponse,
    longest: Ms = timers.t2,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<SipRequest>();
    // Whoever answers may not wait for the ACK; its absence ends the session all the same.
    promise.catch(() => undefined);
    this.acknowledged = promise;
    this.#settle = { resolve, reject };
    this.#scheduler = scheduler;
    this.#tx = tx;
    this.#response = response;
    this.#machine = new AnswerMachine(response, timers, scheduler.now(), longest);
    tx.respond(response);
    scheduler.changed(this);
  }

  ack(request: SipRequest): void {
    this.#run(this.#machine.acknowledged());
    this.#settle.resolve(request);
  }

  /** Nobody waits any more: the session has ended. */
  abandon(error: Error): void {
    this.#run(this.#machine.acknowledged());
    this.#settle.reject(error);
  }

  deadline(): Ms | undefined {
    return this.#machine.deadline();
  }

  wake(now: Ms): void {
    this.#run(this.#machine.tick(now));
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.#tx.respond(this.#response);
      else if (effect.type === 'timeout') this.#settle.reject(timeoutFailure('it was not acknowledged'));
    }
    this.#scheduler.changed(this);
  }
}
