import type { Leg, LegEnd, Party, Referral, ReferralEnd, TransferWish } from '../../call/legs/call-leg.ts';
import { asFailure } from '../../core/errors.ts';
import { newOrderedId } from '../../core/ordered-id.ts';
import type { MediaPolicy } from '../../media/sdp/media-policy.ts';
import { NO_PARAMS } from '../../sip/message/params.ts';
import { formatSipUri, parseSipUri } from '../../sip/message/uri.ts';
import { sipUriOf } from '../../sip/message/values.ts';
import type { IncomingInvite } from '../../sip/session/incoming-invite.ts';
import type { IncomingReferral } from '../../sip/session/incoming-referral.ts';
import type { Session } from '../../sip/session/session.ts';
import type { SessionEnd } from '../../sip/session/session-end.ts';

/** Where media differs from signalling; what is left out is as signalling has it. */
export interface MediaPlace {
  /** Address media sockets bind to. */
  bind?: string | undefined;
  /** Address that peers send their audio to. */
  announce?: string | undefined;
}

type AnswerTo = (sdp: string | undefined, kind: 'offer' | 'answer') => string;

interface LegFacts {
  remote: Party;
  localAddress: string;
  mediaBindAddress: string;
  mediaPolicy?: MediaPolicy | undefined;
  /** Aborts with a SessionEnd. */
  ended: AbortSignal;
}

const legs = new WeakMap<Session, SessionLeg>();

/** A dialog of the embedded user agent as the call sees it, whoever dialled. */
export class SessionLeg implements Leg {
  readonly id = newOrderedId();
  readonly sipCallId: string;
  readonly remote: Party;
  readonly localAddress: string;
  readonly mediaBindAddress: string;
  readonly mediaPolicy: MediaPolicy | undefined;
  readonly #controller = new AbortController();
  #session: Session;
  #answerTo: AnswerTo | undefined;
  #onDigit: ((digit: string, durationMs: number | undefined) => void) | undefined;
  #onReplaced: ((far: Party, sipCallId: string) => void) | undefined;
  #onTransfer: ((wish: TransferWish) => void) | undefined;

  constructor(session: Session, { remote, localAddress, mediaBindAddress, mediaPolicy, ended }: LegFacts) {
    this.#session = session;
    this.sipCallId = session.dialog.callId;
    this.remote = remote;
    this.localAddress = localAddress;
    this.mediaBindAddress = mediaBindAddress;
    this.mediaPolicy = mediaPolicy;
    this.#follow(session, ended);
  }

  /** The leg that this session is now; undefined for one that has been replaced, or is none of ours. */
  static of(session: Session): SessionLeg | undefined {
    const leg = legs.get(session);
    return leg !== undefined && leg.#session === session ? leg : undefined;
  }

  protected get session(): Session {
    return this.#session;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  onOffer(handler: AnswerTo): void {
    this.#answerTo = handler;
    this.#handle(this.#session);
  }

  onDtmf(handler: (digit: string, durationMs: number | undefined) => void): void {
    this.#onDigit = handler;
    this.#handle(this.#session);
  }

  async sendKey(digit: string, durationMs: number): Promise<void> {
    await this.session.sendDigit({ digit, durationMs });
  }

  onTransfer(handler: (wish: TransferWish) => void): void {
    this.#onTransfer = handler;
    this.#handle(this.#session);
  }

  /** Where the far end may take the call to; undefined: not there. */
  protected mayTransferTo(_referral: IncomingReferral): TransferWish['to'] | undefined {
    return undefined;
  }

  onReplaced(handler: (far: Party, sipCallId: string) => void): void {
    this.#onReplaced = handler;
  }

