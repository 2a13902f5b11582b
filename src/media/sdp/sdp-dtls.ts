import { type Fingerprint, isUsable } from '../dtls/fingerprint.ts';
import type { AudioDescription } from './audio-description.ts';

/** The certificates and the wish for a role in a description; undefined without what can be checked. */
export function readDtls(attribute: (name: string) => string[]): AudioDescription['dtls'] {
  const fingerprints = attribute('fingerprint')
    .map((text): Fingerprint => {
      const [algorithm = '', value = ''] = text.trim().split(/\s+/);
      return { algorithm: algorithm.toLowerCase(), value: value.toUpperCase() };
    })
    .filter(isUsable);
  const setup = attribute('setup')[0]?.trim() ?? 'actpass';
  if (fingerprints.length === 0 || (setup !== 'actpass' && setup !== 'active' && setup !== 'passive')) return undefined;
  return { fingerprints, setup };
}

/**
 * The peer's names for ICE (RFC 8839 section 5.4). Not of a lite peer: it checks nothing, as we do not, so that its address
 * is what it says in c= and m= (RFC 8445 section 6.1.1).
 */
export function readIce(attribute: (name: string) => string[]): AudioDescription['ice'] {
  if (attribute('ice-lite').length > 0) return undefined;
  const ufrag = attribute('ice-ufrag')[0]?.trim() ?? '';
  const password = attribute('ice-pwd')[0]?.trim() ?? '';
  return /^[A-Za-z0-9+/]{4,256}$/.test(ufrag) && /^[A-Za-z0-9+/]{22,256}$/.test(password) ? { ufrag } : undefined;
}
