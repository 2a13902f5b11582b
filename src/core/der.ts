/** One element of DER (X.690), as far as certificates and what belongs to them use it. */
export interface DerElement {
  tag: number;
  /** Its contents. */
  body: Buffer;
  /** Tag, length and contents. */
  whole: Buffer;
}

export const DER = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
  /** Constructed, context-specific: `[0]`, `[3]`. */
  CONTEXT_0: 0xa0,
  CONTEXT_3: 0xa3,
} as const;

/** The elements that stand one behind the other. @throws Error where the bytes are no DER */
export function derElements(bytes: Buffer): DerElement[] {
  const found: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    let length = bytes[at + 1] ?? 0x80;
    let start = at + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4 || start + count > bytes.length) throw new Error('no DER');
      length = bytes.readUIntBE(start, count);
      start += count;
    }
    const end = start + length;
    if (end > bytes.length) throw new Error('torn DER');
    found.push({ tag, body: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/** What is in the first element, which must be a sequence. @throws Error */
export function derSequence(bytes: Buffer): DerElement[] {
  const [first] = derElements(bytes);
  if (first?.tag !== DER.SEQUENCE) throw new Error('no DER sequence');
  return derElements(first.body);
}

/** UTCTime or GeneralizedTime in Zulu, as RFC 5280 4.1.2.5 has them, in milliseconds since 1970. @throws Error */
export function derTime({ tag, body }: DerElement): number {
  const text = body.toString('latin1');
  const match = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null || (tag === DER.GENERALIZED_TIME) !== (match[1] !== undefined)) throw new Error('no time');
  const [century, years, month, day, hour, minute, second] = match.slice(1);
  // Two digits: 1950 to 2049.
  const first = century ?? (Number(years) < 50 ? '20' : '19');
  return Date.parse(`${first}${years}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** An element with these contents, one behind the other: up to 65,535 octets. */
export function der(tag: number, ...parts: (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

/** Up to 127 in one octet; more behind the number of octets it takes. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}
