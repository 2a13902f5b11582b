import type { Ms } from '../../core/clock.ts';
import type { SipResponse } from '../message/message.ts';
import { type Effect, NOTHING, TransactionMachine } from './machine.ts';
import { patience, type TimerValues } from './timers.ts';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed';

/** RFC 3261 17.2.2. */
const LEGAL = {
  trying: ['proceeding', 'completed', 'terminated'],
  proceeding: ['completed', 'terminated'],
  completed: ['terminated'],
} as const;

export class NonInviteServerMachine extends TransactionMachine<NonInviteServerState, 'J'> {
  readonly #reliable: boolean;
  readonly #timers: TimerValues;
  #last: SipResponse | undefined;

  constructor(reliable: boolean, timers: TimerValues) {
    super('trying', LEGAL);
    this.#reliable = reliable;
    this.#timers = timers;
  }

  /** The request again. Before the first response it is absorbed. */
  receive(): readonly Effect[] {
    return this.#last === undefined || this.state === 'terminated' ? NOTHING : [{ type: 'send', message: this.#last }];
  }

  /** A response of the transaction user; dropped after a final one. */
  respond(response: SipResponse, now: Ms): readonly Effect[] {
    if (this.state === 'completed' || this.state === 'terminated') return NOTHING;
    this.#last = response;
    if (response.isProvisional) {
      if (this.state === 'trying') this.move('proceeding');
      return [{ type: 'send', message: response }];
    }
    this.move('completed');
    if (this.#reliable) return [{ type: 'send', message: response }, ...this.terminate()];
    this.arm('J', now + patience(this.#timers));
    return [{ type: 'send', message: response }];
  }

  protected onTimer(): readonly Effect[] {
    return this.terminate();
  }
}
