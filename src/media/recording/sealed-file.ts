import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../core/errors.ts';
import { KEY_BYTES, type KeyRing } from './key-ring.ts';

/**
 * A file that is noise without its key, and of which any part can be read by itself:
 *
 *     header (256 bytes)    magic, chunk size, content, id of the master key, data key wrapped by it
 *     chunk 0, 1, ...       nonce (12), AES-256-GCM ciphertext, tag (16); all but the last are full
 *
 * Each file has a data key of its own. A chunk is authenticated with its number and with whether it is the last, so a
 * chunk that is changed, moved or missing is found out, and so is a file that was cut off. Nonces are random: a chunk
 * that is written again (another worker goes on after the first died) never uses one twice. The header is no part of
 * what chunks authenticate, so that the data key can be wrapped by another master key without touching the rest.
 */

const MAGIC = Buffer.from('SVCSEAL1', 'latin1');
export const HEADER_BYTES = 256;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CHUNK_OVERHEAD = NONCE_BYTES + TAG_BYTES;
const MAX_KEY_ID = 64;
const KEY_ID_AT = 16;
const WRAPPED_AT = KEY_ID_AT + MAX_KEY_ID;
const ALGORITHM = 'aes-256-gcm';

/** What is inside. */
const CONTENTS = { pcm: 1, ogg: 2, json: 3 } as const;
export type Content = keyof typeof CONTENTS;

/** What a writer needs: the header to begin the file with, and the key. Can be sent to another thread. */
export interface Seal {
  header: Uint8Array;
  key: Uint8Array;
  chunkBytes: number;
}

/** A new data key, wrapped by the current master key of the ring. */
export function newSeal(ring: KeyRing, content: Content, chunkBytes: number): Seal {
  const key = randomBytes(KEY_BYTES);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32BE(chunkBytes, 8);
  header[12] = CONTENTS[content];
  wrapInto(header, key, ring);
  return { header, key, chunkBytes };
}

/** Where chunk `index` begins in the file. */
export function chunkAt(chunkBytes: number, index: number): number {
  return HEADER_BYTES + index * (chunkBytes + CHUNK_OVERHEAD);
}

export function sealChunk(key: Uint8Array, index: number, last: boolean, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(place(index, last));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when it is not that chunk, or was changed. */
function openChunk(key: Uint8Array, index: number, last: boolean, sealed: Buffer): Buffer | undefined {
  if (sealed.length < CHUNK_OVERHEAD) return undefined;
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAAD(place(index, last));
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function place(index: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(index);
  bytes[4] = last ? 1 : 0;
  return bytes;
}

/** The whole of something small. */
export function sealWhole(seal: Seal, plain: Uint8Array): Buffer {
  const parts: Buffer[] = [Buffer.from(seal.header)];
  for (let start = 0, index = 0; ; start += seal.chunkBytes, index++) {
    const last = start + seal.chunkBytes >= plain.length;
    parts.push(sealChunk(seal.key, index, last, plain.subarray(start, start + seal.chunkBytes)));
    if (last) return Buffer.concat(parts);
  }
}

export function isSealed(head: Uint8Array): boolean {
  return head.length >= MAGIC.length && MAGIC.equals(head.subarray(0, MAGIC.length));
}

/** The id of the master key that a header's data key is wrapped by. */
export function keyIdOf(header: Buffer): string {
  return header.toString('utf8', KEY_ID_AT, KEY_ID_AT + Math.min(header[13] ?? 0, MAX_KEY_ID));
}

/** The same header with the data key wrapped by the ring's current master key. @throws Failure recording-key */
export function rewrapped(header: Buffer, ring: KeyRing): Buffer {
  const key = unwrap(header, ring);
  const renewed = Buffer.from(header);
  wrapInto(renewed, key, ring);
  return renewed;
}

function wrapInto(header: Buffer, key: Uint8Array, ring: KeyRing): void {
  const { id, key: master } = ring.current;
  const name = Buffer.from(id, 'utf8');
  if (name.length > MAX_KEY_ID) throw new RangeError(`the id of a key has more than ${MAX_KEY_ID} bytes`);
  header[13] = name.length;
  header.fill(0, KEY_ID_AT, HEADER_BYTES);
  name.copy(header, KEY_ID_AT);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, master, nonce);
  // The sizes and the key's id cannot be changed without being found out.
  cipher.setAAD(header.subarray(0, WRAPPED_AT));
  Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]).copy(header, WRAPPED_AT);
}

function unwrap(header: Buffer, ring: KeyRing): Buffer {
  const id = keyIdOf(header);
  const master = ring.find(id);
  if (master === undefined) throw keyFailure(`there is no key "${id.slice(0, MAX_KEY_ID)}" in RECORDING_KEY`);
  const wrapped = header.subarray(WRAPPED_AT, WRAPPED_AT + NONCE_BYTES + KEY_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, master, wrapped.subarray(0, NONCE_BYTES));
  decipher.setAAD(header.subarray(0, WRAPPED_AT));
  decipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw keyFailure(`key "${id}" of RECORDING_KEY is not the one this file was sealed with`, error);
  }
}