  /**
   * The INVITE takes this leg's dialog over: whoever sent it hears what the far end heard, and is heard in its place. The
   * old dialog is hung up when the new one has been answered (RFC 3891 3).
   */
  async takeOver(invite: IncomingInvite, far: Party): Promise<void> {
    const answerTo = this.#answerTo;
    if (answerTo === undefined || this.signal.aborted) {
      invite.reject({ status: 603 });
      return;
    }
    let sdp: string;
    try {
      sdp = answerTo(invite.offer, 'offer');
    } catch (error) {
      // What it offers cannot be spoken: the call stays with whom it was.
      invite.reject({ status: asFailure(error).sipStatus });
      return;
    }
    const { session } = invite;
    this.#session = session;
    this.#follow(session, invite.signal);
    this.#handle(session);
    try {
      const ack = await invite.answer(sdp);
      if (invite.offer === undefined && ack.sdp !== undefined) answerTo(ack.sdp, 'answer');
      this.#onReplaced?.(far, session.dialog.callId);
    } catch {
      // It was never acknowledged, and its session has ended for that: so has the leg.
    }
  }

  #follow(session: Session, ended: AbortSignal): void {
    legs.set(session, this);
    const end = () => {
      if (this.#session === session) this.#controller.abort(legEndOf(ended.reason as SessionEnd));
    };
    if (ended.aborted) end();
    else ended.addEventListener('abort', end, { once: true });
  }

  #handle({ handlers }: Session): void {
    const answerTo = this.#answerTo;
    if (answerTo !== undefined) {
      handlers.onOffer = (sdp) => answerTo(sdp, 'offer');
      handlers.onOfferWanted = () => answerTo(undefined, 'offer');
      // Third-party call control asks for our offer and answers it in the ACK: the media goes where that answer says.
      handlers.onAnswer = (sdp) => {
        answerTo(sdp, 'answer');
      };
    }
    handlers.onRefer = (referral) => {
      const to = this.#onTransfer && this.mayTransferTo(referral);
      if (to === undefined) referral.refuse(403);
      else this.#onTransfer?.(wishOf(referral, to));
    };
    handlers.onDtmf = ({ digit, durationMs }) => this.#onDigit?.(digit, durationMs);
  }

  /** Is it with the same telephone, as far as addresses tell? */
  isWith({ session }: SessionLeg): boolean {
    return this.session.flow.remote.address === session.flow.remote.address;
  }

  get refers(): boolean {
    return this.session.allowsRefer;
  }

  async refer({ to, replaces, ...rest }: Referral): Promise<ReferralEnd> {
    if (replaces !== undefined && !(replaces instanceof SessionLeg)) {
      throw new TypeError('a leg of another front end cannot be replaced');
    }
    return this.session.refer({ ...rest, to: to && this.#uriOf(to), replaces: replaces?.session });
  }

  async hangup(): Promise<void> {
    await this.session.bye();
  }

  /** A telephone number is one of the peer's own network: where its From says that is, else where it is reached. */
  #uriOf(to: string): string {
    if (/^(sips?|tel):/i.test(to)) return to;
    const { remote, remoteTarget } = this.session.dialog;
    const claimed = /^sips?:/i.test(remote.uri) ? sipUriOf(remote) : undefined;
    const nowhere = claimed === undefined || claimed.host.endsWith('.invalid');
    const { scheme, host, port } = nowhere ? parseSipUri(remoteTarget) : claimed;
    const user = encodeURIComponent(to.replace(/[-.()\s]/g, '')).replace('%2B', '+');
    return formatSipUri({ scheme, user, password: undefined, host, port, params: NO_PARAMS, headers: '' });
  }
}

function wishOf(referral: IncomingReferral, to: TransferWish['to']): TransferWish {
  return {
    to,
    accept: () => referral.accept(),
    progress: (status) => referral.progress(status),
    refuse: (status) => referral.refuse(status),
    done: (status) => referral.done(status),
  };
}

function legEndOf(end: SessionEnd): LegEnd {
  const by = end.by === 'remote' ? 'caller' : end.by === 'local' ? 'us' : 'network';
  const how = end.how === 'expired' ? 'session-timeout' : end.how;
  const status = end.status === undefined ? {} : { sipStatus: end.status };
  const { reason, release } = end;
  return {
    by,
    how,
    ...status,
    ...(reason === undefined ? {} : { reason }),
    ...(release === undefined ? {} : { release }),
  };
}
