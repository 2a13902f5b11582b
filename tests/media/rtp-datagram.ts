import { RTP_HEADER_BYTES, RtpPacket, readRtp, writeRtpHeader } from '../../src/media/rtp/rtp-packet.ts';

/** RTP datagrams of every form, made and read whole. The connector writes headers in place and reads into packets it has. */

/** As readRtp, as a packet of its own; undefined when it is none. */
export function parseRtp(data: Uint8Array): RtpPacket | undefined {
  const packet = new RtpPacket();
  return readRtp(data, packet) ? packet : undefined;
}

export interface RtpFields {
  payloadType: number;
  marker?: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payload: Uint8Array;
  csrcs?: readonly number[];
  /** RFC 3550 section 5.3.1; data is padded with zeros to whole words. */
  extension?: { profile: number; data: Uint8Array };
  /** Bytes of padding to append, 1..255. */
  padding?: number;
}

/** A whole packet in a buffer of its own. */
export function buildRtp(fields: RtpFields): Uint8Array {
  const csrcs = fields.csrcs ?? [];
  if (csrcs.length > 15) throw new RangeError('an RTP packet has at most 15 contributing sources');
  const extensionWords = fields.extension ? Math.ceil(fields.extension.data.length / 4) : 0;
  const extensionBytes = fields.extension ? 4 + extensionWords * 4 : 0;
  const padding = fields.padding ?? 0;
  if (padding < 0 || padding > 255) throw new RangeError('RTP padding is 1..255 bytes');
  const payloadOffset = RTP_HEADER_BYTES + csrcs.length * 4 + extensionBytes;
  const packet = new Uint8Array(payloadOffset + fields.payload.length + padding);
  const view = new DataView(packet.buffer);
  writeRtpHeader(
    packet,
    fields.payloadType,
    fields.marker ?? false,
    fields.sequence,
    fields.timestamp >>> 0,
    fields.ssrc,
  );
  packet[0]! |= csrcs.length | (fields.extension ? 0x10 : 0) | (padding > 0 ? 0x20 : 0);
  csrcs.forEach((csrc, i) => {
    view.setUint32(RTP_HEADER_BYTES + i * 4, csrc);
  });
  if (fields.extension) {
    const at = RTP_HEADER_BYTES + csrcs.length * 4;
    view.setUint16(at, fields.extension.profile);
    view.setUint16(at + 2, extensionWords);
    packet.set(fields.extension.data, at + 4);
  }
  packet.set(fields.payload, payloadOffset);
  if (padding > 0) packet[packet.length - 1] = padding;
  return packet;
}
