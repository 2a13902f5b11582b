import type { Ms } from '../../core/clock.ts';
import { splitOutside } from '../message/grammar.ts';
import { SipRequest, type SipResponse } from '../message/message.ts';
import { type Effect, NOTHING, TransactionMachine } from './machine.ts';
import { patience, type TimerValues } from './timers.ts';

export type InviteClientState = 'calling' | 'proceeding' | 'accepted' | 'completed';
type Timer = 'A' | 'B' | 'D' | 'M';

/** RFC 3261 17.1.1 as corrected by RFC 6026 7.2. */
const LEGAL = {
  calling: ['proceeding', 'accepted', 'completed', 'terminated'],
  proceeding: ['accepted', 'completed', 'terminated'],
  accepted: ['terminated'],
  completed: ['terminated'],
} as const;

/** INVITE client transaction. It ACKs refusals itself; the ACK of a 2xx is the transaction user's (13.2.2.4). */
export class InviteClientMachine extends TransactionMachine<InviteClientState, Timer> {
  readonly request: SipRequest;
  readonly #reliable: boolean;
  readonly #timers: TimerValues;
  #interval: Ms;
  #ack: SipRequest | undefined;

  constructor(request: SipRequest, reliable: boolean, timers: TimerValues) {
    super('calling', LEGAL);
    this.request = request;
    this.#reliable = reliable;
    this.#timers = timers;
    this.#interval = timers.t1;
  }

  start(now: Ms): readonly Effect[] {
    if (!this.#reliable) this.arm('A', now + this.#interval);
    this.arm('B', now + patience(this.#timers));
    return [{ type: 'send', message: this.request }];
  }

  receive(response: SipResponse, now: Ms): readonly Effect[] {
    const deliver: Effect = { type: 'deliver', message: response };
    switch (this.state) {
      case 'calling':
      case 'proceeding':
        this.disarm('A', 'B');
        if (response.isProvisional) {
          if (this.state === 'calling') this.move('proceeding');
          return [deliver];
        }
        if (response.isSuccess) {
          this.move('accepted');
          this.arm('M', now + patience(this.#timers));
          return [deliver];
        }
        this.move('completed');
        this.#ack = ackOfRefusal(this.request, response);
        if (this.#reliable) return [{ type: 'send', message: this.#ack }, deliver, ...this.terminate()];
        this.arm('D', now + this.#timers.d);
        return [{ type: 'send', message: this.#ack }, deliver];
      case 'accepted':
        // The 2xx again, or the 2xx of another branch of a fork: the user has to ACK each.
        return response.isSuccess ? [deliver] : NOTHING;
      case 'completed':
        return response.status >= 300 && this.#ack !== undefined ? [{ type: 'send', message: this.#ack }] : NOTHING;
      case 'terminated':
        return NOTHING;
    }
  }

  protected onTimer(timer: Timer, now: Ms): readonly Effect[] {
    switch (timer) {
      case 'A':
        this.#interval *= 2;
        this.arm('A', now + this.#interval);
        return [{ type: 'send', message: this.request }];
      case 'B':
        return [{ type: 'timeout' }, ...this.terminate()];
      case 'D':
      case 'M':
        return this.terminate();
    }
  }
}

/** RFC 3261 17.1.1.3: same branch, same route, To of the response. */
function ackOfRefusal(invite: SipRequest, response: SipResponse): SipRequest {
  const ack = new SipRequest('ACK', invite.uri);
  ack.headers.append('Via', splitOutside(invite.headers.get('via') ?? '', ',')[0] ?? '');
  for (const route of invite.headers.lines('route')) ack.headers.append('Route', route);
  ack.headers.append('Max-Forwards', '70');
  ack.headers.append('From', invite.headers.get('from') ?? '');
  ack.headers.append('To', response.headers.get('to') ?? invite.headers.get('to') ?? '');
  ack.headers.append('Call-ID', invite.callId);
  ack.headers.append('CSeq', `${invite.cseq.number} ACK`);
  return ack;
}
