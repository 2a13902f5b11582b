import type { Ms } from '../../core/clock.ts';
import type { MediaPolicy } from '../../media/sdp/media-policy.ts';
import { PHONE_NAME } from '../phone-desk.ts';
import type { Leg } from './call-leg.ts';

/** Where our media for a dialled call lives: known when the way to the far end is, and asked anew for each gateway. */
export interface MediaAddress {
  /** For the SDP's c= line. */
  localAddress: string;
  /** Address to bind media sockets to. */
  mediaBindAddress: string;
  /** The Call-ID it is negotiated under. */
  sipCallId: string;
  /** How its calls are to be encrypted. Undefined: not. */
  mediaPolicy?: MediaPolicy | undefined;
}

const PHONE = new RegExp(`^phone:(${PHONE_NAME})$`);

/** The name in `phone:anna`, whoever is signed in by it at a phone in a browser; undefined for other destinations. */
export function phoneNamed(to: string): string | undefined {
  return PHONE.exec(to)?.[1];
}

/** Someone is to be called. */
export interface DialRequest {
  /** A telephone number (E.164 with +, or as the gateways' rules allow), a sip: or sips: URI, or `phone:` and a name. */
  to: string;
  /** The number shown to the far end. Default: what the gateway is configured to show. */
  from?: string | undefined;
  displayName?: string | undefined;
  /** Name of the only gateway to use. Default: those whose destinations hold `to`, in their order. */
  gateway?: string | undefined;
  /** Sent with the INVITE, e.g. User-to-User or a summary for the agent. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Cancelled when it has rung this long. Default: the gateway's. */
  ringMs?: Ms | undefined;
  /**
   * While calls cannot be counted for all connectors (the database is away): `refuse` (the default), or go by what this
   * connector has counted itself, for calls that somebody waits for on the line.
   */
  whenUncounted?: 'refuse' | 'own-count' | undefined;
  /** Our offer. Asked again when another gateway is tried: its address may be another. */
  offer(place: MediaAddress): string | Promise<string>;
  /**
   * Somebody else picks the call up while it rings (RFC 3891): our answer to their offer. The leg's `answer` is that offer
   * then, and connected already. Rejects with what they are to be refused with. Left out: nobody else may.
   */
  onPickUp?(offer: string): Promise<string>;
  /** 18x of the far end; with `sdp` it sends early media, which is to be connected but is not yet an answer. */
  onProgress?(progress: DialProgress): void;
}

export interface DialProgress {
  status: number;
  sdp?: string | undefined;
  gateway: string;
}

/** A call of ours that was answered. */
export interface DialledLeg extends Leg {
  /** The far end's answer to our offer. */
  readonly answer: string;
  /** The gateway it went by, and how many were tried before it. */
  readonly gateway: string;
  readonly attempts: number;
}

/**
 * Why a call was not answered, for those who count and retry:
 * - not-allowed, no-gateway, limited: never dialled: no gateway serves the number, or limits against fraud stand or
 *   cannot be asked
 * - busy 486/600, declined 603/607, no-answer (rang to the limit, 408, 480), unknown-number 404/484/604/410
 * - refused: any other refusal; media-refused: 488/606; cancelled: by us
 * - unreachable: no gateway answered, or what answered cannot serve now (5xx)
 */
export const DIAL_OUTCOMES = [
  'not-allowed',
  'no-gateway',
  'limited',
  'busy',
  'declined',
  'no-answer',
  'unknown-number',
  'refused',
  'media-refused',
  'unreachable',
  'cancelled',
] as const;
export type DialOutcome = (typeof DIAL_OUTCOMES)[number];

/**
 * Calls out. Implemented by the embedded front end over the gateways of sip-config/.
 */
export interface Dialler {
  /**
   * Resolves when the far end has answered and our ACK is out. Aborting `signal` cancels while it rings, and does
   * nothing to an answered call.
   * @throws Failure whose `code` is `dial-` and a DialOutcome, with the far end's status
   */
  dial(request: DialRequest, signal: AbortSignal): Promise<DialledLeg>;
}
