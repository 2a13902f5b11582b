import type { TracedMessage } from '../call/record/sip-ladder.ts';
import { addressBytes, isIPv6Address } from '../core/ip-address.ts';

/** Of IP packets, before they would have to be fragmented. */
const LARGEST_SEGMENT = 32_000;
const ETHERNET = 1;
const UDP = 17;
const TCP = 6;

/**
 * SIP messages as a capture file that Wireshark, tshark and sngrep read: classic pcap, microseconds, Ethernet. The
 * frames around the messages are made up: datagrams for what came by UDP, segments of a running connection for the rest,
 * TLS and WebSocket without their wrapping.
 */
export function pcapOf(messages: readonly TracedMessage[]): Buffer {
  const streams = new Map<string, number>();
  const frames = messages.flatMap((message) => {
    const out = message.direction === 'out';
    const [from, to] = out ? [message.local, message.remote] : [message.remote, message.local];
    const payload = Buffer.from(message.text, 'latin1');
    if (message.protocol === 'udp') return [record(message.at, packet(UDP, from, to, datagram(from, to, payload)))];
    const [mine, theirs] = [`${key(from)}>${key(to)}`, `${key(to)}>${key(from)}`];
    const segments: Buffer[] = [];
    for (let start = 0; start < payload.length; start += LARGEST_SEGMENT) {
      const part = payload.subarray(start, start + LARGEST_SEGMENT);
      const seq = streams.get(mine) ?? 1;
      streams.set(mine, (seq + part.length) >>> 0);
      segments.push(record(message.at, packet(TCP, from, to, segment(from, to, part, seq, streams.get(theirs) ?? 1))));
    }
    return segments;
  });
  return Buffer.concat([fileHeader(), ...frames]);
}

type Place = TracedMessage['local'];

const key = ({ address, port }: Place): string => `${address}|${port}`;

function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(ETHERNET, 20);
  return header;
}

function record(at: number, frame: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(at / 1_000_000), 0);
  header.writeUInt32LE(at % 1_000_000, 4);
  header.writeUInt32LE(frame.length, 8);
  header.writeUInt32LE(frame.length, 12);
  return Buffer.concat([header, frame]);
}

function datagram(from: Place, to: Place, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  const whole = Buffer.concat([header, payload]);
  // 0 would say that there is no checksum (RFC 768).
  whole.writeUInt16BE(transportChecksum(UDP, from, to, whole) || 0xffff, 6);
  return whole;
}

function segment(from: Place, to: Place, payload: Buffer, seq: number, ack: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(seq, 4);
  header.writeUInt32BE(ack, 8);
  header[12] = 5 << 4;
  // PSH, ACK
  header[13] = 0x18;
  header.writeUInt16BE(0xffff, 14);
  const whole = Buffer.concat([header, payload]);
  whole.writeUInt16BE(transportChecksum(TCP, from, to, whole), 16);
  return whole;
}

/** An Ethernet frame with one IP packet. */
function packet(protocol: number, from: Place, to: Place, payload: Buffer): Buffer {
  const family = familyOf(from, to);
  const ethernet = Buffer.from(`020000000002020000000001${family === 6 ? '86dd' : '0800'}`, 'hex');
  const [source, target] = [bytesIn(family, from.address), bytesIn(family, to.address)];
  if (family === 6) {
    const header = Buffer.alloc(8);
    header[0] = 0x60;
    header.writeUInt16BE(payload.length, 4);
    header[6] = protocol;
    header[7] = 64;
    return Buffer.concat([ethernet, header, source, target, payload]);
  }
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  // Do not fragment.
  header[6] = 0x40;
  header[8] = 64;
  header[9] = protocol;
  header.writeUInt16BE(internetChecksum([header, source, target]), 10);
  return Buffer.concat([ethernet, header, source, target, payload]);
}

/** Over the pseudo-header too (RFC 768, RFC 9293 3.1, RFC 8200 8.1). */
function transportChecksum(protocol: number, from: Place, to: Place, whole: Buffer): number {
  const family = familyOf(from, to);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(protocol, 0);
  tail.writeUInt16BE(whole.length, 2);
  return internetChecksum([bytesIn(family, from.address), bytesIn(family, to.address), tail, whole]);
}

/** RFC 1071. Only the last part may be of odd length. */
function internetChecksum(parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    const even = part.length & ~1;
    for (let i = 0; i < even; i += 2) sum += part.readUInt16BE(i);
    if (even < part.length) sum += part[even]! << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** 4 or 16 bytes; what is no address becomes the unspecified one, IPv4 among IPv6 is mapped (RFC 4291 2.5.5.2). */
function bytesIn(family: 4 | 6, address: string): Buffer {
  const bytes = addressBytes(address) ?? Buffer.alloc(family === 6 ? 16 : 4);
  if (family === 4 || bytes.length === 16) return bytes;
  return Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), bytes]);
}

function familyOf(from: Place, to: Place): 4 | 6 {
  return isIPv6Address(from.address) || isIPv6Address(to.address) ? 6 : 4;
}
