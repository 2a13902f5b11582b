import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isIPv6Address } from '../../core/ip-address.ts';

/** Sets that have a name. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  any: ['0.0.0.0/0', '::/0'],
  loopback: ['127.0.0.0/8', '::1/128'],
  /** RFC 1918, RFC 4193, and link-local addresses (RFC 3927, RFC 4291). */
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', '169.254.0.0/16', 'fe80::/10'],
};

export interface Block {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/**
 * `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32` or a name: any, loopback, private, or this-machine, which is loopback and
 * the addresses its interfaces have now. undefined when it is none of them.
 */
export function parseBlocks(text: string): Block[] | undefined {
  if (text === 'this-machine') return [...parseBlocks('loopback')!, ...ownBlocks()];
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named !== undefined) return named.map((one) => parseBlock(one)!);
  const block = parseBlock(text);
  return block && [block];
}

function ownBlocks(): Block[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.map(({ address }) => parseBlock(withoutZone(address))!);
}

function parseBlock(text: string): Block | undefined {
  const [address = '', length, more] = text.split('/');
  const version = isIP(address);
  // A zone names an interface of this machine, not a peer.
  if (version === 0 || more !== undefined || address.includes('%')) return undefined;
  const longest = version === 4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? longest : Number(length);
  return prefix > longest ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** IP addresses, v4 and v6, as blocks of them. */
export class AddressSet {
  readonly #list = new BlockList();

  constructor(blocks: readonly Block[]) {
    for (const { address, prefix, family } of blocks) this.#list.addSubnet(address, prefix, family);
  }

  /** `address`: an IP address, as sockets tell it. */
  has(address: string): boolean {
    return this.#list.check(withoutZone(address), isIPv6Address(address) ? 'ipv6' : 'ipv4');
  }
}

/** fe80::1%eth0 is fe80::1 to those who compare addresses. */
export function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}
