import { createHash } from 'node:crypto';

/** A certificate as SDP names it (RFC 8122 section 5): the hash's name in lower case, and its bytes as `AB:CD:...`. */
export interface Fingerprint {
  algorithm: string;
  value: string;
}

/** Hashes that are believed; SHA-1 and MD5 are not any more. */
const HASHES: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' };

export function isUsable({ algorithm, value }: Fingerprint): boolean {
  const hash = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm]! : undefined;
  return hash !== undefined && /^([0-9A-F]{2}:)+[0-9A-F]{2}$/.test(value);
}

export function fingerprintOf(certificate: Uint8Array, algorithm = 'sha-256'): Fingerprint {
  const digest = createHash(HASHES[algorithm]!).update(certificate).digest('hex').toUpperCase();
  return { algorithm, value: digest.match(/../g)!.join(':') };
}

/** Is it one of the certificates that were announced? */
export function isAnnounced(certificate: Uint8Array, announced: readonly Fingerprint[]): boolean {
  return announced.some((one) => isUsable(one) && fingerprintOf(certificate, one.algorithm).value === one.value);
}
