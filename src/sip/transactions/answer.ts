import type { Ms } from '../../core/clock.ts';
import type { SipResponse } from '../message/message.ts';
import { type Effect, NOTHING, TransactionMachine } from './machine.ts';
import { patience, type TimerValues } from './timers.ts';

const LEGAL = { waiting: ['terminated'] } as const;

/**
 * A 2xx to an INVITE until its ACK comes (RFC 3261 13.3.1.4): sent again after T1, 2*T1 ... T2, on every transport,
 * because a proxy may lose it behind a reliable hop; given up after 64*T1 with `timeout`. A reliable provisional
 * response until its PRACK comes is the same without an upper bound on the interval (RFC 3262 3).
 */
export class AnswerMachine extends TransactionMachine<'waiting', 'repeat' | 'give-up'> {
  readonly #response: SipResponse;
  readonly #longest: Ms;
  #interval: Ms;

  constructor(response: SipResponse, timers: TimerValues, now: Ms, longest: Ms = timers.t2) {
    super('waiting', LEGAL);
    this.#response = response;
    this.#longest = longest;
    this.#interval = timers.t1;
    this.arm('repeat', now + this.#interval);
    this.arm('give-up', now + patience(timers));
  }

  acknowledged(): readonly Effect[] {
    return this.state === 'waiting' ? this.terminate() : NOTHING;
  }

  protected onTimer(timer: 'repeat' | 'give-up', now: Ms): readonly Effect[] {
    if (timer === 'give-up') return [{ type: 'timeout' }, ...this.terminate()];
    this.#interval = Math.min(this.#interval * 2, this.#longest);
    this.arm('repeat', now + this.#interval);
    return [{ type: 'send', message: this.#response }];
  }
}
