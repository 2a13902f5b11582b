import { isIP, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { certificatePairs, triedTls } from './config-tls.ts';
import type { TlsFiles } from './sip/transport/tls-files.ts';
import type { ListenOptions } from './sip/transport/transport-layer.ts';

const port = z.coerce.number().int().min(0).max(65_535);
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== ''),
);
const addresses = (most: number) =>
  list.refine(
    (all) => all.length > 0 && all.length <= most && all.every((one) => isIP(one) !== 0),
    most === 2 ? 'must be an IP address, or one for IPv4 and one for IPv6' : 'must be an IP address, or several',
  );

/** Where SIP is listened to. */
export const SIP_VARIABLES = {
  SIP_HOST: addresses(16).default(['0.0.0.0']),
  SIP_PORT: port.default(5060),
  SIP_TLS_PORT: port.default(5061),
  SIP_TLS_CERT: list.default([]),
  SIP_TLS_KEY: list.default([]),
  SIP_TLS_CA: z.string().optional(),
  SIP_TLS_CRL: list.default([]),
  SIP_TLS_OCSP: list.default([]),
  SIP_TLS_CLIENT_CERT: z.enum(['none', 'optional', 'required']).default('none'),
  SIP_WS_PORT: port.optional(),
  SIP_WSS_PORT: port.optional(),
  SIP_WS_ORIGINS: list.default([]),
  BROWSER_PHONE: z.enum(['on', 'off']).default('on'),
  SIP_MAX_CONNECTIONS: z.coerce.number().int().min(1).default(2_000),
  SIP_MAX_CONNECTIONS_PER_SOURCE: z.coerce.number().int().min(1).default(500),
  SIP_SESSION_EXPIRES: z.coerce.number().int().min(90).max(86_400).default(1_800),
  SIP_MIN_SE: z.coerce.number().int().min(90).max(86_400).default(90),
  SIP_TRACE: z.enum(['on', 'off']).default('on'),
  SIP_TRACE_HIDE: list.default([]),
  PUBLIC_ADDRESS: addresses(2).default([]),
};

export type SipVariables = z.infer<z.ZodObject<typeof SIP_VARIABLES>>;

export interface SipSettings {
  readonly port: number;
  /** Every address with every protocol that is configured. */
  readonly listen: ListenOptions[];
  /** One at most for each of IPv4 and IPv6. */
  readonly publicAddresses: string[];
  readonly tls: TlsFiles | undefined;
  /** Undefined: any page may connect by WebSocket. */
  readonly webSocketOrigins: string[] | undefined;
  readonly connections: { maxConnections: number; maxPerSource: number };
  /** Seconds (RFC 4028). */
  readonly sessionTimer: { expires: number; minSe: number };
  /** Undefined: calls keep no SIP messages. Values of these headers are not kept. */
  readonly trace: { hideHeaders: string[] } | undefined;
}

/** Paths are relative to `directory`. What cannot be used is added to `complaints`, by the name of its variable. */
export function sipSettings(v: SipVariables, directory: string, complaints: string[]): SipSettings {
  const tls = tlsFiles(v, directory, complaints);
  if (v.SIP_WSS_PORT !== undefined && tls === undefined) complaints.push('SIP_WSS_PORT: needs SIP_TLS_CERT');
  if (v.PUBLIC_ADDRESS.length === 2 && v.PUBLIC_ADDRESS.every(isIPv6) === v.PUBLIC_ADDRESS.some(isIPv6)) {
    complaints.push('PUBLIC_ADDRESS: has two addresses of one family');
  }
  if (v.SIP_MIN_SE > v.SIP_SESSION_EXPIRES) complaints.push('SIP_MIN_SE: must not be more than SIP_SESSION_EXPIRES');
  const origins = v.SIP_WS_ORIGINS.map((origin) => origin.toLowerCase());
  if (!origins.every(isOrigin)) complaints.push('SIP_WS_ORIGINS: must be origins such as https://phone.example');
  const ports: [ListenOptions['protocol'], number | undefined][] = [
    ['udp', v.SIP_PORT],
    ['tcp', v.SIP_PORT],
    ['tls', tls === undefined ? undefined : v.SIP_TLS_PORT],
    ['ws', v.SIP_WS_PORT],
    ['wss', tls === undefined ? undefined : v.SIP_WSS_PORT],
  ];
  const open = ports.flatMap(([protocol, port]) => (port === undefined ? [] : [{ protocol, port }]));
  const streams = open.filter(({ protocol, port }) => protocol !== 'udp' && port !== 0);
  if (new Set(streams.map(({ port }) => port)).size < streams.length) {
    complaints.push('SIP_PORT, SIP_TLS_PORT, SIP_WS_PORT, SIP_WSS_PORT: must differ');
  }
  const listen: ListenOptions[] = v.SIP_HOST.flatMap((host) => open.map((place) => ({ ...place, host })));
  // The page's phone works on this machine without a setting: any port will do, the page is told which.
  if (v.BROWSER_PHONE === 'on' && v.SIP_WS_PORT === undefined && v.SIP_WSS_PORT === undefined) {
    listen.push({ protocol: 'ws', host: '127.0.0.1', port: 0, origins: 'this-machine' });
  }
  return {
    port: v.SIP_PORT,
    listen,
    publicAddresses: v.PUBLIC_ADDRESS,
    tls,
    webSocketOrigins: origins.length === 0 ? undefined : origins,
    connections: { maxConnections: v.SIP_MAX_CONNECTIONS, maxPerSource: v.SIP_MAX_CONNECTIONS_PER_SOURCE },
    sessionTimer: { expires: v.SIP_SESSION_EXPIRES, minSe: v.SIP_MIN_SE },
    trace: v.SIP_TRACE === 'on' ? { hideHeaders: v.SIP_TRACE_HIDE } : undefined,
  };
}

function tlsFiles(v: SipVariables, directory: string, complaints: string[]): TlsFiles | undefined {
  const { SIP_TLS_CERT: certs, SIP_TLS_KEY: keys, SIP_TLS_CA: ca, SIP_TLS_CLIENT_CERT: clientCertificates } = v;
  const { SIP_TLS_CRL: crls, SIP_TLS_OCSP: ocsp } = v;
  const pairs = certificatePairs({ prefix: 'SIP', certs, keys }, directory, complaints);
  if (pairs === undefined) return undefined;
  if (pairs.length === 0) {
    if (clientCertificates !== 'none') complaints.push('SIP_TLS_CLIENT_CERT: needs SIP_TLS_CERT');
    return undefined;
  }
  if (clientCertificates !== 'none' && ca === undefined) {
    complaints.push('SIP_TLS_CLIENT_CERT: needs SIP_TLS_CA, the CAs that clients must come from');
  }
  if (crls.length > 0 && ca === undefined) complaints.push('SIP_TLS_CRL: needs SIP_TLS_CA, the CAs the lists are of');
  if (ocsp.length > pairs.length) complaints.push('SIP_TLS_OCSP: has more files than SIP_TLS_CERT');
  const path = (name: string) => resolve(directory, name);
  const files: TlsFiles = {
    certificates: pairs.map((pair, i) => ({ ...pair, ocsp: ocsp[i] === undefined ? undefined : path(ocsp[i]) })),
    ca: ca === undefined ? undefined : path(ca),
    revocationLists: crls.map(path),
    clientCertificates,
  };
  return triedTls(files, 'SIP_TLS_CERT, SIP_TLS_KEY, SIP_TLS_CA, SIP_TLS_CRL or SIP_TLS_OCSP', complaints);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
