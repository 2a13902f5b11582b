import type { Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import type { SipMessage } from '../message/message.ts';
import type { SipParseError } from '../message/parse.ts';

export type Protocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Who a certificate says the peer is. */
export interface PeerIdentity {
  /** CN of the subject; undefined when it has none. */
  readonly commonName: string | undefined;
  /** Subject alternative names as `DNS:a.example`, `IP Address:192.0.2.1`, `URI:sip:a.example`. */
  readonly altNames: readonly string[];
  /** SHA-256 over the certificate: `AB:CD:...`, 32 bytes, upper case. */
  readonly fingerprint256: string;
  /** Does its chain end at a CA we trust, and is it within its dates? Believe no other field when it is false. */
  readonly authorized: boolean;
}

export interface Endpoint {
  /** An IP address, IPv6 without brackets. */
  address: string;
  port: number;
}

/** Where a request goes. */
export interface Target extends Endpoint {
  /** The host as its URI names it: what a TLS peer's certificate has to be for. */
  name?: string | undefined;
}

/** A way to one peer: a UDP socket with a destination, or a connection. */
export interface Flow {
  readonly protocol: Protocol;
  readonly reliable: boolean;
  readonly remote: Endpoint;
  /** May be a wildcard address on UDP. */
  readonly local: Endpoint;
  /** The transport it belongs to: whose socket it uses, or whose limits it counts against. */
  readonly transport: Transport;
  /** Encrypted up to the peer: TLS and WSS. */
  readonly secure: boolean;
  /** Whom the peer's certificate names; undefined without TLS (and on WSS), or when it showed none. */
  readonly peer: PeerIdentity | undefined;
  /** Still usable? Always true on UDP. */
  readonly open: boolean;
  /** Sends; never throws. `failed` is called, once at most, when the bytes are known not to have left. */
  send(bytes: Buffer, failed: (error: Failure) => void): void;
}

/** What a transport hands up. Neither may throw. */
export interface TransportEvents {
  onMessage(message: SipMessage, flow: Flow, bytes: Buffer): void;
  onBadMessage(error: SipParseError, flow: Flow, bytes: Buffer): void;
  /** A message was handed to the socket. Not called where nobody listens. */
  onSent?: ((bytes: Buffer, flow: Flow) => void) | undefined;
  /** Does a call need this connection, so that it must not be closed for being quiet? Not asked often. */
  inUse?(flow: Flow): boolean;
}

/** One listening socket and the ways to peers that start there. */
export interface Transport {
  readonly protocol: Protocol;
  /** Where it listens; the real port once `listen` has resolved. */
  readonly bound: Endpoint;
  /** @throws Failure when the address cannot be bound */
  listen(): Promise<void>;
  /** @throws Failure 503 when the peer cannot be reached or there is no room for another connection */
  flowTo(target: Target): Promise<Flow>;
  /** An open connection to this very address and port. */
  existingTo(target: Target): Flow | undefined;
  /** Open ones; undefined where there are none to be had (UDP). */
  readonly connections: number | undefined;
  /** How long what has arrived waits until we read it (UDP; a connection makes its peer wait). */
  readonly receiveDelayMs?: Ms;
  /** INVITEs let go unread, since they had waited for so long that they have been sent again. */
  readonly late?: number;
  /** Idempotent. */
  close(): Promise<void>;
}

/** ::ffff:192.0.2.1, as dual-stack sockets report it, is 192.0.2.1. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === '';
}
