import { BlockList, isIP } from 'node:net';
import { isIPv6Address } from './ip-address.ts';

/** A network, or one address. */
export interface Block {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; undefined when it is none. */
export function parseBlock(text: string): Block | undefined {
  const [address = '', length, more] = text.split('/');
  const version = isIP(address);
  // A zone names an interface of this machine, not a peer.
  if (version === 0 || more !== undefined || address.includes('%')) return undefined;
  const longest = version === 4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? longest : Number(length);
  return prefix > longest ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Answers kept; then all are let go. Peers are few, and who forges addresses is to fill no memory. */
const MOST_KNOWN = 1000;

/** IP addresses, v4 and v6, as blocks of them. */
export class AddressSet {
  readonly #list = new BlockList();
  /** Asked some times for every request: each time the list makes an object of the address, and looks through its blocks. */
  readonly #known = new Map<string, boolean>();

  constructor(blocks: readonly Block[]) {
    for (const { address, prefix, family } of blocks) this.#list.addSubnet(address, prefix, family);
  }

  /** `address`: an IP address, as sockets tell it. */
  has(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const has = this.#list.check(withoutZone(address), isIPv6Address(address) ? 'ipv6' : 'ipv4');
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(address, has);
    return has;
  }
}

/** fe80::1%eth0 is fe80::1 to those who compare addresses. */
export function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}
