import { lookup, Resolver } from 'node:dns/promises';
import type { Ms } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';

export interface NaptrRecord {
  order: number;
  preference: number;
  flags: string;
  service: string;
  replacement: string;
}

export interface SrvRecord {
  priority: number;
  weight: number;
  port: number;
  name: string;
}

export interface HostAddress {
  address: string;
  family: 4 | 6;
}

/** The questions RFC 3263 asks. Each resolves with [] when there is no such record, and rejects when nobody answers. */
export interface Dns {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  addresses(name: string): Promise<readonly HostAddress[]>;
}

export interface DnsOptions {
  /** `192.0.2.53` or `192.0.2.53:5353`; else those of the system, with /etc/hosts for addresses. */
  servers?: readonly string[] | undefined;
  timeoutMs?: Ms | undefined;
}

/** Answers that mean there is no such record. */
const NONE = new Set(['ENOTFOUND', 'ENODATA']);

export function systemDns(options: DnsOptions = {}): Dns {
  const resolver = new Resolver({ timeout: options.timeoutMs ?? 1_500, tries: 2 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
  const own = options.servers !== undefined;
  return {
    naptr: (name) => orNone(resolver.resolveNaptr(name)),
    srv: (name) => orNone(resolver.resolveSrv(name)),
    addresses: (name) => (own ? bothFamilies(resolver, name) : hostAddresses(name)),
  };
}

/** As every program on this machine sees it: /etc/hosts first, in the order of RFC 6724. */
async function hostAddresses(name: string): Promise<HostAddress[]> {
  const found = await orNone(lookup(name, { all: true }));
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

async function bothFamilies(resolver: Resolver, name: string): Promise<HostAddress[]> {
  const [four, six] = await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))]);
  return [
    ...four.map((address) => ({ address, family: 4 as const })),
    ...six.map((address) => ({ address, family: 6 as const })),
  ];
}

async function orNone<T>(asked: Promise<T[]>): Promise<T[]> {
  try {
    return await asked;
  } catch (error) {
    if (NONE.has(codeOf(error) ?? '')) return [];
    throw error;
  }
}
