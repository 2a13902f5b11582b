import { AesCounter } from './aes-counter.ts';
import { AUTH_KEY_BYTES, type SrtpKey, srtpProfile } from './profiles.ts';

/** What protects one kind of packets in one direction. */
export interface SessionKeys {
  key: Uint8Array;
  salt: Uint8Array;
  /** Empty for AEAD profiles. */
  auth: Uint8Array;
}

/** Labels of RFC 3711 section 4.3.2; RTCP's follow RTP's. */
const ENCRYPTION = 0;
const AUTHENTICATION = 1;
const SALTING = 2;
const RTCP = 3;

/**
 * The session keys from the master key (RFC 3711 section 4.3, RFC 6188 section 3 for 256 bits, RFC 7714 section 11 for
 * AEAD), derived once: no key derivation rate is ever agreed.
 */
export function deriveSessionKeys({ profile: name, master }: SrtpKey): { rtp: SessionKeys; rtcp: SessionKeys } {
  const profile = srtpProfile(name);
  const { keyBytes, saltBytes } = profile;
  if (master.length !== keyBytes + saltBytes)
    throw new RangeError(`a key of ${name} has ${keyBytes + saltBytes} bytes`);
  const masterSalt = master.subarray(keyBytes);
  const prf = new AesCounter(master.subarray(0, keyBytes));
  const derive = (label: number, length: number): Uint8Array => {
    const iv = new Uint8Array(16);
    // A salt of 96 bits stands at the left of the 112 that are meant (RFC 7714 section 11).
    iv.set(masterSalt);
    iv[7]! ^= label;
    return new Uint8Array(prf.keystream(iv, length).subarray(0, length));
  };
  const of = (first: number): SessionKeys => ({
    key: derive(first + ENCRYPTION, keyBytes),
    auth: profile.aead ? new Uint8Array(0) : derive(first + AUTHENTICATION, AUTH_KEY_BYTES),
    salt: derive(first + SALTING, saltBytes),
  });
  return { rtp: of(0), rtcp: of(RTCP) };
}
