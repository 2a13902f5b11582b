import type { Ms } from '../../core/clock.ts';

/** Bounds on the connections of one user agent: TCP, TLS and WebSocket together. */
export interface ConnectionLimits {
  /** Both directions together. When full, the oldest that never said anything sensible makes room; else it is refused. */
  maxConnections: number;
  /** From one IPv4 address or IPv6 /64. */
  maxPerSource: number;
  /** New connections per second from one source, after a burst of `acceptBurst`. */
  acceptsPerSecond: number;
  acceptBurst: number;
  /** TLS handshake and WebSocket upgrade have to be done after this long. */
  handshakeMs: Ms;
  /** An accepted connection has to bring its first whole message or keep-alive after this long. */
  firstMessageMs: Ms;
  /** A message has to be whole this long after its first byte. */
  messageMs: Ms;
  /** A connection without traffic is closed after this long, unless a call needs it. */
  idleMs: Ms;
  /** A connection that a call needs is kept alive by a ping after this much silence (RFC 5626 4.4.1: 95 to 120 s). */
  keepAliveMs: Ms;
  /** WebSocket pings, which find out browsers that went away (RFC 7118 6). */
  webSocketPingMs: Ms;
  connectMs: Ms;
  /** Bytes the kernel has not taken yet; a peer that does not read is cut off. */
  pendingBytes: number;
  /** Wrong messages in a row on one connection; then it is closed. */
  maxBadMessages: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 2_000,
  maxPerSource: 500,
  acceptsPerSecond: 100,
  acceptBurst: 200,
  handshakeMs: 5_000,
  firstMessageMs: 30_000,
  messageMs: 10_000,
  idleMs: 600_000,
  keepAliveMs: 110_000,
  webSocketPingMs: 25_000,
  connectMs: 4_000,
  pendingBytes: 262_144,
  maxBadMessages: 20,
};
