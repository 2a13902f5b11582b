import type { Ms } from '../../core/clock.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type Effect, NOTHING, TransactionMachine } from './machine.ts';
import { patience, type TimerValues } from './timers.ts';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed';
type Timer = 'E' | 'F' | 'K';

/** RFC 3261 17.1.2. */
const LEGAL = {
  trying: ['proceeding', 'completed', 'terminated'],
  proceeding: ['completed', 'terminated'],
  completed: ['terminated'],
} as const;

export class NonInviteClientMachine extends TransactionMachine<NonInviteClientState, Timer> {
  readonly request: SipRequest;
  readonly #reliable: boolean;
  readonly #timers: TimerValues;
  #interval: Ms;

  constructor(request: SipRequest, reliable: boolean, timers: TimerValues) {
    super('trying', LEGAL);
    this.request = request;
    this.#reliable = reliable;
    this.#timers = timers;
    this.#interval = timers.t1;
  }

  start(now: Ms): readonly Effect[] {
    if (!this.#reliable) this.arm('E', now + this.#interval);
    this.arm('F', now + patience(this.#timers));
    return [{ type: 'send', message: this.request }];
  }

  receive(response: SipResponse, now: Ms): readonly Effect[] {
    if (this.state === 'completed' || this.state === 'terminated') return NOTHING;
    const deliver: Effect = { type: 'deliver', message: response };
    if (response.isProvisional) {
      if (this.state === 'trying') this.move('proceeding');
      return [deliver];
    }
    this.disarm('E', 'F');
    this.move('completed');
    if (this.#reliable) return [deliver, ...this.terminate()];
    this.arm('K', now + this.#timers.t4);
    return [deliver];
  }

  protected onTimer(timer: Timer, now: Ms): readonly Effect[] {
    switch (timer) {
      case 'E':
        // Once the peer has shown that it is there, retransmissions slow down to T2 (17.1.2.2).
        this.#interval = this.state === 'proceeding' ? this.#timers.t2 : Math.min(this.#interval * 2, this.#timers.t2);
        this.arm('E', now + this.#interval);
        return [{ type: 'send', message: this.request }];
      case 'F':
        return [{ type: 'timeout' }, ...this.terminate()];
      case 'K':
        return this.terminate();
    }
  }
}
