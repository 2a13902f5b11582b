/** Fixed part of the RTP header (RFC 3550 section 5.1). */
export const RTP_HEADER_BYTES = 12;

const NOTHING = new Uint8Array(0);

/** An RTP packet as a view: the payload is `data[payloadOffset .. payloadOffset + payloadLength)`, nothing is copied. */
export class RtpPacket {
  payloadType = 0;
  marker = false;
  /** 16 bit, wraps. */
  sequence = 0;
  /** 32 bit, wraps. */
  timestamp = 0;
  ssrc = 0;
  data: Uint8Array = NOTHING;
  payloadOffset = 0;
  /** Bytes. */
  payloadLength = 0;
  /** The timestamp at 8 kHz, whatever the payload's clock: what buffers count in. 32 bit, wraps. */
  time = 0;
  /** Audio in it, samples at 8 kHz; right for codecs of 64 kbit/s until somebody who knows the payload says otherwise. */
  samples = 0;
}

/** Where the payload of RTP begins: behind contributing sources and extension; beyond `length` when there is no room. */
export function payloadOffset(data: Uint8Array, length: number): number {
  if (length < RTP_HEADER_BYTES) return length + 1;
  const offset = RTP_HEADER_BYTES + (data[0]! & 0x0f) * 4;
  if ((data[0]! & 0x10) === 0) return offset;
  if (length < offset + 4) return length + 1;
  return offset + 4 + ((data[offset + 2]! << 8) | data[offset + 3]!) * 4;
}

/** As readRtp, as a packet of its own; undefined when it is none. */
export function parseRtp(data: Uint8Array): RtpPacket | undefined {
  const packet = new RtpPacket();
  return readRtp(data, packet) ? packet : undefined;
}

/**
 * Parses a datagram (RFC 3550 section 5.1) into `packet`, which may be used again and again. False when it is no RTP: too
 * short for its own header, version other than 2, impossible padding, or RTCP that shares the port (RFC 5761 section 4:
 * second byte 192..223).
 */
export function readRtp(data: Uint8Array, packet: RtpPacket): boolean {
  const length = data.length;
  if (length < RTP_HEADER_BYTES) return false;
  const first = data[0]!;
  if (first >> 6 !== 2) return false;
  const second = data[1]!;
  if (second >= 192 && second <= 223) return false;
  const offset = payloadOffset(data, length);
  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = data[length - 1]!;
    if (padding === 0) return false;
    end -= padding;
  }
  if (end < offset) return false;
  const timestamp = ((data[4]! << 24) | (data[5]! << 16) | (data[6]! << 8) | data[7]!) >>> 0;
  packet.payloadType = second & 0x7f;
  packet.marker = second >= 0x80;
  packet.sequence = (data[2]! << 8) | data[3]!;
  packet.timestamp = timestamp;
  packet.ssrc = ((data[8]! << 24) | (data[9]! << 16) | (data[10]! << 8) | data[11]!) >>> 0;
  packet.data = data;
  packet.payloadOffset = offset;
  packet.payloadLength = end - offset;
  packet.time = timestamp;
  packet.samples = end - offset;
  return true;
}

/** Writes the 12 fixed header bytes in place; values are taken modulo their field's width. */
export function writeRtpHeader(
  target: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  target[0] = 0x80;
  target[1] = (marker ? 0x80 : 0) | (payloadType & 0x7f);
  target[2] = sequence >>> 8;
  target[3] = sequence;
  target[4] = timestamp >>> 24;
  target[5] = timestamp >>> 16;
  target[6] = timestamp >>> 8;
  target[7] = timestamp;
  target[8] = ssrc >>> 24;
  target[9] = ssrc >>> 16;
  target[10] = ssrc >>> 8;
  target[11] = ssrc;
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

/** A whole packet in a buffer of its own. The hot path writes headers in place instead; this is for everybody else. */
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
