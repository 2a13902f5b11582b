import { randomBytes } from 'node:crypto';
import { SRTP_PROFILES, type SrtpKey, type SrtpProfileName, srtpProfile } from '../srtp/profiles.ts';

/** One a=crypto line that can be used (RFC 4568 section 9.1). */
export interface CryptoAttribute {
  tag: number;
  key: SrtpKey;
}

/** Lines that are looked at. */
const MOST_LINES = 16;
const MOST_MKI_BYTES = 128;

/**
 * The a=crypto lines of a media section, in their order. Left out are those we cannot or will not serve: other suites, keys
 * of a wrong length, several keys, key derivation rates, and every parameter that would take protection away
 * (UNENCRYPTED_SRTP and the like): RFC 4568 section 6.3.
 */
export function readCrypto(section: readonly string[]): CryptoAttribute[] {
  return section
    .filter((line) => line.startsWith('a=crypto:'))
    .slice(0, MOST_LINES)
    .flatMap((line) => {
      const [tag, suite, keys, ...parameters] = line.slice('a=crypto:'.length).trim().split(/\s+/);
      const profile = SRTP_PROFILES.find((name) => name === suite?.toUpperCase());
      if (!/^\d{1,9}$/.test(tag ?? '') || profile === undefined || keys === undefined) return [];
      if (!parameters.every(isHarmless)) return [];
      const key = readInline(keys, profile);
      return key ? [{ tag: Number(tag), key }] : [];
    });
}

export function writeCrypto({ tag, key }: CryptoAttribute): string {
  return `a=crypto:${tag} ${key.profile} inline:${Buffer.from(key.master).toString('base64')}`;
}

export function newKey(profile: SrtpProfileName): SrtpKey {
  const { keyBytes, saltBytes } = srtpProfile(profile);
  return { profile, master: new Uint8Array(randomBytes(keyBytes + saltBytes)) };
}

/** A hint on the window, and what says of itself that it may be passed over (section 6.3.7). */
function isHarmless(parameter: string): boolean {
  return /^WSH=\d+$/i.test(parameter) || parameter.startsWith('-');
}

/** `inline:KEY||SALT[|lifetime][|MKI:length]`. We end calls long before any lifetime does. */
function readInline(text: string, profile: SrtpProfileName): SrtpKey | undefined {
  const found = /^inline:([A-Za-z0-9+/]+={0,2})(?:\|(?:2\^\d{1,2}|\d+))?(?:\|(\d{1,9}):(\d{1,3}))?$/i.exec(text);
  if (!found) return undefined;
  // A copy: a small Buffer is a window on memory that others use.
  const master = new Uint8Array(Buffer.from(found[1]!, 'base64'));
  const { keyBytes, saltBytes } = srtpProfile(profile);
  if (master.length !== keyBytes + saltBytes) return undefined;
  if (found[2] === undefined) return { profile, master };
  const length = Number(found[3]);
  if (length < 1 || length > MOST_MKI_BYTES) return undefined;
  const mki = new Uint8Array(length);
  let value = Number(found[2]);
  for (let i = length - 1; i >= 0 && value > 0; i--, value = Math.floor(value / 256)) mki[i] = value % 256;
  return value > 0 ? undefined : { profile, master, mki };
}
