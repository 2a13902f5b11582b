import type { TransferWish } from '../../call/legs/call-leg.ts';
import type { DialledLeg, MediaAddress } from '../../call/legs/dialler.ts';
import type { IncomingReferral } from '../../sip/session/incoming-referral.ts';
import type { Session } from '../../sip/session/session.ts';
import { partyOf } from '../embedded/party.ts';
import { SessionLeg } from '../embedded/session-leg.ts';
import type { Gateway } from './gateway.ts';
import { transferTarget } from './transfers.ts';

interface DialledFacts extends MediaAddress {
  /** The far end's session description. */
  answer: string;
  gateway: Gateway;
  /** Gateways that were tried before. */
  attempts: number;
}

/** A call of ours that was answered. */
export class OutboundLeg extends SessionLeg implements DialledLeg {
  readonly answer: string;
  readonly gateway: string;
  readonly attempts: number;
  readonly #way: Gateway;

  constructor(session: Session, { answer, gateway, attempts, ...place }: DialledFacts) {
    const { uri, displayName } = session.dialog.remote;
    super(session, { remote: partyOf(uri, displayName), ...place, ended: session.signal });
    this.answer = answer;
    this.gateway = gateway.name;
    this.attempts = attempts;
    this.#way = gateway;
  }

  protected override mayTransferTo(referral: IncomingReferral): TransferWish['to'] | undefined {
    return transferTarget(this.#way, this, referral);
  }
}
