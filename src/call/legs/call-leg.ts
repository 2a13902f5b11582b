import type { CallId } from '../../core/ids.ts';
import type { MediaPolicy } from '../../media/sdp/media-policy.ts';

/** One end of a call as signalling names it. */
export interface Party {
  /** The URI as received, e.g. sip:+15550100@example.com */
  uri: string;
  displayName?: string;
  /** User part when it is a telephone number or extension; undefined for anonymous callers. */
  number?: string;
}

/**
 * What signalling says of a call beyond who calls whom. Kept in the record as it is, so: JSON, short, absent facts left
 * out, and nothing the caller asked to keep private.
 */
export interface CallSignalling {
  /** The peer is one whose assertions count (RFC 3325): what follows is more than a claim. */
  trusted: boolean;
  /** The caller asked not to be known, by Privacy or an anonymous From (RFC 3323). */
  anonymous?: true;
  /** From URI, where the network asserts another identity. */
  claimed?: string;
  /** P-Asserted-Identity URIs of a trusted peer. */
  asserted?: string[];
  /** Diversion (RFC 5806): who passed the call on, the latest first. */
  diversions?: { uri: string; reason?: string; counter?: number }[];
  /** History-Info (RFC 7044), the oldest first. */
  history?: { uri: string; index?: string; cause?: number }[];
  /** User-to-User (RFC 7433), as sent. */
  userToUser?: { value: string; encoding?: string; purpose?: string }[];
}

/** Why and by whom a leg ended. */
export interface LegEnd {
  /** `caller`: the far end, also where it is the one who was called. */
  by: 'caller' | 'us' | 'network';
  how: 'bye' | 'cancel' | 'rejected' | 'no-ack' | 'transport' | 'session-timeout' | 'shutdown';
  sipStatus?: number;
  /** Text of a Reason header (RFC 3326), when there was one. */
  reason?: string;
  /** Its cause, e.g. `{ protocol: 'Q.850', cause: 16 }`. */
  release?: { protocol: string; cause: number };
}

/** Of the signal of a leg or line that has ended: why, and by whom. */
export function endOf(signal: AbortSignal): LegEnd {
  return signal.reason;
}

/** A refusal with its SIP meaning. */
export interface SipRefusal {
  status: number;
  reason?: string;
  retryAfterSeconds?: number;
  /** Said in a Warning header: Failure's code and message. */
  because?: { code: string; message: string };
}

/** The far end is asked to call somebody else. */
export interface Referral {
  /** A telephone number, which is called at the far end's own domain, or a sip:, sips: or tel: URI. Not needed with `replaces`. */
  to?: string | undefined;
  /** Another leg of ours whose far end it is to be connected with, in our place (attended transfer). */
  replaces?: Leg | undefined;
  /** For the one who is called, as far as the far end passes it on. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long it may take in all. */
  longestMs?: number | undefined;
  /** What the one who is called has answered so far: 100, 180 ... */
  onProgress?: ((status: number) => void) | undefined;
}

/**
 * How it went: `connected`; `left`, the far end took it and hung up without saying how it went; `refused`, it lets
 * nobody send it elsewhere; `failed`, the one who was called did not answer; `unknown`, it took it and nothing more was
 * heard; `ended`, the call ended first. `status` is a SIP status.
 */
export type ReferralEnd =
  | { outcome: 'connected'; status: number }
  | { outcome: 'left' }
  | { outcome: 'refused'; status: number }
  | { outcome: 'failed'; status: number }
  | { outcome: 'unknown'; why: 'no-notify' | 'expired' | 'no-status' }
  | { outcome: 'ended'; by: 'remote' | 'local' | 'network' };

/**
 * The far end asks for whom it talks with to be taken to somebody else: a REFER of its own, to where it may. It must be
 * accepted or refused; one that is accepted is to be told how it ended.
 */
export interface TransferWish {
  /** A number or a SIP URI to dial, a queue's name, or another leg of ours: whom that is for is to get the call. */
  readonly to:
    | { readonly dial: string; readonly headers: Readonly<Record<string, string>> }
    | { readonly queue: string }
    | { readonly leg: Leg };
  accept(): void;
  /** What whoever is called has answered so far: 180, 183. Once it is accepted. */
  progress(status: number): void;
  /** With a SIP status. */
  refuse(status: number): void;
  /** How it ended: 200, or the SIP status of what kept it from coming about. Resolves when the far end knows, or is gone. */
  done(status: number): Promise<void>;
}

