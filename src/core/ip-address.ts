import { isIP } from 'node:net';

/** Of an IP address; node's isIPv6 checks the whole form, and this is asked for each packet of a flood. */
export function isIPv6Address(address: string): boolean {
  return address.includes(':');
}

/** The 4 or 16 bytes of an IP address, without its zone; undefined for what is none. */
export function addressBytes(address: string): Buffer | undefined {
  const plain = address.split('%', 1)[0]!;
  const family = isIP(plain);
  if (family === 4) return Buffer.from(plain.split('.').map(Number));
  if (family !== 6) return undefined;
  // One `::` at most; whatever it leaves out is zero.
  const [head = [], tail = []] = plain.split('::').map(bytesOfGroups);
  const bytes = Buffer.alloc(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** An address that audio may be sent to: neither nobody's (`0.0.0.0`, `::`) nor many hosts' (multicast, broadcast), nor a name. */
export function isOneHost(address: string): boolean {
  if (isIP(address) === 4) {
    const first = Number.parseInt(address, 10);
    return first > 0 && first < 224;
  }
  const bytes = addressBytes(address);
  if (bytes === undefined) return false;
  return bytes[0]! !== 0xff && bytes.some((byte) => byte !== 0);
}

/** `2001:db8` or `ffff:192.0.2.1`. */
function bytesOfGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const word = Number.parseInt(group, 16);
    return [word >> 8, word & 0xff];
  });
}
