import { type SrtpKey, type SrtpProfile, srtpProfile } from './profiles.ts';
import { deriveSessionKeys } from './session-keys.ts';
import { CounterModeTransform, GaloisTransform, type Transform } from './transforms.ts';

/** Header and sender's SSRC of RTCP: what stays readable. */
export const RTCP_READABLE_BYTES = 8;
/** The word behind RTCP: its highest bit says that the packet is encrypted, the others are its index. */
export const RTCP_WORD_BYTES = 4;
export const ENCRYPTED = 0x8000_0000;

/** The two transforms under one master key. */
export interface Protection {
  readonly profile: SrtpProfile;
  readonly rtp: Transform;
  readonly rtcp: Transform;
}

export function protectionOf(key: SrtpKey): Protection {
  const profile = srtpProfile(key.profile);
  const keys = deriveSessionKeys(key);
  return profile.aead
    ? { profile, rtp: new GaloisTransform(keys.rtp, false), rtcp: new GaloisTransform(keys.rtcp, true) }
    : {
        profile,
        rtp: new CounterModeTransform(keys.rtp, profile.rtpTagBytes, false),
        rtcp: new CounterModeTransform(keys.rtcp, profile.rtcpTagBytes, true),
      };
}
