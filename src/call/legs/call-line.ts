import { Failure } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import { newOrderedId } from '../../core/ordered-id.ts';
import type { CallLeg, Leg, LegEnd, SipRefusal } from './call-leg.ts';
import type { DialledLeg, Dialler, DialProgress, DialRequest, MediaAddress } from './dialler.ts';
import type { LegMedia } from './leg-media.ts';

/** What a line needs of its call while the two ends are being connected. */
export interface LineHooks {
  /**
   * Makes our media, once the place is known (again when another place is tried); undefined: the call is not wanted
   * any more.
   */
  open(place: MediaAddress): Promise<LegMedia | undefined>;
  /** Resolves when all is there that has to be before the first packet; early media is not yet an answer. */
  beforeAudio(early: boolean): Promise<void>;
  /** The far end rings, or sends early media. */
  onProgress(progress: DialProgress): void;
}

/** What is known of a call only once it is connected. */
export interface LineFacts {
  sipCallId?: string;
  /** The gateway it went by. */
  trunk?: string;
}

export type KeyHandler = (digit: string, durationMs: number | undefined) => void;

/** How a call comes to be talking: by answering an INVITE, or by sending one. */
export interface CallLine {
  readonly id: CallId;
  /** Aborts when the line is down, by whichever side; `reason` is a LegEnd. */
  readonly signal: AbortSignal;
  /** The dialog, once there is one. */
  readonly leg: Leg | undefined;
  /** DTMF that came by signalling; milliseconds where it says how long. */
  onDtmf(handler: KeyHandler): void;
  /**
   * Connects the two ends. Resolves when the far end hears and is heard. Aborting `unwanted` gives up what is not
   * connected yet.
   * @throws Failure when that does not come about
   */
  connect(hooks: LineHooks, unwanted: AbortSignal): Promise<LineFacts>;
  /** Says why it was not connected. Harmless for a line that nobody waits at. */
  refuse(refusal: SipRefusal): Promise<void>;
  /** Idempotent; resolves when the peer has confirmed or timed out. */
  hangup(): Promise<void>;
}

/** A call that comes in. */
export class IncomingLine implements CallLine {
  readonly leg: CallLeg;

  constructor(leg: CallLeg) {
    this.leg = leg;
  }

  get id(): CallId {
    return this.leg.id;
  }

  get signal(): AbortSignal {
    return this.leg.signal;
  }

  onDtmf(handler: KeyHandler): void {
    this.leg.onDtmf(handler);
  }

  async connect({ open, beforeAudio }: LineHooks): Promise<LineFacts> {
    const leg = this.leg;
    const media = await open(leg);
    if (media !== undefined) await beforeAudio(false);
    // The caller may have gone while the port was found.
    if (media === undefined || leg.signal.aborted) return {};
    leg.onOffer((sdp, kind) => media.renegotiate(sdp, kind));
    if (leg.offer !== undefined) {
      await leg.answer(media.answer(leg.offer));
      return {};
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
    return {};
  }

  refuse(refusal: SipRefusal): Promise<void> {
    return this.leg.reject(refusal);
  }

  hangup(): Promise<void> {
    return this.leg.hangup();
  }
}

export type OutgoingRequest = Omit<DialRequest, 'offer' | 'onProgress' | 'onPickUp'>;

/**
 * A call that goes out.
 *
 *     idle -> dialling -> up -> down
 *     idle -> down, dialling -> down      (given up, refused, never answered)
 */
export class OutgoingLine implements CallLine {
  readonly id: CallId;
  readonly #dialler: Dialler;
  readonly #request: OutgoingRequest;
  readonly #down = new AbortController();
  readonly #giveUp = new AbortController();
  #leg: DialledLeg | undefined;
  #onDtmf: KeyHandler | undefined;

  constructor(dialler: Dialler, request: OutgoingRequest, id: CallId = newOrderedId()) {
    this.id = id;
    this.#dialler = dialler;
    this.#request = request;
  }

  get signal(): AbortSignal {
    return this.#down.signal;
  }

  get leg(): DialledLeg | undefined {
    return this.#leg;
  }

  onDtmf(handler: KeyHandler): void {
    this.#onDtmf = handler;
    this.#leg?.onDtmf(handler);
  }

  async connect(hooks: LineHooks, unwanted: AbortSignal): Promise<LineFacts> {
    const giveUp = () => this.#giveUp.abort();
    if (unwanted.aborted) giveUp();
    unwanted.addEventListener('abort', giveUp, { once: true });
    try {
      return await this.#connect(hooks);
    } finally {
      unwanted.removeEventListener('abort', giveUp);
    }
  }

  async #connect(hooks: LineHooks): Promise<LineFacts> {
    let media: LegMedia | undefined;
    /** What was offered by whom picked the call up. */
    let taken: string | undefined;
    let ready: Promise<void> | undefined;
    const beforeAudio = () => {
      ready ??= hooks.beforeAudio(false);
      return ready;
    };
    const leg = await this.#dialler.dial(
      {
        ...this.#request,
        offer: async (place) => {
          media = await hooks.open(place);
          if (media === undefined) throw cancelled();
          return media.offer();
        },
        onPickUp: async (offer) => {
          const connected = media;
          if (connected === undefined) throw cancelled();
          await beforeAudio();
          taken = offer;
          return connected.answer(offer);
        },
        onProgress: (progress) => {
          hooks.onProgress(progress);
          if (progress.sdp !== undefined && media !== undefined && taken === undefined)
            void this.#hearEarly(progress.sdp, media, hooks);
        },
      },
      this.#giveUp.signal,
    );
    this.#leg = leg;
    const ended = () => this.#down.abort(leg.signal.reason);
    leg.signal.addEventListener('abort', ended, { once: true });
    if (leg.signal.aborted) ended();
    if (this.#giveUp.signal.aborted || media === undefined) {
      // The answer and our giving up have crossed.
      void leg.hangup().catch(() => undefined);
      throw cancelled();
    }
    const { sipCallId, gateway: trunk } = leg;
    const session = media;
    let accepted = false;
    const accept = () => {
      if (accepted) return;
      // Whoever picked the call up is connected, unless the telephone that rang has answered before.
      if (leg.answer !== taken) session.accept(leg.answer);
      accepted = true;
    };
    leg.onOffer((sdp, kind) => {
      // Some move their audio right behind their answer: which must not be taken for newer than where they have moved.
      accept();
      return session.renegotiate(sdp, kind);
    });
    if (this.#onDtmf) leg.onDtmf(this.#onDtmf);
    await beforeAudio();
    if (!leg.signal.aborted) accept();
    return { sipCallId, trunk };
  }

  /** Ring-back, or an announcement of the network: heard and recorded, but nobody is spoken to. */
  async #hearEarly(sdp: string, media: LegMedia, hooks: LineHooks): Promise<void> {
    await hooks.beforeAudio(true);
    if (this.#leg !== undefined || this.#giveUp.signal.aborted) return;
    try {
      media.accept(sdp);
    } catch {
      // Early media that cannot be connected is not needed; what counts is the answer.
    }
  }

  async refuse(): Promise<void> {}

  async hangup(): Promise<void> {
    this.#giveUp.abort();
    if (this.#leg === undefined) {
      if (!this.signal.aborted) this.#down.abort({ by: 'us', how: 'cancel' } satisfies LegEnd);
      return;
    }
    await this.#leg.hangup();
  }
}

function cancelled(): Failure {
  return new Failure('the call is not wanted any more', { code: 'dial-cancelled', blame: 'us', sipStatus: 487 });
}
