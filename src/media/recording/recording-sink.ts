import fs from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../../core/errors.ts';
import { onceAsked } from '../../core/once-asked.ts';
import { WAV_HEADER_BYTES, wavHeader } from '../wav.ts';
import { CHANNELS, SECOND_BYTES } from './recording-buffer.ts';
import { chunkAt, type Seal, sealChunk } from './sealed-file.ts';

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
  /**
   * All that is left from this second on, and the end: the last piece is less than a second, or nothing. Resolves with the
   * bytes of audio, its WAV header included.
   */
  finish(second: number, pieces: readonly Uint8Array[]): Promise<number>;
  /** Idempotent: its number may be another file's as soon as it is closed. Not while anything is being written. */
  close(): Promise<void>;
}

/** `goesOn`: another worker has begun it; where that one died before it had made the file, this one makes it. */
export async function openSink({ path, seal }: RecordingSpec, goesOn: boolean): Promise<RecordingSink> {
  const file = await openFile(path, goesOn ? 'r+' : 'w');
  return seal === undefined ? new WavSink(file, goesOn) : new SealedSink(file, seal, goesOn);
}

/** By its number: a FileHandle, which closes what was forgotten, costs a short call more than writing does. */
type File = number;

const open = promisify(fs.open);
const writev = promisify(fs.writev);
const write = promisify(fs.write);
const truncate = promisify(fs.ftruncate);
const close = promisify(fs.close);

/** The folder is one of a day: it is there for all calls but the first. */
async function openFile(path: string, flags: 'r+' | 'w'): Promise<File> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, 'w', 0o600);
  }
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/** One system call for what stands together in the file. */
async function writeAt(file: File, position: number, ...parts: Uint8Array[]): Promise<void> {
  const length = lengthOf(parts);
  if (length === 0) return;
  const { bytesWritten } = await writev(file, parts, position);
  // A full disk takes a part, and says what is wrong when it is asked again.
  if (bytesWritten < length) {
    const rest = Buffer.concat(parts).subarray(bytesWritten);
    for (let at = 0; at < rest.length; ) {
      at += (await write(file, rest, at, rest.length - at, position + bytesWritten + at)).bytesWritten;
    }
  }
}

/** The header is brought up to date this often, so that the file is playable if the process dies. */
const HEADER_EVERY_SECONDS = 5;

class WavSink implements RecordingSink {
  readonly close: () => Promise<void>;
  readonly #file: File;
  readonly #goesOn: boolean;
  #sinceHeader = 0;

  constructor(file: File, goesOn: boolean) {
    this.#file = file;
    this.close = onceAsked(() => close(file));
    this.#goesOn = goesOn;
  }

  async write(second: number, bytes: Uint8Array): Promise<void> {
    // Without a length the audio reaches to the end of the file.
    if (second === 0) await writeAt(this.#file, 0, wavHeader(CHANNELS, 0), bytes);
    else await writeAt(this.#file, WAV_HEADER_BYTES + second * SECOND_BYTES, bytes);
    if (++this.#sinceHeader < HEADER_EVERY_SECONDS) return;
    this.#sinceHeader = 0;
    await writeAt(this.#file, 0, wavHeader(CHANNELS, second * SECOND_BYTES + bytes.length));
  }

  async finish(second: number, pieces: readonly Uint8Array[]): Promise<number> {
    const end = second * SECOND_BYTES + lengthOf(pieces);
    const header = wavHeader(CHANNELS, end);
    if (second === 0) await writeAt(this.#file, 0, header, ...pieces);
    else {
      await writeAt(this.#file, WAV_HEADER_BYTES + second * SECOND_BYTES, ...pieces);
      await writeAt(this.#file, 0, header);
    }
    if (this.#goesOn) await truncate(this.#file, WAV_HEADER_BYTES + end);
    return WAV_HEADER_BYTES + end;
  }
}

/** A chunk is a second. The WAV header is not stored: a reader makes it. */
class SealedSink implements RecordingSink {
  readonly close: () => Promise<void>;
  readonly #file: File;
  readonly #seal: Seal;
  readonly #goesOn: boolean;

  constructor(file: File, seal: Seal, goesOn: boolean) {
    this.#file = file;
    this.close = onceAsked(() => close(file));
    this.#seal = seal;
    this.#goesOn = goesOn;
  }

  async write(second: number, bytes: Uint8Array): Promise<void> {
    await this.#chunks(second, [sealChunk(this.#seal.key, second, false, bytes)]);
  }

  async finish(second: number, pieces: readonly Uint8Array[]): Promise<number> {
    const last = pieces.length - 1;
    const sealed = pieces.map((piece, i) => sealChunk(this.#seal.key, second + i, i === last, piece));
    await this.#chunks(second, sealed);
    if (this.#goesOn) await truncate(this.#file, chunkAt(SECOND_BYTES, second) + lengthOf(sealed));
    return WAV_HEADER_BYTES + second * SECOND_BYTES + lengthOf(pieces);
  }

  /** The file's own header goes with its first chunk. */
  async #chunks(second: number, sealed: readonly Uint8Array[]): Promise<void> {
    if (second === 0) await writeAt(this.#file, 0, this.#seal.header, ...sealed);
    else await writeAt(this.#file, chunkAt(SECOND_BYTES, second), ...sealed);
  }
}
