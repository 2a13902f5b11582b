import type { Flow } from '../transport/flow.ts';

/**
 * Sees every SIP message as it crosses the wire, retransmissions included: the bytes as they are, before anybody has
 * judged or changed them. Called from the sockets' own handlers: it must be quick and must not throw.
 */
export interface WireTap {
  /** `callId` is undefined where nobody can read it. `bytes` are lent: they may be overwritten afterwards. */
  received(bytes: Buffer, callId: string | undefined, flow: Flow): void;
  /** Handed to the socket; whether it left, nobody knows on UDP. */
  sent(bytes: Buffer, flow: Flow): void;
  /** A request under this Call-ID was refused, or passed over, without state: no call will come of it. */
  refused?(callId: string): void;
}
