/** RTP (RFC 3550 section 5.1) and telephone-event payloads (RFC 4733 section 2.3), as the phone builds and reads them. */
export interface RtpFields {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

export function buildRtp(fields: RtpFields): Buffer {
  const packet = Buffer.alloc(12 + fields.payload.length);
  packet[0] = 0x80;
  packet[1] = (fields.marker ? 0x80 : 0) | fields.payloadType;
  packet.writeUInt16BE(fields.sequence & 0xffff, 2);
  packet.writeUInt32BE(fields.timestamp >>> 0, 4);
  packet.writeUInt32BE(fields.ssrc >>> 0, 8);
  packet.set(fields.payload, 12);
  return packet;
}

/** Undefined for what is no RTP version 2 packet (STUN, RTCP, noise). */
export function parseRtp(data: Buffer): RtpFields | undefined {
  if (data.length < 12 || data[0]! >> 6 !== 2) return undefined;
  const payloadType = data[1]! & 0x7f;
  if (payloadType >= 72 && payloadType <= 76) return undefined; // RTCP on the same port (RFC 5761)
  let start = 12 + 4 * (data[0]! & 0x0f);
  if (data[0]! & 0x10) {
    if (data.length < start + 4) return undefined;
    start += 4 + 4 * data.readUInt16BE(start + 2);
  }
  const end = data[0]! & 0x20 ? data.length - data[data.length - 1]! : data.length;
  if (start > end) return undefined;
  return {
    payloadType,
    marker: (data[1]! & 0x80) !== 0,
    sequence: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.subarray(start, end),
  };
}

const EVENTS = '0123456789*#ABCD';

export function eventOf(digit: string): number {
  const event = EVENTS.indexOf(digit.toUpperCase());
  if (event < 0 || digit.length !== 1) throw new Error(`no such key: ${digit}`);
  return event;
}

export function digitOf(event: number): string | undefined {
  return EVENTS[event];
}

/** `duration` in timestamp units. */
export function buildEvent(event: number, end: boolean, volume: number, duration: number): Uint8Array {
  return Uint8Array.of(event, (end ? 0x80 : 0) | (volume & 0x3f), (duration >> 8) & 0xff, duration & 0xff);
}
