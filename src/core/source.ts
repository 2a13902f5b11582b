import { addressBytes, isIPv6Address } from './ip-address.ts';

/** Whom an address stands for: an IPv6 host owns a whole /64 and can send from any address in it. */
export function sourceOf(address: string): string {
  if (!isIPv6Address(address)) return address;
  const bytes = addressBytes(address);
  if (bytes === undefined) return address;
  const network = [0, 2, 4, 6].map((at) => bytes.readUInt16BE(at).toString(16));
  return `${network.join(':')}::/64`;
}