function keyFailure(message: string, cause?: unknown): Failure {
  return new Failure(message, { code: 'recording-key', blame: 'us', sipStatus: 500, cause });
}

export function damaged(message: string): Failure {
  return new Failure(message, { code: 'recording-damaged', blame: 'us', sipStatus: 500 });
}

/** Reads parts of a sealed file. */
export class SealedReader {
  /** Of the plaintext. */
  readonly size: number;
  readonly content: Content | undefined;
  readonly #handle: FileHandle;
  readonly #key: Buffer;
  readonly #chunkBytes: number;
  readonly #chunks: number;
  readonly #fileSize: number;
  #complete = false;
  /** The chunk read last: ranges are small, and players ask for the next bytes. */
  #held: { index: number; plain: Buffer } | undefined;

  private constructor(handle: FileHandle, fileSize: number, header: Buffer, key: Buffer) {
    this.#handle = handle;
    this.#fileSize = fileSize;
    this.#key = key;
    this.content = (Object.keys(CONTENTS) as Content[]).find((name) => CONTENTS[name] === header[12]);
    this.#chunkBytes = header.readUInt32BE(8);
    const stride = this.#chunkBytes + CHUNK_OVERHEAD;
    const body = Math.max(0, fileSize - HEADER_BYTES);
    const rest = body % stride;
    // Less than a nonce and a tag is what a crash left of a write.
    const partial = rest >= CHUNK_OVERHEAD ? rest - CHUNK_OVERHEAD : undefined;
    this.#chunks = Math.floor(body / stride) + (partial === undefined ? 0 : 1);
    this.size = Math.floor(body / stride) * this.#chunkBytes + (partial ?? 0);
  }

  /**
   * Opens a file that begins with the magic; reads its last chunk to see whether it is all there. A file whose writer
   * died ends with the last chunk that is whole. @throws Failure recording-key, recording-damaged
   */
  static async open(handle: FileHandle, fileSize: number, ring: KeyRing | undefined): Promise<SealedReader> {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || header.readUInt32BE(8) === 0) throw damaged('the header of the file is not whole');
    if (ring === undefined) throw keyFailure(`no RECORDING_KEY is set; the file needs key "${keyIdOf(header)}"`);
    const key = unwrap(header, ring);
    let reader = new SealedReader(handle, fileSize, header, key);
    const { seen, end } = await reader.#lookAtEnd();
    if (seen === 'torn') {
      // Half a chunk, from a write that never ended: the chunks before it count.
      reader = new SealedReader(handle, end, header, key);
      if ((await reader.#lookAtEnd()).seen === 'torn') throw damaged('the end of the file was changed');
    }
    reader.#complete = seen === 'last';
    return reader;
  }

  /** Does the last chunk say that it is the last? If not, its writer died, or somebody has cut the file. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Up to `length` bytes from `position`; fewer at a chunk's end. @throws Failure recording-damaged */
  async read(position: number, length: number): Promise<Buffer> {
    if (position >= this.size) return Buffer.alloc(0);
    const index = Math.floor(position / this.#chunkBytes);
    if (this.#held?.index !== index) this.#held = { index, plain: await this.#chunk(index) };
    const from = position - index * this.#chunkBytes;
    return this.#held.plain.subarray(from, from + length);
  }

  async #chunk(index: number): Promise<Buffer> {
    const sealed = await this.#sealed(index);
    const last = index === this.#chunks - 1;
    const plain = openChunk(this.#key, index, last && this.#complete, sealed);
    if (plain === undefined) throw damaged(`chunk ${index} of the file was changed, or is not where it belongs`);
    return plain;
  }

  async #sealed(index: number): Promise<Buffer> {
    const start = chunkAt(this.#chunkBytes, index);
    const sealed = Buffer.alloc(Math.min(this.#chunkBytes + CHUNK_OVERHEAD, this.#fileSize - start));
    const { bytesRead } = await this.#handle.read(sealed, 0, sealed.length, start);
    return sealed.subarray(0, bytesRead);
  }

  async #lookAtEnd(): Promise<{ seen: 'last' | 'more' | 'torn'; end: number }> {
    if (this.#chunks === 0) return { seen: 'more', end: HEADER_BYTES };
    const index = this.#chunks - 1;
    const sealed = await this.#sealed(index);
    if (openChunk(this.#key, index, true, sealed) !== undefined) return { seen: 'last', end: this.#fileSize };
    if (openChunk(this.#key, index, false, sealed) !== undefined) return { seen: 'more', end: this.#fileSize };
    return { seen: 'torn', end: chunkAt(this.#chunkBytes, index) };
  }
}
