import type { TransferWish } from '../../call/legs/call-leg.ts';
import type { DialledLeg } from '../../call/legs/dialler.ts';
import type { IncomingReferral } from '../../sip/session/incoming-referral.ts';
import { partyOf } from '../embedded/party.ts';
import { SessionLeg } from '../embedded/session-leg.ts';
import type { Answered } from './calling.ts';
import type { Gateway } from './gateway.ts';
import { transferTarget } from './transfers.ts';

/** A call of ours that was answered. `attempts`: gateways that were tried before. */
export class OutboundLeg extends SessionLeg implements DialledLeg {
  readonly answer: string;
  readonly gateway: string;
  readonly attempts: number;

  constructor({ session, answer, place, by }: Answered, attempts = 0) {
    const { uri, displayName } = session.dialog.remote;
    super(session, { remote: partyOf(uri, displayName), ...place, ended: session.signal });
    this.answer = answer;
    this.gateway = by;
    this.attempts = attempts;
  }
}

/** By a gateway: whoever is called may transfer callers to where it says. */
export class GatewayLeg extends OutboundLeg {
  readonly #gateway: Gateway;

  constructor(answered: Answered, gateway: Gateway, attempts: number) {
    super(answered, attempts);
    this.#gateway = gateway;
  }

  protected override mayTransferTo(referral: IncomingReferral): TransferWish['to'] | undefined {
    return transferTarget(this.#gateway, this, referral);
  }
}
