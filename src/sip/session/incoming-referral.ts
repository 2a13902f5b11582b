import { asFailure } from '../../core/errors.ts';
import { sipFailure } from '../errors.ts';
import { createResponse } from '../message/response.ts';
import { type ReferTarget, type Replaces, readReferTo } from '../message/transfer.ts';
import { reasonPhrase } from '../status.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { dialogKey } from './dialog.ts';
import { exchange } from './exchange.ts';
import type { Session } from './session.ts';
import { refuse, type Stack, withHeaders } from './stack.ts';

export type IncomingReferralState = 'asked' | 'accepted' | 'refused' | 'told';

const LEGAL: Readonly<Record<IncomingReferralState, readonly IncomingReferralState[]>> = {
  asked: ['accepted', 'refused'],
  accepted: ['told'],
  refused: [],
  told: [],
};

/** Longer than anybody lets a telephone ring; the peer may look at it when nothing comes (RFC 3515 2.4.4). */
const EXPIRES_S = 300;

/**
 * A REFER of the peer in its call: it asks us to bring whoever we are for to somebody else (RFC 3515). What is done about
 * it is for the user of the stack, who says how it goes; the peer is told by NOTIFY, in order, and also behind the end of
 * the call, since the subscription is a usage of the dialog of its own (RFC 5057).
 *
 *     asked -> accepted -> told       202, NOTIFY 100 and what follows, the last one with how it ended
 *     asked -> refused
 */
export class IncomingReferral {
  readonly target: ReferTarget;
  /** As its header has it; undefined without one (RFC 3892). */
  readonly referredBy: string | undefined;
  readonly #session: Session;
  readonly #stack: Stack;
  readonly #tx: ServerTransaction;
  /** The first of a dialog has no id: some peers know one REFER at a time (RFC 3515 2.4.6). */
  readonly #event: string;
  readonly #followed: boolean;
  #state: IncomingReferralState = 'asked';
  #last = 0;
  #telling: Promise<void> = Promise.resolve();
  #heard = true;

  /** @throws Failure 400 for a REFER nobody can read */
  constructor(session: Session, tx: ServerTransaction, stack: Stack) {
    const { request } = tx;
    this.target = readReferTo(request);
    this.referredBy = request.headers.get('referred-by');
    this.#session = session;
    this.#stack = stack;
    this.#tx = tx;
    this.#event = session.referralsTaken++ === 0 ? 'refer' : `refer;id=${request.cseq.number}`;
    // RFC 4488: who does not want to be told is not.
    this.#followed = request.headers.get('refer-sub')?.trim().toLowerCase() !== 'false';
  }

  get state(): IncomingReferralState {
    return this.#state;
  }

  /** The call of ours that whoever is called is to take the place of, where the Refer-To names one (RFC 5589 7). */
  get replaces(): Session | undefined {
    const { replaces } = this.target;
    return replaces && this.#stack.sessions.get(keyOf(replaces));
  }

  accept(): void {
    this.#move('accepted');
    const response = createResponse(this.#tx.request, 202, this.#tx.localTag);
    response.headers.set('Contact', this.#session.contact);
    this.#tx.respond(this.#followed ? response : withHeaders(response, { 'Refer-Sub': 'false' }));
    this.#tell(100, `active;expires=${EXPIRES_S}`);
  }

  refuse(status: number): void {
    this.#move('refused');
    refuse(this.#tx, status);
  }

  /** What whoever is called has answered so far: 180, 183. */
  progress(status: number): void {
    if (this.#state === 'accepted' && status !== this.#last) this.#tell(status, `active;expires=${EXPIRES_S}`);
  }

  /** How it ended: 200, or the status of what kept it from coming about. Resolves when the peer has been told, or is gone. */
  done(status: number): Promise<void> {
    this.#move('told');
    this.#tell(status, 'terminated;reason=noresource');
    return this.#telling;
  }

  #tell(status: number, state: string): void {
    this.#last = status;
    if (!this.#followed) return;
    this.#telling = this.#telling.then(() => (this.#heard ? this.#notify(status, state) : undefined));
  }

  async #notify(status: number, state: string): Promise<void> {
    const { dialog, contact, auth, flow } = this.#session;
    const build = () => {
      const request = dialog.request('NOTIFY');
      request.headers.set('Contact', contact).set('User-Agent', this.#stack.product);
      request.headers.set('Event', this.#event).set('Subscription-State', state);
      return request.setBody('message/sipfrag;version=2.0', `SIP/2.0 ${status} ${reasonPhrase(status)}\r\n`);
    };
    try {
      const { response } = await exchange(this.#stack, build, dialog.nextHop, { auth, hint: flow });
      // Whoever refuses it wants to hear no more of it; the call is none the worse for that.
      this.#heard = response?.isSuccess ?? false;
    } catch (error) {
      this.#heard = false;
      this.#stack.log.info({ reason: asFailure(error).message }, 'how a transfer goes could not be told');
    }
  }

  /** @throws Failure for a move that is not in the table: a fault of ours */
  #move(to: IncomingReferralState): void {
    if (!LEGAL[this.#state].includes(to)) {
      throw sipFailure(500, 'sip-illegal-transition', `a REFER cannot go from ${this.#state} to ${to}`);
    }
    this.#state = to;
  }
}

/** In a Refer-To to us the tags are named as we are to see them in the INVITE that it asks for. */
function keyOf({ callId, toTag, fromTag }: Replaces): string {
  return dialogKey(callId, toTag, fromTag);
}
