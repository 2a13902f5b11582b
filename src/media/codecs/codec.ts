import type { Ms } from '../../core/clock.ts';
import type { Pcm } from '../audio.ts';

export const CODEC_NAMES = ['PCMU', 'PCMA', 'G722', 'opus'] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

/**
 * One way of carrying speech over RTP. Inside all audio is 8 kHz (audio.ts): a codec decodes into it and encodes from
 * it by itself, so nothing is resampled twice.
 */
export interface Codec {
  readonly name: CodecName;
  /** Units of the RTP timestamp per second, not always the sampling rate: RFC 3551 section 4.5.2, RFC 7587 section 4.1. */
  readonly clockRate: 8000 | 48_000;
  /** What rtpmap says behind the clock rate; undefined is mono. */
  readonly channels?: 2;
  /** RFC 3551 table 4; undefined: a dynamic number. */
  readonly staticPayloadType?: number;
  /** What we ask of the sender, the value of a=fmtp. */
  readonly format?: string;
  /** The packet time we can send that is nearest to the wish and not longer; 10 to 60 ms. */
  packetMs(wish: Ms): Ms;
  /** The most octets that a payload of so many samples (at 8 kHz) has. */
  maxBytes(packetSamples: number): number;
  /** Samples at 8 kHz that a payload decodes to, without decoding it; 0 when it cannot be one of this codec. */
  samplesIn(data: Uint8Array, offset: number, length: number): number;
  decoder(): AudioDecoder;
  /** `packetSamples`: length of a packet at 8 kHz. `format`: what the peer asked of us, the value of its a=fmtp. */
  encoder(packetSamples: number, format?: string): AudioEncoder;
}

/** State of one received stream. */
export interface AudioDecoder {
  readonly codec: Codec;
  /** Writes the decoded samples into `out` from `at`; their number, 0 when the payload is damaged. */
  decode(data: Uint8Array, offset: number, length: number, out: Pcm, at: number): number;
  /** The codec's own concealment of `length` lost samples. False (or absent): it has none for this, conceal in PCM. */
  conceal?(out: Pcm, at: number, length: number): boolean;
  /**
   * The `length` samples lost before a packet, by what that packet says of them again. False (or absent): it says nothing.
   * The packet itself is decoded afterwards as any other.
   */
  recover?(data: Uint8Array, offset: number, bytes: number, out: Pcm, at: number, length: number): boolean;
  /** Idempotent; not to be used afterwards. */
  close(): void;
}

/** State of one sent stream. */
export interface AudioEncoder {
  readonly codec: Codec;
  /**
   * Takes `length` samples of `pcm` from `from` (undefined: silence) and writes into `out` from `at`; the number of
   * bytes written. Codecs that work on whole packets write all of it with the packet's last samples.
   */
  encode(pcm: Pcm | undefined, from: number, length: number, out: Uint8Array, at: number): number;
  /** Forgets the part of a packet that was taken. */
  drop(): void;
  /** Idempotent; not to be used afterwards. */
  close(): void;
}

/** In steps of 10 ms: codecs that can be cut anywhere. */
export function anyPacketMs(wish: Ms): Ms {
  return Math.max(10, Math.min(60, Math.floor(wish / 10) * 10));
}