/** One SIP dialog as the call sees it, whoever dialled: what calls in and calls out have in common. */
export interface Leg {
  readonly id: CallId;
  /** The Call-ID header. */
  readonly sipCallId: string;
  readonly remote: Party;
  /** Our address as the peer reaches it, for the SDP's c= line. */
  readonly localAddress: string;
  /** Address to bind media sockets to. */
  readonly mediaBindAddress: string;
  /** How its audio is to be encrypted. Undefined: not. */
  readonly mediaPolicy?: MediaPolicy | undefined;
  /** Aborts when the leg ends, by whichever side; `reason` is a LegEnd. */
  readonly signal: AbortSignal;
  /**
   * Re-INVITE and UPDATE offers of the peer: returns our answer, or throws Failure (488). `undefined`: the peer asks
   * for an offer of ours, for all we can do, held or not; its answer comes as `kind` answer, and what is returned then is
   * not sent. Set before answering, or as soon as the far end has answered.
   */
  onOffer(handler: (sdp: string | undefined, kind: 'offer' | 'answer') => string): void;
  /** DTMF that came by SIP INFO; milliseconds where it says how long. */
  onDtmf(handler: (digit: string, durationMs: number | undefined) => void): void;
  /** Presses a key towards the far end by SIP INFO. @throws Failure when it takes none, with its SIP status */
  sendKey(digit: string, durationMs: number): Promise<void>;
  /** Somebody else is at the far end now, on a dialog of their own: it was transferred (RFC 3891). The leg goes on. */
  onReplaced(handler: (far: Party, sipCallId: string) => void): void;
  /** The far end says that it lets itself be referred. */
  readonly refers: boolean;
  /** The last handler counts; without one, and where configuration does not allow it, such wishes are refused. */
  onTransfer(handler: (wish: TransferWish) => void): void;
  /**
   * Asks the far end to call somebody else (REFER). The leg stays up; hanging up what was transferred is the caller's.
   * @throws Failure 491 while another one is under way, 481 when the leg has ended, 400 for a target nobody can call
   */
  refer(referral: Referral): Promise<ReferralEnd>;
  /** BYE (or the right refusal before the answer). Idempotent; resolves when the peer has confirmed or timed out. */
  hangup(): Promise<void>;
}

/** A call that comes in. Every front end brings calls in as these. */
export interface CallLeg extends Leg {
  readonly called: Party;
  readonly signalling: CallSignalling;
  /** Name of the trunk the call came by, where configuration knows it. */
  readonly trunk: string | undefined;
  /** Name of the bot that is to answer; undefined: the default. */
  readonly bot?: string | undefined;
  /** It is a supervisor who calls, to take part in other calls: no bot answers. */
  readonly supervisor?: boolean;
  /** The supervision they were asked to come to, and let in for; undefined: their code tells who they are. */
  readonly supervisionId?: string | undefined;
  /** SDP offer; undefined when the INVITE had none (delayed offer: we offer in the 200, the ACK answers). */
  readonly offer: string | undefined;
  /** 180, or 183 with SDP. */
  progress(sdp?: string): Promise<void>;
  /**
   * 200 with SDP. Resolves when the ACK has come, with the SDP it carried if any; rejects with Failure when it never
   * comes or the caller cancels first.
   */
  answer(sdp: string): Promise<{ ackSdp: string | undefined; ackAt: number }>;
  reject(refusal: SipRefusal): Promise<void>;
}

/** An adapter that brings calls in. */
export interface FrontEnd {
  readonly name: string;
  /** Starts listening; `onCall` is called for each new INVITE and must not throw. */
  start(onCall: (leg: CallLeg) => void): Promise<void>;
  /** New calls are refused with 503 and Retry-After from now on. */
  drain(): void;
  health(): Promise<{ ok: boolean; detail?: string }>;
  /** Idempotent. Ends remaining dialogs with BYE. */
  close(): Promise<void>;
}
