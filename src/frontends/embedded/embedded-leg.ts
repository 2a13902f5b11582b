import type { CallLeg, CallSignalling, Party, SipRefusal } from '../../call/legs/call-leg.ts';
import { monotonicNow } from '../../core/clock.ts';
import { addressOf } from '../../sip/message/uri.ts';
import type { IncomingInvite } from '../../sip/session/incoming-invite.ts';
import { mediaPolicyOf, type TrunkMedia } from '../trunks/trunk-media.ts';
import { identityOf } from './identity.ts';
import { partyOf } from './party.ts';
import { type MediaPlace, SessionLeg } from './session-leg.ts';

/** Where a call comes from, as configuration knows it. */
export interface CallOrigin {
  trunk?: string | undefined;
  /** Who is to answer; undefined: the default bot. */
  bot?: string | undefined;
  /** How its audio is to be encrypted; undefined: not. */
  media?: TrunkMedia | undefined;
  /** It was dialled to supervise calls, not to talk to a bot. */
  supervisor?: boolean | undefined;
  /** By somebody who was let in for that alone. */
  supervisionId?: string | undefined;
  /** Its P-Asserted-Identity counts: the peer is part of a network that checks what it asserts (RFC 3325 3). */
  trusted: boolean;
}

const UNKNOWN_ORIGIN: CallOrigin = { trusted: false };

/** RFC 3261 section 20.43. */
const WARN_CODES: Record<string, number> = { 'incompatible-transport': 302, 'incompatible-format': 305 };
const quotable = (text: string): string => text.replace(/[^ -~]|["\\]/g, '?');

/** An INVITE of the embedded user agent as the call sees it. */
export class EmbeddedLeg extends SessionLeg implements CallLeg {
  readonly called: Party;
  readonly signalling: CallSignalling;
  readonly trunk: string | undefined;
  readonly bot: string | undefined;
  readonly supervisor: boolean;
  readonly supervisionId: string | undefined;
  readonly offer: string | undefined;
  readonly #invite: IncomingInvite;
  readonly #onAnswer: (() => void) | undefined;

  /** `onAnswer`: called when the answer is ready to be sent. */
  constructor(
    invite: IncomingInvite,
    origin: CallOrigin = UNKNOWN_ORIGIN,
    media: MediaPlace = {},
    onAnswer?: () => void,
  ) {
    const { request, session, signal } = invite;
    const { remote, signalling } = identityOf(request, origin.trusted);
    const localAddress = media.announce ?? addressOf(invite.localAddress);
    super(session, {
      remote,
      localAddress,
      mediaBindAddress: media.bind ?? invite.bindAddress,
      mediaPolicy: origin.media && mediaPolicyOf(origin.media, session.flow.secure),
      ended: signal,
    });
    this.#invite = invite;
    this.#onAnswer = onAnswer;
    this.signalling = signalling;
    this.trunk = origin.trunk;
    this.bot = origin.bot;
    this.supervisor = origin.supervisor ?? false;
    this.supervisionId = origin.supervisionId;
    this.called = partyOf(request.uri, request.to.displayName);
    this.offer = invite.offer;
  }

  async progress(sdp?: string): Promise<void> {
    this.#invite.progress(sdp);
  }

  async answer(sdp: string): Promise<{ ackSdp: string | undefined; ackAt: number }> {
    this.#onAnswer?.();
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

  override async hangup(): Promise<void> {
    this.#invite.reject({ status: 480 });
    await super.hangup();
  }
}
