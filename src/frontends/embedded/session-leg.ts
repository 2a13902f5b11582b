import { randomUUID } from 'node:crypto';
import type { Leg, LegEnd, Party, Referral, ReferralEnd } from '../../call/call-leg.ts';
import type { MediaPolicy } from '../../media/media-policy.ts';
import { NO_PARAMS } from '../../sip/message/params.ts';
import { formatSipUri, parseSipUri } from '../../sip/message/uri.ts';
import { sipUriOf } from '../../sip/message/values.ts';
import type { Session } from '../../sip/session/session.ts';
import type { SessionEnd } from '../../sip/session/session-end.ts';

/** Where media differs from signalling; what is left out is as signalling has it. */
export interface MediaPlace {
  /** Address media sockets bind to. */
  bind?: string | undefined;
  /** Address that peers send their audio to. */
  announce?: string | undefined;
}

interface LegFacts {
  remote: Party;
  localAddress: string;
  mediaBindAddress: string;
  mediaPolicy?: MediaPolicy | undefined;
  /** Aborts with a SessionEnd. */
  ended: AbortSignal;
}

/** A dialog of the embedded user agent as the call sees it, whoever dialled. */
export class SessionLeg implements Leg {
  readonly id = randomUUID();
  readonly sipCallId: string;
  readonly remote: Party;
  readonly localAddress: string;
  readonly mediaBindAddress: string;
  readonly mediaPolicy: MediaPolicy | undefined;
  protected readonly session: Session;
  readonly #controller = new AbortController();

  constructor(session: Session, { remote, localAddress, mediaBindAddress, mediaPolicy, ended }: LegFacts) {
    this.session = session;
    this.sipCallId = session.dialog.callId;
    this.remote = remote;
    this.localAddress = localAddress;
    this.mediaBindAddress = mediaBindAddress;
    this.mediaPolicy = mediaPolicy;
    const end = () => this.#controller.abort(legEndOf(ended.reason as SessionEnd));
    if (ended.aborted) end();
    else ended.addEventListener('abort', end, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  onOffer(handler: (sdp: string | undefined, kind: 'offer' | 'answer') => string): void {
    const { handlers } = this.session;
    handlers.onOffer = (sdp) => handler(sdp, 'offer');
    handlers.onOfferWanted = () => handler(undefined, 'offer');
    // Third-party call control asks for our offer and answers it in the ACK: the media goes where that answer says.
    handlers.onAnswer = (sdp) => {
      handler(sdp, 'answer');
    };
  }

  onDtmf(handler: (digit: string) => void): void {
    this.session.handlers.onDtmf = ({ digit }) => handler(digit);
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
