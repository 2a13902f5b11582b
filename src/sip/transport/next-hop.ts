import { transportFailure } from '../errors.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import type { Protocol } from './flow.ts';

/** Where a request goes next, as its URI says it. */
export interface Hop {
  /** What the URI asks for; undefined when it leaves the choice to us. */
  protocol: Protocol | undefined;
  /** sips: encrypted or not at all. */
  secure: boolean;
  /** A name, or an address without brackets. */
  host: string;
  port: number | undefined;
}

/** Encrypted siblings, for sips: URIs (RFC 3261 26.2.2, RFC 7118 5.2). */
const SECURE: Readonly<Record<string, Protocol | undefined>> = { tcp: 'tls', tls: 'tls', ws: 'wss', wss: 'wss' };
const PLAIN: Readonly<Record<string, Protocol | undefined>> = {
  udp: 'udp',
  tcp: 'tcp',
  // Deprecated by RFC 3261 and written by everybody: TLS up to the next hop.
  tls: 'tls',
  ws: 'ws',
  wss: 'wss',
};

/** @throws Failure 503 for a transport that is not spoken here */
export function hopOf(uri: SipUri): Hop {
  const secure = uri.scheme === 'sips';
  const named = uri.params.get('transport')?.toLowerCase();
  const protocol = named === undefined ? undefined : (secure ? SECURE : PLAIN)[named];
  if (named !== undefined && protocol === undefined) {
    throw transportFailure(`no transport ${named.slice(0, 20)} ${secure ? 'for sips: ' : ''}here`);
  }
  return { protocol, secure, host: addressOf(uri.params.get('maddr') ?? uri.host), port: uri.port };
}

/** The port where the URI names none (RFC 3261 19.1.2, RFC 7118 8). */
export function defaultPort(protocol: Protocol): number {
  return { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 }[protocol];
}
