import { RTP_HEADER_BYTES } from '../rtp-packet.ts';
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
        rtp: new CounterModeTransform(keys.rtp, profile.rtpTagBytes),
        rtcp: new CounterModeTransform(keys.rtcp, profile.rtcpTagBytes),
      };
}

/** Where the payload of RTP begins: behind contributing sources and extension; beyond `length` when there is no room. */
export function payloadOffset(data: Uint8Array, length: number): number {
  if (length < RTP_HEADER_BYTES) return length + 1;
  const offset = RTP_HEADER_BYTES + (data[0]! & 0x0f) * 4;
  if ((data[0]! & 0x10) === 0) return offset;
  if (length < offset + 4) return length + 1;
  return offset + 4 + ((data[offset + 2]! << 8) | data[offset + 3]!) * 4;
}

export function readWord(data: Uint8Array, at: number): number {
  return ((data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
}

export function writeWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
}
