import type { CodecName } from '../codecs/codec.ts';

/** How the audio of one trunk's calls is carried. */
export interface MediaPolicy {
  /** `off`: SRTP is refused. `optional`: as the peer likes. `required`: calls without are refused. */
  encryption: 'off' | 'optional' | 'required';
  /** May keys stand in the session description (SDES)? Not where others can read the signalling. */
  sdes: boolean;
  /** While the bot is silent the line carries descriptions of noise (RFC 3389) instead of packets of silence. */
  comfortNoise?: boolean;
  /** The peer is a browser: our offers speak ICE (lite) and DTLS-SRTP, or it would not look at them. */
  ice?: boolean | undefined;
  /** Other than those of the connector. */
  codecs?: readonly CodecName[] | undefined;
}

/** Where nothing is said. */
export const PLAIN_MEDIA: MediaPolicy = { encryption: 'off', sdes: false };
