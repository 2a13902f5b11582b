import type { Ms } from '../../core/clock.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type Effect, NOTHING, TransactionMachine } from './machine.ts';
import { patience, type TimerValues } from './timers.ts';

export type InviteServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed';
type Timer = 'trying' | 'G' | 'H' | 'I' | 'L';

/** RFC 3261 17.2.1 as corrected by RFC 6026 7.1. */
const LEGAL = {
  proceeding: ['accepted', 'completed', 'terminated'],
  accepted: ['terminated'],
  completed: ['confirmed', 'terminated'],
  confirmed: ['terminated'],
} as const;

/**
 * INVITE server transaction. `makeTrying` builds the 100 that is sent when the transaction user is silent for 200 ms.
 * Retransmitting a 2xx is the transaction user's work (13.3.1.4); here it is only sent and the INVITE absorbed.
 */
export class InviteServerMachine extends TransactionMachine<InviteServerState, Timer> {
  readonly #reliable: boolean;
  readonly #timers: TimerValues;
  #makeTrying: (() => SipResponse) | undefined;
  #last: SipResponse | undefined;
  #interval: Ms;

  constructor(reliable: boolean, timers: TimerValues, now: Ms, makeTrying: () => SipResponse) {
    super('proceeding', LEGAL);
    this.#reliable = reliable;
    this.#timers = timers;
    this.#interval = timers.t1;
    this.#makeTrying = makeTrying;
    this.arm('trying', now + timers.trying);
  }

  /** A retransmitted INVITE, or the ACK of a refusal. */
  receive(request: SipRequest, now: Ms): readonly Effect[] {
    if (request.method === 'ACK') {
      if (this.state !== 'completed') return NOTHING;
      this.disarm('G', 'H');
      if (this.#reliable) return this.terminate();
      this.move('confirmed');
      this.arm('I', now + this.#timers.t4);
      return NOTHING;
    }
    const repeats = this.state === 'proceeding' || this.state === 'completed';
    return repeats && this.#last !== undefined ? [{ type: 'send', message: this.#last }] : NOTHING;
  }

  /** A response of the transaction user. After a final one, only further 2xx are sent; anything else is dropped. */
  respond(response: SipResponse, now: Ms): readonly Effect[] {
    if (this.state === 'accepted') return response.isSuccess ? [{ type: 'send', message: response }] : NOTHING;
    if (this.state !== 'proceeding') return NOTHING;
    this.disarm('trying');
    this.#makeTrying = undefined;
    // A success is sent again by the transaction user.
    this.#last = response.isSuccess ? undefined : response;
    if (response.isSuccess) {
      this.move('accepted');
      this.arm('L', now + patience(this.#timers));
    } else if (!response.isProvisional) {
      this.move('completed');
      if (!this.#reliable) this.arm('G', now + this.#interval);
      this.arm('H', now + patience(this.#timers));
    }
    return [{ type: 'send', message: response }];
  }

  protected onTimer(timer: Timer, now: Ms): readonly Effect[] {
    switch (timer) {
      case 'trying':
        this.#last = this.#makeTrying?.();
        return this.#last === undefined ? NOTHING : [{ type: 'send', message: this.#last }];
      case 'G':
        this.#interval = Math.min(this.#interval * 2, this.#timers.t2);
        this.arm('G', now + this.#interval);
        return this.#last === undefined ? NOTHING : [{ type: 'send', message: this.#last }];
      case 'H':
        return [{ type: 'timeout' }, ...this.terminate()];
      case 'I':
      case 'L':
        return this.terminate();
    }
  }
}
