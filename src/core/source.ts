/** Of an IP address; node's isIPv6 checks the whole form, and this is asked for each packet of a flood. */
export function isIPv6Address(address: string): boolean {
  return address.includes(':');
}

/** Whom an address stands for: an IPv6 host owns a whole /64 and can send from any address in it. */
export function sourceOf(address: string): string {
  if (!isIPv6Address(address)) return address;
  const [head = '', tail] = withoutDotted(address).split('%', 1)[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

/** `::ffff:192.0.2.1` has two groups in its dotted part. */
function withoutDotted(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)/, (_, a, b, c, d) => {
    const group = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
}
