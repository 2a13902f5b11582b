import {
  type DialledLeg,
  type Dialler,
  type DialRequest,
  type MediaAddress,
  phoneNamed,
} from '../../call/legs/dialler.ts';
import { NO_PARAMS } from '../../sip/message/params.ts';
import { formatNameAddr } from '../../sip/message/values.ts';
import type { CallPlace } from '../../sip/session/outgoing-request.ts';
import type { Session } from '../../sip/session/session.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import { dialFailure, dialFailureOf } from '../outbound/outcome.ts';
import type { TrunkMedia } from '../trunks/trunk-media.ts';
import { partyOf } from './party.ts';
import type { PhoneRegistrar } from './phone-registrar.ts';
import { type MediaPlace, SessionLeg } from './session-leg.ts';

export interface PhoneDiallerOptions {
  userAgent: Pick<UserAgent, 'invite'>;
  registrar: PhoneRegistrar;
  /** The trunk of phones in browsers, as it is configured now; undefined: there are none. */
  trunk: () => { name: string; media: TrunkMedia } | undefined;
  media?: MediaPlace | undefined;
  /** Calls everybody who is no phone in a browser. */
  others: Dialler;
}

const RING_MS = 30_000;
/** A page that is there says 180 at once. */
const SILENCE_MS = 5_000;

/** A call of ours to a phone in a browser, which has answered. Its page transfers nobody. */
class PhoneLeg extends SessionLeg implements DialledLeg {
  readonly answer: string;
  readonly gateway: string;
  readonly attempts = 0;

  constructor(session: Session, { answer, trunk, ...place }: MediaAddress & { answer: string; trunk: string }) {
    const { uri, displayName } = session.dialog.remote;
    super(session, { remote: partyOf(uri, displayName), ...place, ended: session.signal });
    this.answer = answer;
    this.gateway = trunk;
  }
}

/** Calls out: phones in browsers over the WebSocket they have registered by, all others by gateways. */
export class PhoneDialler implements Dialler {
  readonly #o: PhoneDiallerOptions;

  constructor(options: PhoneDiallerOptions) {
    this.#o = options;
  }

  async dial(request: DialRequest, signal: AbortSignal): Promise<DialledLeg> {
    const name = phoneNamed(request.to);
    return name === undefined ? this.#o.others.dial(request, signal) : this.#call(name, request, signal);
  }

  async #call(name: string, request: DialRequest, signal: AbortSignal): Promise<DialledLeg> {
    const trunk = this.#o.trunk();
    const found = trunk && this.#o.registrar.find(name);
    if (found === undefined) throw dialFailure('unreachable', 'nobody is signed in by this name', { sipStatus: 480 });
    let place: MediaAddress | undefined;
    const offer = (at: CallPlace) => {
      place = this.#mediaAddress(at, trunk!.media);
      return request.offer(place);
    };
    try {
      const session = await this.#o.userAgent.invite(found.contact, offer, {
        from: formatNameAddr({
          displayName: request.displayName,
          uri: 'sip:connector@anonymous.invalid',
          params: NO_PARAMS,
        }),
        headers: request.headers ?? {},
        via: found.flow,
        signal,
        ringMs: request.ringMs ?? RING_MS,
        silenceMs: SILENCE_MS,
        onProgress: ({ status, sdp }) => request.onProgress?.({ status, sdp, gateway: trunk!.name }),
      });
      const answer = session.remoteSdp;
      if (answer === undefined) {
        void session.bye();
        throw dialFailure('media-refused', 'the answer has no session description', { sipStatus: 488 });
      }
      return new PhoneLeg(session, { answer, trunk: trunk!.name, ...place! });
    } catch (error) {
      throw dialFailureOf(error);
    }
  }

  #mediaAddress({ localAddress, bindAddress, callId }: CallPlace, { codecs }: TrunkMedia): MediaAddress {
    const { announce, bind } = this.#o.media ?? {};
    return {
      localAddress: announce ?? localAddress,
      mediaBindAddress: bind ?? bindAddress,
      sipCallId: callId,
      // Browsers know no other way.
      mediaPolicy: { encryption: 'required', sdes: false, ice: true, ...(codecs && { codecs }) },
    };
  }
}
