/** SRTP's protection profiles by their names in SDES (RFC 4568 section 6.2, RFC 6188, RFC 7714), best liked first. */
export const SRTP_PROFILES = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_80',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
  'AES_CM_128_HMAC_SHA1_32',
] as const;

export type SrtpProfileName = (typeof SRTP_PROFILES)[number];

export interface SrtpProfile {
  readonly name: SrtpProfileName;
  readonly aead: boolean;
  /** Bytes, of the master key and of the session keys alike. */
  readonly keyBytes: number;
  readonly saltBytes: number;
  /** Bytes of the authentication tag of RTP and of RTCP. */
  readonly rtpTagBytes: number;
  readonly rtcpTagBytes: number;
  /** As use_srtp names it (RFC 5764 section 4.1.2, RFC 7714 section 14.2); undefined where DTLS has no name for it. */
  readonly dtlsId: number | undefined;
}

/** Session keys of HMAC-SHA1. */
export const AUTH_KEY_BYTES = 20;

function counterMode(name: SrtpProfileName, keyBytes: number, rtpTagBytes: number, dtlsId?: number): SrtpProfile {
  // RTCP's tag has 80 bits also where RTP's has 32 (RFC 4568 section 6.2.2).
  return { name, aead: false, keyBytes, saltBytes: 14, rtpTagBytes, rtcpTagBytes: 10, dtlsId };
}

function galois(name: SrtpProfileName, keyBytes: number, dtlsId: number): SrtpProfile {
  return { name, aead: true, keyBytes, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16, dtlsId };
}

const PROFILES: Readonly<Record<SrtpProfileName, SrtpProfile>> = {
  AES_CM_128_HMAC_SHA1_80: counterMode('AES_CM_128_HMAC_SHA1_80', 16, 10, 0x0001),
  AES_CM_128_HMAC_SHA1_32: counterMode('AES_CM_128_HMAC_SHA1_32', 16, 4, 0x0002),
  AES_256_CM_HMAC_SHA1_80: counterMode('AES_256_CM_HMAC_SHA1_80', 32, 10),
  AEAD_AES_128_GCM: galois('AEAD_AES_128_GCM', 16, 0x0007),
  AEAD_AES_256_GCM: galois('AEAD_AES_256_GCM', 32, 0x0008),
};

export function srtpProfile(name: SrtpProfileName): SrtpProfile {
  return PROFILES[name];
}

/** A master key with its salt behind it, as SDES and DTLS hand it out, and the profile it is for. */
export interface SrtpKey {
  profile: SrtpProfileName;
  /** keyBytes of key, saltBytes of salt. */
  master: Uint8Array;
  /** The master key identifier at the end of each packet, when one was agreed (RFC 3711 section 3.1). */
  mki?: Uint8Array;
}
