import { networkInterfaces } from 'node:os';
import { type Block, parseBlock, withoutZone } from '../../core/address-set.ts';

/** Sets that have a name. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  any: ['0.0.0.0/0', '::/0'],
  loopback: ['127.0.0.0/8', '::1/128'],
  /** RFC 1918, RFC 4193, and link-local addresses (RFC 3927, RFC 4291). */
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', '169.254.0.0/16', 'fe80::/10'],
};

/**
 * What parseBlock reads, or a name: any, loopback, private, or this-machine, which is loopback and the addresses its
 * interfaces have now. undefined when it is none of them.
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
