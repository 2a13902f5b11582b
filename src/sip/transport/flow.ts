import type { Failure } from '../../core/errors.ts';
import type { SipMessage } from '../message/message.ts';
import type { SipParseError } from '../message/parse.ts';

export type Protocol = 'udp' | 'tcp';

export interface Endpoint {
  /** An IP address, IPv6 without brackets. */
  address: string;
  port: number;
}

/** A way to one peer: a UDP socket with a destination, or a connection. */
export interface Flow {
  readonly protocol: Protocol;
  readonly reliable: boolean;
  readonly remote: Endpoint;
  /** May be a wildcard address on UDP. */
  readonly local: Endpoint;
  /** Still usable? Always true on UDP. */
  readonly open: boolean;
  /** Sends; never throws. `failed` is called, once at most, when the bytes are known not to have left. */
  send(bytes: Buffer, failed: (error: Failure) => void): void;
}

/** What a transport hands up. Neither may throw. */
export interface TransportEvents {
  onMessage(message: SipMessage, flow: Flow): void;
  onBadMessage(error: SipParseError, flow: Flow): void;
}

/** One listening socket and the ways to peers that start there. TLS and WebSocket come as two more of these. */
export interface Transport {
  readonly protocol: Protocol;
  /** Where it listens; the real port once `listen` has resolved. */
  readonly bound: Endpoint;
  /** @throws Failure when the address cannot be bound */
  listen(): Promise<void>;
  /** @throws Failure 503 when the peer cannot be reached or there is no room for another connection */
  flowTo(remote: Endpoint): Promise<Flow>;
  /** An existing connection to this address, whatever its port. */
  existingTo(remote: Endpoint): Flow | undefined;
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
