import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { addressBytes } from '../../core/ip-address.ts';

/** STUN (RFC 8489), as far as ICE's connectivity checks need it (RFC 8445 section 7). */

const HEADER_BYTES = 20;
const COOKIE = 0x2112_a442;
export const BINDING_REQUEST = 0x0001;
export const BINDING_SUCCESS = 0x0101;
export const BINDING_ERROR = 0x0111;
const MAX_BYTES = 1500;

export const ATTRIBUTE = {
  USERNAME: 0x0006,
  MESSAGE_INTEGRITY: 0x0008,
  ERROR_CODE: 0x0009,
  UNKNOWN_ATTRIBUTES: 0x000a,
  XOR_MAPPED_ADDRESS: 0x0020,
  PRIORITY: 0x0024,
  USE_CANDIDATE: 0x0025,
  FINGERPRINT: 0x8028,
  ICE_CONTROLLED: 0x8029,
  ICE_CONTROLLING: 0x802a,
} as const;
/** Attributes below this have to be understood (RFC 8489 section 14). */
const MUST_KNOW_BELOW = 0x8000;
const KNOWN: ReadonlySet<number> = new Set(Object.values(ATTRIBUTE));
const FINGERPRINT_XOR = 0x5354_554e;
const INTEGRITY_BYTES = 20;

export interface StunMessage {
  type: number;
  transaction: Buffer;
  /** The first of each kind. */
  attributes: ReadonlyMap<number, Buffer>;
  /** Kinds that must be understood and are not. */
  unknown: number[];
  /** Where MESSAGE-INTEGRITY begins; what stands behind it, but for FINGERPRINT, counts as not there. */
  integrityAt: number | undefined;
  bytes: Buffer;
}

/** Is it STUN rather than DTLS or RTP on the same port (RFC 7983)? */
export function isStun(data: Uint8Array): boolean {
  return data.length >= HEADER_BYTES && data[0]! < 4;
}

/**
 * Undefined for what is no STUN, is torn, or has a wrong FINGERPRINT or none: connectivity checks have one (RFC 8445
 * section 7.1), and without it a changed length could hide it.
 */
export function parseStun(data: Uint8Array): StunMessage | undefined {
  if (data.length < HEADER_BYTES || data.length > MAX_BYTES || data.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes[0]! >= 4 || bytes.readUInt32BE(4) !== COOKIE) return undefined;
  if (bytes.readUInt16BE(2) !== bytes.length - HEADER_BYTES) return undefined;
  const attributes = new Map<number, Buffer>();
  const unknown: number[] = [];
  let integrityAt: number | undefined;
  let fingerprinted = false;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined;
    const kind = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 4 + length;
    if (end > bytes.length) return undefined;
    const value = bytes.subarray(at + 4, end);
    if (kind === ATTRIBUTE.FINGERPRINT) {
      if (length !== 4 || at + 8 !== bytes.length || value.readUInt32BE(0) !== fingerprint(bytes, at)) return undefined;
      fingerprinted = true;
    }
    if (integrityAt === undefined) {
      if (!attributes.has(kind)) attributes.set(kind, value);
      if (kind === ATTRIBUTE.MESSAGE_INTEGRITY) integrityAt = at;
      else if (kind < MUST_KNOW_BELOW && !KNOWN.has(kind) && !unknown.includes(kind)) unknown.push(kind);
    }
    at = end + (-length & 3);
  }
  if (!fingerprinted) return undefined;
  return { type: bytes.readUInt16BE(0), transaction: bytes.subarray(8, 20), attributes, unknown, integrityAt, bytes };
}

/** Was it made by who knows the password (short-term credentials, RFC 8489 section 9.1)? */
export function isAuthentic({ bytes, integrityAt, attributes }: StunMessage, password: string): boolean {
  const value = attributes.get(ATTRIBUTE.MESSAGE_INTEGRITY);
  if (integrityAt === undefined || value?.length !== INTEGRITY_BYTES) return false;
  return timingSafeEqual(integrity(bytes, integrityAt, password), value);
}

/** A message with FINGERPRINT, and MESSAGE-INTEGRITY when there is a password. */
export function buildStun(
  type: number,
  transaction: Uint8Array,
  attributes: readonly (readonly [kind: number, value: Uint8Array])[],
  password?: string,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(COOKIE, 4);
  header.set(transaction, 8);
  let message = Buffer.concat([header, ...attributes.map(([kind, value]) => attribute(kind, value))]);
  if (password !== undefined) {
    const value = integrity(message, message.length, password);
    message = Buffer.concat([message, attribute(ATTRIBUTE.MESSAGE_INTEGRITY, value)]);
  }
  message.writeUInt16BE(message.length - HEADER_BYTES + 8, 2);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(fingerprint(message, message.length), 0);
  return Buffer.concat([message, attribute(ATTRIBUTE.FINGERPRINT, check)]);
}

/** Value of XOR-MAPPED-ADDRESS (RFC 8489 section 14.2); `address` is one that a packet came from. */
export function xorAddress(address: string, port: number, transaction: Uint8Array): Buffer {
  const plain = addressBytes(address) ?? Buffer.alloc(4);
  const mask = Buffer.concat([Buffer.from([0x21, 0x12, 0xa4, 0x42]), transaction]);
  const value = Buffer.alloc(4 + plain.length);
  value[1] = plain.length === 4 ? 1 : 2;
  value.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  for (let i = 0; i < plain.length; i++) value[4 + i] = plain[i]! ^ mask[i]!;
  return value;
}

/** Value of ERROR-CODE. */
export function errorCode(code: number, reason: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, Math.floor(code / 100), code % 100]), Buffer.from(reason)]);
}

function attribute(kind: number, value: Uint8Array): Buffer {
  const out = Buffer.alloc(4 + value.length + (-value.length & 3));
  out.writeUInt16BE(kind, 0);
  out.writeUInt16BE(value.length, 2);
  out.set(value, 4);
  return out;
}

/** The length in the header is counted up to the attribute itself, whatever follows (RFC 8489 section 14.5). */
function integrity(bytes: Buffer, at: number, password: string): Buffer {
  const before = Buffer.from(bytes.subarray(0, at));
  before.writeUInt16BE(at - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2);
  return createHmac('sha1', password).update(before).digest();
}

function fingerprint(bytes: Buffer, at: number): number {
  return (crc32(bytes.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0;
}
