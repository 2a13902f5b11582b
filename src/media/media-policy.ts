/** How calls of one trunk are to be encrypted. */
export interface MediaPolicy {
  /** `off`: SRTP is refused. `optional`: as the peer likes. `required`: calls without are refused. */
  encryption: 'off' | 'optional' | 'required';
  /** May keys stand in the session description (SDES)? Not where others can read the signalling. */
  sdes: boolean;
}

/** Where nothing is said. */
export const PLAIN_MEDIA: MediaPolicy = { encryption: 'off', sdes: false };
