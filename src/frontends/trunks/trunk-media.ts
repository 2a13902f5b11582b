import { z } from 'zod';
import { CODEC_NAMES } from '../../media/codecs/codec.ts';
import type { MediaPolicy } from '../../media/sdp/media-policy.ts';

/** What sip-config/ says of the audio of a trunk's calls. */
export const trunkMedia = z.strictObject({
  encryption: z.enum(['off', 'optional', 'required'], 'must be off, optional or required').default('optional'),
  /** Keys of SRTP may stand in signalling that is not encrypted itself. */
  keysInClear: z.boolean().default(false),
  /** Silence of ours is comfort noise where the peer speaks of it (RFC 3389). */
  comfortNoise: z.boolean().default(false),
  /** Other than CODECS; the order rules in offers of ours. */
  codecs: z
    .array(z.enum(CODEC_NAMES))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'must name each codec once')
    .optional(),
});

export type TrunkMedia = z.output<typeof trunkMedia>;

/** `secure`: the signalling of the call is encrypted up to the peer. */
export function mediaPolicyOf(
  { encryption, keysInClear, comfortNoise, codecs }: TrunkMedia,
  secure: boolean,
): MediaPolicy {
  return { encryption, sdes: secure || keysInClear, comfortNoise, ...(codecs && { codecs }) };
}
