import type { CodecName } from '../codecs/codec.ts';
import type { Fingerprint } from '../dtls/fingerprint.ts';
import type { CryptoAttribute } from './sdp-crypto.ts';

export type MediaTransport = 'plain' | 'srtp' | 'dtls';

/** What one audio m-line of the peer says that concerns us. */
export interface AudioDescription {
  /** Index of its m-line. */
  index: number;
  protocol: string;
  /** What the protocol says of encryption. */
  transport: MediaTransport;
  /** Certificates it may show, and who begins (RFC 8842). */
  dtls: { fingerprints: Fingerprint[]; setup: 'actpass' | 'active' | 'passive' } | undefined;
  /** It looks for the way by ICE. */
  ice: { ufrag: string } | undefined;
  /** Its name among the m-lines (RFC 5888), and whether it is to share its port with others (RFC 8843). */
  mid: string | undefined;
  bundled: boolean;
  /** Keys for SRTP that stand in it. */
  crypto: CryptoAttribute[];
  address: string;
  port: number;
  /** Formats we speak in the peer's order of preference; `format` is what it asks of our encoder (a=fmtp). */
  codecs: OfferedCodec[];
  telephoneEvents: { payloadType: number; clockRate: number }[];
  comfortNoise: number | undefined;
  ptimeMs: number;
  /** Where its RTCP goes when that is not the port above RTP's (RFC 3605). */
  rtcp: { port: number; address?: string } | undefined;
  /** RTP and RTCP on one port (RFC 5761). */
  rtcpMux: boolean;
  /** It speaks of VoIP metrics in extended reports (RFC 3611 section 5.1). */
  voipMetrics: boolean;
  /** From the peer's side. */
  sends: boolean;
  receives: boolean;
}

export interface OfferedCodec {
  codec: CodecName;
  payloadType: number;
  format?: string;
}
