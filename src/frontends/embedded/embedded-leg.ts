import { randomUUID } from 'node:crypto';
import type { CallLeg, CallSignalling, LegEnd, Party, SipRefusal } from '../../call/call-leg.ts';
import { monotonicNow } from '../../core/clock.ts';
import { addressOf } from '../../sip/message/uri.ts';
import type { IncomingInvite } from '../../sip/session/incoming-invite.ts';
import type { SessionEnd } from '../../sip/session/session-end.ts';
import { identityOf } from './identity.ts';
import { partyOf } from './party.ts';

/** Where a call comes from, as configuration knows it. */
export interface CallOrigin {
  trunk?: string | undefined;
  /** Who is to answer; undefined: the default bot. */
  bot?: string | undefined;
  /** Its P-Asserted-Identity counts: the peer is part of a network that checks what it asserts (RFC 3325 3). */
  trusted: boolean;
}

const UNKNOWN_ORIGIN: CallOrigin = { trusted: false };

/** Where media differs from signalling; what is left out is as signalling has it. */
export interface MediaPlace {
  /** Address media sockets bind to. */
  bind?: string | undefined;
  /** Address that callers send their audio to. */
  announce?: string | undefined;
}
/** RFC 3261 section 20.43. */
const WARN_CODES: Record<string, number> = { 'incompatible-transport': 302, 'incompatible-format': 305 };
const quotable = (text: string): string => text.replace(/[^ -~]|["\\]/g, '?');

/** An INVITE of the embedded user agent as the call sees it. */
export class EmbeddedLeg implements CallLeg {
  readonly id = randomUUID();
  readonly sipCallId: string;
  readonly remote: Party;
  readonly called: Party;
  readonly signalling: CallSignalling;
  readonly trunk: string | undefined;
  readonly bot: string | undefined;
  readonly offer: string | undefined;
  readonly localAddress: string;
  readonly mediaBindAddress: string;
  readonly #invite: IncomingInvite;
  readonly #controller = new AbortController();

  constructor(invite: IncomingInvite, origin: CallOrigin = UNKNOWN_ORIGIN, media: MediaPlace = {}) {
    const { request } = invite;
    this.#invite = invite;
    this.sipCallId = request.callId;
    const { remote, signalling } = identityOf(request, origin.trusted);
    this.remote = remote;
    this.signalling = signalling;
    this.trunk = origin.trunk;
    this.bot = origin.bot;
    this.called = partyOf(request.uri, request.to.displayName);
    this.offer = invite.offer;
    this.localAddress = media.announce ?? addressOf(invite.localAddress);
    this.mediaBindAddress = media.bind ?? invite.bindAddress;
    const ended = () => this.#controller.abort(legEndOf(invite.signal.reason as SessionEnd));
    if (invite.signal.aborted) ended();
    else invite.signal.addEventListener('abort', ended, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async progress(sdp?: string): Promise<void> {
    this.#invite.progress(sdp);
  }

  async answer(sdp: string): Promise<{ ackSdp: string | undefined; ackAt: number }> {
    const ack = await this.#invite.answer(sdp);
    // An offer of ours in a reliable 183 has been answered by the PRACK.
    const answered = this.offer === undefined ? this.#invite.session.remoteSdp : undefined;
    return { ackSdp: ack.sdp ?? answered, ackAt: monotonicNow() };
  }

  async reject(refusal: SipRefusal): Promise<void> {
    const { status, reason, retryAfterSeconds, because } = refusal;
    const headers: Record<string, string> = {};
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
    if (because)
      headers.Warning = `${WARN_CODES[because.code] ?? 399} ${this.localAddress} "${quotable(because.message)}"`;
    this.#invite.reject({ status, reason, headers });
  }

  onOffer(handler: (sdp: string | undefined) => string): void {
    const { handlers } = this.#invite.session;
    handlers.onOffer = handler;
    handlers.onOfferWanted = () => handler(undefined);
    // Third-party call control asks for our offer and answers it in the ACK: the media goes where that answer says.
    handlers.onAnswer = (sdp) => {
      handler(sdp);
    };
  }

  onDtmf(handler: (digit: string) => void): void {
    this.#invite.session.handlers.onDtmf = ({ digit }) => handler(digit);
  }

  async hangup(): Promise<void> {
    this.#invite.reject({ status: 480 });
    await this.#invite.session.bye();
  }
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
