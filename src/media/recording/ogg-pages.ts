import { type RecordingReader, readBetween } from './recording-reader.ts';
import { damaged } from './sealed-file.ts';

const HEAD_BYTES = 27;
/** A page has no more (RFC 3533 section 6). */
const MOST_BYTES = HEAD_BYTES + 255 + 255 * 255;

/** The pages of one logical stream of Ogg, one after the other, as OggPager writes them: no packet goes over the end of a page. */
export class OggPages {
  readonly #reader: RecordingReader;
  #at = 0;
  /** Of the file, from `#heldAt` on. */
  #held: Buffer = Buffer.alloc(0);
  #heldAt = 0;

  constructor(reader: RecordingReader) {
    this.#reader = reader;
  }

  /** The packets of the next one; undefined behind the last one. @throws Failure recording-damaged */
  async next(): Promise<readonly Buffer[] | undefined> {
    if (this.#at >= this.#reader.size) return undefined;
    const head = await this.#bytes(HEAD_BYTES);
    if (head.toString('latin1', 0, 4) !== 'OggS') throw damaged('what follows a page is none');
    const segments = head[26]!;
    const lacing = (await this.#bytes(HEAD_BYTES + segments)).subarray(HEAD_BYTES);
    const bodyBytes = lacing.reduce((sum, bytes) => sum + bytes, 0);
    const page = await this.#bytes(HEAD_BYTES + segments + bodyBytes);
    const packets: Buffer[] = [];
    let begin = HEAD_BYTES + segments;
    let end = begin;
    for (const bytes of lacing) {
      end += bytes;
      // Shorter than a whole piece: the packet ends (section 5).
      if (bytes === 255) continue;
      packets.push(page.subarray(begin, end));
      begin = end;
    }
    this.#at += page.length;
    return packets;
  }

  /** So many of this page. */
  async #bytes(length: number): Promise<Buffer> {
    const from = this.#at - this.#heldAt;
    if (from + length > this.#held.length) {
      this.#held = await readBetween(this.#reader, this.#at, this.#at + MOST_BYTES);
      this.#heldAt = this.#at;
      if (this.#held.length < length) throw damaged('the recording ends in the middle of a page');
      return this.#held.subarray(0, length);
    }
    return this.#held.subarray(from, from + length);
  }
}
