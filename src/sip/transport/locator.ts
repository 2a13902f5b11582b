import { isIP } from 'node:net';
import type { Ms } from '../../core/clock.ts';
import { transportFailure } from '../errors.ts';
import type { Dns, HostAddress, NaptrRecord, SrvRecord } from './dns.ts';
import type { Protocol, Target } from './flow.ts';
import { defaultPort, type Hop } from './next-hop.ts';

/** A place a request can be sent to, and how. */
export interface Located extends Target {
  protocol: Protocol;
}

export interface LocatorOptions {
  dns: Dns;
  /** Is there a transport of ours for this protocol and family? */
  speaks(protocol: Protocol, family: 4 | 6): boolean;
  now(): Ms;
  /** In [0, 1). */
  random(): number;
}

/** Places tried for one request; the rest of a long list is not worth the caller's time. */
const MAX_PLACES = 8;
const MAX_RECORDS = 16;
const CACHE_SIZE = 1_024;
/** Shorter than the TTL of most records: a changed record is seen soon, and a busy peer is not asked for at each BYE. */
const KEEP_MS: Ms = 15_000;
/** Answers that failed, and places that did. */
const KEEP_FAILED_MS: Ms = 5_000;
const AVOID_MS: Ms = 30_000;
const MAX_AVOIDED = 256;
/** Questions at the same time; one more fails. */
const MAX_ASKING = 128;

/** NAPTR services (RFC 3263 4.1, RFC 7118 6). We are no WebSocket client, so those are not asked for. */
const SERVICES: Readonly<Record<string, Protocol | undefined>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};
/** In this order where nobody says which is liked better. */
const SRV_NAMES: readonly { protocol: Protocol; prefix: string }[] = [
  { protocol: 'udp', prefix: '_sip._udp.' },
  { protocol: 'tcp', prefix: '_sip._tcp.' },
  { protocol: 'tls', prefix: '_sips._tcp.' },
];

interface Answer {
  until: Ms;
  records: Promise<readonly unknown[]>;
}

