import type { Ms } from '../../core/clock.ts';
import type { CallId } from '../../core/ids.ts';
import type { CodecName } from '../../media/codecs/codec.ts';
import type { MediaEngine, MediaEvent, MediaSession, RemoteAudio } from '../../media/ports.ts';
import { SdpNegotiator } from '../../media/sdp/sdp.ts';
import type { MediaAddress } from './dialler.ts';

export interface LegMediaOptions {
  media: MediaEngine;
  call: CallId;
  place: MediaAddress;
  /** Of the same conversation: see MediaSessionOptions. */
  beside?: MediaSession | undefined;
  /** The codecs in use. Default: all. */
  codecs?: readonly CodecName[] | undefined;
  onEvent(event: MediaEvent): void;
  /** As MediaSessionOptions.consentTimeoutMs. */
  consentTimeoutMs?: Ms;
  /** The peer has re-negotiated: held, resumed, moved elsewhere, another codec. */
  onChanged?(remote: RemoteAudio): void;
}

/** After the answer, audio may take this long to arrive before the leg is given up. */
const RTP_TIMEOUT_MS = 20_000;

/** The audio of one leg: a media session, and the offers and answers that connect it (RFC 3264). */
export class LegMedia {
  readonly session: MediaSession;
  readonly #sdp: SdpNegotiator;
  readonly #onChanged: LegMediaOptions['onChanged'];

  private constructor(session: MediaSession, { place, onChanged, ...options }: LegMediaOptions) {
    const codecs = place.mediaPolicy?.codecs ?? options.codecs;
    this.session = session;
    this.#onChanged = onChanged;
    this.#sdp = new SdpNegotiator({
      address: place.localAddress,
      port: session.localPort,
      sessionId: sdpSessionId(),
      ...(codecs === undefined ? {} : { codecs }),
      ...(place.mediaPolicy === undefined ? {} : { policy: place.mediaPolicy }),
      ...(session.fingerprint === undefined ? {} : { fingerprint: session.fingerprint }),
    });
  }

  /** @throws Failure 503 without a free port or worker */
  static async open(options: LegMediaOptions): Promise<LegMedia> {
    const session = await options.media.open({
      call: options.call,
      bindAddress: options.place.mediaBindAddress,
      onEvent: (event) => options.onEvent(event),
      rtpTimeoutMs: RTP_TIMEOUT_MS,
      ...(options.consentTimeoutMs !== undefined && { consentTimeoutMs: options.consentTimeoutMs }),
      ...(options.beside && { beside: options.beside }),
    });
    return new LegMedia(session, options);
  }

  /** All we can do. */
  offer(): string {
    return this.#sdp.offer();
  }

  /** Connects what the peer offers and returns our answer. @throws Failure 488 when there is nothing in common */
  answer(offer: string): string {
    const { answer, remote } = this.#sdp.answer(offer);
    this.session.connect(remote);
    return answer;
  }

  /** The peer's answer to our offer. @throws Failure 488 */
  accept(answer: string): void {
    this.session.connect(this.#sdp.accept(answer));
  }

  /**
   * An offer of the peer's in the running call (`undefined`: it wants one of ours), or its answer to such an offer. For
   * `Leg.onOffer`. @throws Failure 488
   */
  renegotiate(sdp: string | undefined, kind: 'offer' | 'answer' = 'offer'): string {
    if (sdp === undefined) return this.#sdp.offer();
    const { answer, remote } = kind === 'offer' ? this.#sdp.answer(sdp) : { answer: '', remote: this.#sdp.accept(sdp) };
    this.session.connect(remote);
    this.#onChanged?.(remote);
    return answer;
  }
}

/** RFC 8866 section 5.2: numeric; 48 random bits, so that every peer can read it. */
function sdpSessionId(): string {
  return String(Math.floor(Math.random() * 2 ** 48));
}
