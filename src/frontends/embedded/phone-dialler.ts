import { type DialledLeg, type Dialler, type DialRequest, phoneNamed } from '../../call/legs/dialler.ts';
import type { MediaPolicy } from '../../media/sdp/media-policy.ts';
import { NO_PARAMS } from '../../sip/message/params.ts';
import { formatNameAddr } from '../../sip/message/values.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import { call } from '../outbound/calling.ts';
import { OutboundLeg } from '../outbound/dialled-leg.ts';
import { dialFailure, dialFailureOf } from '../outbound/outcome.ts';
import type { TrunkMedia } from '../trunks/trunk-media.ts';
import type { PhoneRegistrar } from './phone-registrar.ts';
import type { MediaPlace } from './session-leg.ts';

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
    const { codecs } = trunk!.media;
    // Browsers know no other way.
    const policy = (): MediaPolicy => ({ encryption: 'required', sdes: false, ice: true, ...(codecs && { codecs }) });
    const { userAgent, media } = this.#o;
    try {
      const answered = await call({ userAgent, uri: found.contact, by: trunk!.name, media, policy }, request, {
        from: formatNameAddr({
          displayName: request.displayName,
          uri: 'sip:connector@anonymous.invalid',
          params: NO_PARAMS,
        }),
        headers: request.headers ?? {},
        hint: found.flow,
        signal,
        ringMs: request.ringMs ?? RING_MS,
        silenceMs: SILENCE_MS,
      });
      // Its page transfers nobody.
      return new OutboundLeg(answered);
    } catch (error) {
      throw dialFailureOf(error);
    }
  }
}