/** Finds the servers of a SIP URI (RFC 3263): NAPTR, SRV, then addresses, in the order to try them. */
export class Locator {
  readonly #options: LocatorOptions;
  readonly #cache = new Map<string, Answer>();
  readonly #avoided = new Map<string, Ms>();
  #asking = 0;

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /** At least one place, best first; places that failed a moment ago come last. @throws Failure 503 when there is none */
  async locate(hop: Hop): Promise<Located[]> {
    const places = (await this.#placesOf(hop)).slice(0, MAX_PLACES);
    if (places.length === 0) throw transportFailure(`no address for ${hop.host.slice(0, 80)}`);
    const now = this.#options.now();
    const avoided = (place: Located) => (this.#avoided.get(placeKey(place)) ?? 0) > now;
    return places.some(avoided) ? [...places.filter((one) => !avoided(one)), ...places.filter(avoided)] : places;
  }

  /** A request to this place failed or was not answered (RFC 3263 4.3): the next ones try others first for a while. */
  avoid(place: Located): void {
    const key = placeKey(place);
    this.#avoided.delete(key);
    this.#avoided.set(key, this.#options.now() + AVOID_MS);
    if (this.#avoided.size > MAX_AVOIDED) dropOldest(this.#avoided);
  }

  async #placesOf(hop: Hop): Promise<Located[]> {
    const { host, port, secure } = hop;
    const family = isIP(host);
    // The choice is ours: where no UDP is spoken, another transport may be.
    const fallback = hop.protocol ?? this.#firstSpoken(secure, family === 0 ? [4, 6] : [family === 6 ? 6 : 4]);
    if (family !== 0) return this.#addressesOf(host, host, fallback, port ?? defaultPort(fallback));
    // A port in the URI settles it (4.2); so does a name that lives on this machine only.
    if (port !== undefined || host === 'localhost') {
      return this.#addressesOf(host, host, fallback, port ?? defaultPort(fallback));
    }
    const services = await this.#servicesOf(hop);
    for (const { protocol, name } of services) {
      const places = await this.#serversOf(host, protocol, name);
      if (places.length > 0) return places;
    }
    return this.#addressesOf(host, host, fallback, defaultPort(fallback));
  }

  /** SRV names to ask for, best first (4.1). */
  async #servicesOf(hop: Hop): Promise<{ protocol: Protocol; name: string }[]> {
    const wanted = (protocol: Protocol) =>
      (hop.protocol === undefined ? !hop.secure || protocol === 'tls' : protocol === hop.protocol) &&
      (this.#options.speaks(protocol, 4) || this.#options.speaks(protocol, 6));
    const asked = SRV_NAMES.filter(({ protocol }) => wanted(protocol)).map(({ protocol, prefix }) => ({
      protocol,
      name: `${prefix}${hop.host}`,
    }));
    if (hop.protocol !== undefined) return asked;
    const records = (await this.#ask<NaptrRecord>('naptr', hop.host)).filter(
      ({ flags }) => flags.toLowerCase() === 's',
    );
    const offered = [...records]
      .sort((a, b) => a.order - b.order || a.preference - b.preference)
      .flatMap(({ service, replacement }) => {
        const protocol = SERVICES[service.toUpperCase()];
        return protocol !== undefined && wanted(protocol) ? [{ protocol, name: replacement }] : [];
      });
    return offered.length > 0 ? offered : asked;
  }

  async #serversOf(domain: string, protocol: Protocol, srvName: string): Promise<Located[]> {
    const records = await this.#ask<SrvRecord>('srv', srvName);
    const places: Located[] = [];
    for (const { name, port } of inOrder(records.slice(0, MAX_RECORDS), this.#options.random)) {
      // A dot: decidedly not here (RFC 2782).
      if (name === '' || name === '.') continue;
      places.push(...(await this.#addressesOf(name, domain, protocol, port)));
      if (places.length >= MAX_PLACES) break;
    }
    return places;
  }

  /** `domain` is what the certificate has to be for: what the URI said, not what DNS made of it (RFC 5922 7.3). */
  async #addressesOf(host: string, domain: string, protocol: Protocol, port: number): Promise<Located[]> {
    const found = isIP(host) === 0 ? await this.#ask<HostAddress>('addresses', host) : [literal(host)];
    return found
      .filter(({ family }) => this.#options.speaks(protocol, family))
      .map(({ address }) => ({ protocol, address, port, name: domain }));
  }

  /** Never rejects: where DNS does not answer, the next step of RFC 3263 may still find a way. */
  async #ask<T>(kind: keyof Dns, name: string): Promise<readonly T[]> {
    const key = `${kind} ${name}`;
    const now = this.#options.now();
    let answer = this.#cache.get(key);
    if (answer === undefined || answer.until <= now) {
      // Names that exist nowhere (RFC 6761) are not worth a question: WebSocket clients write them into Contact.
      if (/(^|\.)invalid$/.test(name) || this.#asking >= MAX_ASKING) return [];
      this.#asking++;
      const fresh: Answer = { until: now + KEEP_MS, records: Promise.resolve([]) };
      fresh.records = this.#options.dns[kind](name).then(
        (records) => {
          this.#asking--;
          return records;
        },
        () => {
          this.#asking--;
          fresh.until = Math.min(fresh.until, this.#options.now() + KEEP_FAILED_MS);
          return [];
        },
      );
      answer = fresh;
      this.#cache.delete(key);
      this.#cache.set(key, answer);
      if (this.#cache.size > CACHE_SIZE) dropOldest(this.#cache);
    }
    return (await answer.records) as readonly T[];
  }

  #firstSpoken(secure: boolean, families: readonly (4 | 6)[]): Protocol {
    if (secure) return 'tls';
    const spoken = (protocol: Protocol) => families.some((family) => this.#options.speaks(protocol, family));
    return (['udp', 'tcp', 'tls'] as const).find(spoken) ?? 'udp';
  }
}

/** By priority; within one, at random by weight (RFC 2782). */
function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const out: SrvRecord[] = [];
  while (left.length > 0) {
    const group = left.filter(({ priority }) => priority === left[0]?.priority);
    let pick = random() * group.reduce((sum, { weight }) => sum + weight, 0);
    const chosen =
      group.find(({ weight }) => {
        pick -= weight;
        return pick < 0;
      }) ?? group[0]!;
    out.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return out;
}

function literal(address: string): HostAddress {
  return { address, family: isIP(address) === 6 ? 6 : 4 };
}

function placeKey({ protocol, address, port }: Located): string {
  return `${protocol} ${address} ${port}`;
}

function dropOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
