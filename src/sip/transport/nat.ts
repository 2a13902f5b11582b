import { BlockList, isIP } from 'node:net';

/** Addresses that mean something inside one network only: RFC 1918, 6598 (carriers' NAT), 3927, 4193, and loopback. */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');

/** Can this address be reached from its own network only? False for names. */
export function isPrivate(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && PRIVATE.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** A name that exists nowhere (RFC 6761), as clients write it that can be reached by their own connection only. */
export function isNowhere(host: string): boolean {
  return /(^|\.)invalid\.?$/i.test(host);
}
