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
