import { Failure } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import type { CallLeg, SipRefusal } from './call-leg.ts';
import type { MediaAddress } from './dialler.ts';
import type { LegMedia } from './leg-media.ts';

export type OpenMedia = (place: MediaAddress) => Promise<LegMedia | undefined>;

/** How a call comes to be talking: by answering an INVITE, or by sending one. */
export interface CallLine {
  readonly id: CallId;
  /** Aborts when the line is down, by whichever side; `reason` is a LegEnd. */
  readonly signal: AbortSignal;
  /** DTMF that came by signalling. */
  onDtmf(handler: (digit: string) => void): void;
  /**
   * Connects the two ends. `open` makes our media, once the place is known (again when another place is tried), and
   * what has to be there before the first packet; undefined: the call is not wanted any more. Resolves when the far end hears and is heard.
   * @throws Failure when that does not come about
   */
  connect(open: OpenMedia): Promise<void>;
  /** Says why it was not connected. Harmless for a line that nobody waits at. */
  refuse(refusal: SipRefusal): Promise<void>;
  /** Idempotent; resolves when the peer has confirmed or timed out. */
  hangup(): Promise<void>;
}

/** A call that comes in. */
export class IncomingLine implements CallLine {
  readonly #leg: CallLeg;

  constructor(leg: CallLeg) {
    this.#leg = leg;
  }

  get id(): CallId {
    return this.#leg.id;
  }

  get signal(): AbortSignal {
    return this.#leg.signal;
  }

  onDtmf(handler: (digit: string) => void): void {
    this.#leg.onDtmf(handler);
  }

  async connect(open: OpenMedia): Promise<void> {
    const leg = this.#leg;
    const media = await open(leg);
    // The caller may have gone while the port was found.
    if (media === undefined || leg.signal.aborted) return;
    leg.onOffer((offer) => media.renegotiate(offer));
    if (leg.offer !== undefined) {
      await leg.answer(media.answer(leg.offer));
      return;
    }
    const { ackSdp } = await leg.answer(media.offer());
    if (ackSdp === undefined) {
      throw new Failure('the ACK carried no answer to our offer', {
        code: 'no-sdp-answer',
        blame: 'caller',
        sipStatus: 488,
      });
    }
    media.accept(ackSdp);
  }

  refuse(refusal: SipRefusal): Promise<void> {
    return this.#leg.reject(refusal);
  }

  hangup(): Promise<void> {
    return this.#leg.hangup();
  }
}
