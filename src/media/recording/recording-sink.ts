import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WAV_HEADER_BYTES, wavHeader } from '../wav.ts';
import { CHANNELS, SECOND_BYTES } from './recording-buffer.ts';
import { chunkAt, HEADER_BYTES, type Seal, sealChunk } from './sealed-file.ts';

/** A recording as it is to be written. Can be sent to another thread. */
export interface RecordingSpec {
  path: string;
  /** Undefined: a plain WAV file. */
  seal: Seal | undefined;
  /** Of the last seconds: see RecordingBuffer. */
  buffer: SharedArrayBuffer;
}

/** Where seconds of a recording go, each to its own place: what is written again replaces itself. */
export interface RecordingSink {
  /** A second that is not the last. */
  write(second: number, bytes: Uint8Array): Promise<void>;
  /** The rest, less than a second or none, and the end. Resolves with the bytes of audio, its WAV header included. */
  finish(second: number, rest: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** `goesOn`: the file is there, and another worker has begun it. */
export async function openSink({ path, seal }: RecordingSpec, goesOn: boolean): Promise<RecordingSink> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Where the first worker died before it had made the file, this one makes it.
  const file = await open(path, goesOn ? 'r+' : 'w', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (goesOn && error.code === 'ENOENT') return open(path, 'w', 0o600);
    throw error;
  });
  const sink = seal === undefined ? new WavSink(file) : new SealedSink(file, seal);
  try {
    await sink.begin();
  } catch (error) {
    await sink.close().catch(() => undefined);
    throw error;
  }
  return sink;
}

/** The header is brought up to date this often, so that the file is playable if the process dies. */
const HEADER_EVERY_SECONDS = 5;

class WavSink implements RecordingSink {
  readonly #file: FileHandle;
  #sinceHeader = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async begin(): Promise<void> {
    if ((await this.#file.stat()).size === 0) await this.#header(0);
  }

  async write(second: number, bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, WAV_HEADER_BYTES + second * SECOND_BYTES);
    if (++this.#sinceHeader < HEADER_EVERY_SECONDS) return;
    this.#sinceHeader = 0;
    await this.#header(second * SECOND_BYTES + bytes.length);
  }

  async finish(second: number, rest: Uint8Array): Promise<number> {
    const end = second * SECOND_BYTES + rest.length;
    await this.#file.write(rest, 0, rest.length, WAV_HEADER_BYTES + second * SECOND_BYTES);
    await this.#header(end);
    await this.#file.truncate(WAV_HEADER_BYTES + end);
    return WAV_HEADER_BYTES + end;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #header(dataBytes: number): Promise<void> {
    const header = wavHeader(CHANNELS, dataBytes);
    await this.#file.write(header, 0, header.length, 0);
  }
}

/** A chunk is a second. The WAV header is not stored: a reader makes it. */
class SealedSink implements RecordingSink {
  readonly #file: FileHandle;
  readonly #seal: Seal;

  constructor(file: FileHandle, seal: Seal) {
    this.#file = file;
    this.#seal = seal;
  }

  async begin(): Promise<void> {
    await this.#file.write(this.#seal.header, 0, HEADER_BYTES, 0);
  }

  async write(second: number, bytes: Uint8Array): Promise<void> {
    const sealed = sealChunk(this.#seal.key, second, false, bytes);
    await this.#file.write(sealed, 0, sealed.length, chunkAt(SECOND_BYTES, second));
  }

  async finish(second: number, rest: Uint8Array): Promise<number> {
    const sealed = sealChunk(this.#seal.key, second, true, rest);
    const at = chunkAt(SECOND_BYTES, second);
    await this.#file.write(sealed, 0, sealed.length, at);
    await this.#file.truncate(at + sealed.length);
    return WAV_HEADER_BYTES + second * SECOND_BYTES + rest.length;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
