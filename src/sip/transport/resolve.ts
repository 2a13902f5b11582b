import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { sipFailure, transportFailure } from '../errors.ts';
import { addressOf, type SipUri } from '../message/uri.ts';
import type { Endpoint, Protocol } from './flow.ts';

/** Where a request goes next, as its URI says it. */
export interface Hop {
  /** What the URI asks for; undefined when it leaves the choice to us. */
  protocol: Protocol | undefined;
  host: string;
  port: number;
}

/** @throws Failure 416 for sips:, 503 for a transport that is not spoken here */
export function hopOf(uri: SipUri): Hop {
  if (uri.scheme === 'sips') throw sipFailure(416, 'sip-scheme', 'sips: needs TLS, which is not spoken here', 'us');
  const named = uri.params.get('transport')?.toLowerCase();
  if (named !== undefined && named !== 'udp' && named !== 'tcp') {
    throw transportFailure(`no transport ${named.slice(0, 20)} here`);
  }
  return { protocol: named, host: uri.params.get('maddr') ?? uri.host, port: uri.port ?? 5060 };
}

/** Address records of the host (RFC 3263 4.2; NAPTR and SRV are not asked). @throws Failure 503 */
export async function resolveHost(hop: Hop): Promise<Endpoint> {
  const host = addressOf(hop.host);
  if (isIP(host) !== 0) return { address: host, port: hop.port };
  try {
    const { address } = await lookup(host);
    return { address, port: hop.port };
  } catch (error) {
    throw transportFailure(`no address for ${host.slice(0, 80)}`, error);
  }
}
