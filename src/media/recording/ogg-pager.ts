/** What one page may hold: 255 pieces of at most 255 bytes, the last of a packet shorter than that (RFC 3533 section 6). */
const MOST_SEGMENTS = 255;
const PIECE = 255;
const HEAD_BYTES = 27;
const FIRST = 0x02;
const LAST = 0x04;
export const MAX_PACKET_BYTES = MOST_SEGMENTS * PIECE - 1;

/** Polynomial 0x04c11db7, nothing reflected, begins and ends with 0: not the CRC of zlib (RFC 3533 section 6). */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc >>> 0;
});

/**
 * One logical stream of Ogg (RFC 3533): packets in, pages out. A packet stands whole in one page, so that each page can
 * be decoded by itself.
 */
export class OggPager {
  readonly #serial: number;
  #sequence = 0;
  #lacing: number[] = [];
  #packets: Uint8Array[] = [];
  #granule = 0;

  /** @param serial 32 bits that tell this stream from others */
  constructor(serial: number) {
    this.#serial = serial;
  }

  /**
   * Adds a packet (kept, not copied); `granule` is where the stream is after it. Returns the page before it when that has
   * no room for it. @throws RangeError when no page has
   */
  add(packet: Uint8Array, granule: number): Buffer | undefined {
    if (packet.length > MAX_PACKET_BYTES) throw new RangeError(`a packet of ${packet.length} bytes fits into no page`);
    const pieces = Math.floor(packet.length / PIECE);
    const full = this.#lacing.length + pieces + 1 > MOST_SEGMENTS ? this.page() : undefined;
    for (let i = 0; i < pieces; i++) this.#lacing.push(PIECE);
    this.#lacing.push(packet.length % PIECE);
    this.#packets.push(packet);
    this.#granule = granule;
    return full;
  }

  /** The page of what was added since the last one; `last`: the stream ends with it. */
  page(last = false): Buffer {
    const head = Buffer.alloc(HEAD_BYTES);
    head.write('OggS', 'latin1');
    head[5] = (this.#sequence === 0 ? FIRST : 0) | (last ? LAST : 0);
    head.writeBigUInt64LE(BigInt(this.#granule), 6);
    head.writeUInt32LE(this.#serial >>> 0, 14);
    head.writeUInt32LE(this.#sequence++, 18);
    head[26] = this.#lacing.length;
    const page = Buffer.concat([head, Uint8Array.from(this.#lacing), ...this.#packets]);
    let crc = 0;
    for (const byte of page) crc = (crc << 8) ^ CRC[(crc >>> 24) ^ byte]!;
    page.writeUInt32LE(crc >>> 0, 22);
    this.#lacing = [];
    this.#packets = [];
    return page;
  }
}
