/** How the audio of one trunk's calls is carried. */
export interface MediaPolicy {
  /** `off`: SRTP is refused. `optional`: as the peer likes. `required`: calls without are refused. */
  encryption: 'off' | 'optional' | 'required';
  /** May keys stand in the session description (SDES)? Not where others can read the signalling. */
  sdes: boolean;
  /** While the bot is silent the line carries descriptions of noise (RFC 3389) instead of packets of silence. */
  comfortNoise?: boolean;
}

/** Where nothing is said. */
export const PLAIN_MEDIA: MediaPolicy = { encryption: 'off', sdes: false };
