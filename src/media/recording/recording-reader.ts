import { type FileHandle, open } from 'node:fs/promises';
import { WAV_HEADER_BYTES, wavHeader } from '../wav.ts';
import type { KeyRing } from './key-ring.ts';
import { CHANNELS } from './recording-buffer.ts';
import { damaged, isSealed, SealedReader } from './sealed-file.ts';

/** A recording as it is played, sealed on disk or not: any part of it can be read. */
export interface RecordingReader {
  /** Bytes as played, the WAV header included. */
  readonly size: number;
  /** `wav`, or `ogg` (Opus). */
  readonly format: 'wav' | 'ogg';
  readonly sealed: boolean;
  /** False: its writer died, or it was cut. Always true for plain files, of which nobody can tell. */
  readonly complete: boolean;
  /** Up to `length` bytes from `position`, at least one before the end. @throws Failure recording-damaged */
  read(position: number, length: number): Promise<Buffer>;
}

/** How the names of sealed files end: under such a name nothing else is taken. */
export const SEALED_SUFFIX = '.sealed';

/** Looks what kind of file it is. @throws Failure recording-key, recording-damaged */
export async function recordingReader(
  handle: FileHandle,
  path: string,
  ring: KeyRing | undefined,
): Promise<RecordingReader> {
  const { size } = await handle.stat();
  const head = Buffer.alloc(8);
  await handle.read(head, 0, head.length, 0);
  if (!isSealed(head)) {
    if (path.endsWith(SEALED_SUFFIX)) throw damaged('the file is not sealed, as its name says it is');
    return new PlainReader(handle, size, head.toString('latin1', 0, 4) === 'OggS' ? 'ogg' : 'wav');
  }
  const sealed = await SealedReader.open(handle, size, ring);
  return sealed.content === 'pcm' ? new SealedWavReader(sealed) : new SealedOggReader(sealed);
}

/** All from `from` to before `to`; less where the recording ends sooner. @throws Failure recording-damaged */
export async function readBetween(reader: RecordingReader, from: number, to: number): Promise<Buffer> {
  const end = Math.min(to, reader.size);
  const parts: Buffer[] = [];
  for (let at = from; at < end; ) {
    const part = await reader.read(at, end - at);
    if (part.length === 0) break;
    parts.push(part);
    at += part.length;
  }
  return Buffer.concat(parts);
}

class PlainReader implements RecordingReader {
  readonly sealed = false;
  readonly complete = true;
  readonly size: number;
  readonly format: 'wav' | 'ogg';
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, size: number, format: 'wav' | 'ogg') {
    this.#handle = handle;
    this.size = size;
    this.format = format;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - position)));
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, position);
    return bytes.subarray(0, bytesRead);
  }
}

class SealedOggReader implements RecordingReader {
  readonly sealed = true;
  readonly format = 'ogg';
  readonly #file: SealedReader;

  constructor(file: SealedReader) {
    this.#file = file;
  }

  get size(): number {
    return this.#file.size;
  }

  get complete(): boolean {
    return this.#file.complete;
  }

  read(position: number, length: number): Promise<Buffer> {
    return this.#file.read(position, length);
  }
}

/** What is sealed is the audio; the header before it follows from its size. */
class SealedWavReader implements RecordingReader {
  readonly sealed = true;
  readonly format = 'wav';
  readonly size: number;
  readonly #file: SealedReader;
  readonly #header: Buffer;

  constructor(file: SealedReader) {
    this.#file = file;
    this.#header = Buffer.from(wavHeader(CHANNELS, file.size));
    this.size = WAV_HEADER_BYTES + file.size;
  }

  get complete(): boolean {
    return this.#file.complete;
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (position < WAV_HEADER_BYTES) return this.#header.subarray(position, position + length);
    return this.#file.read(position - WAV_HEADER_BYTES, length);
  }
}

/** All of it, for what is small or not urgent. @throws Failure recording-damaged when it is not whole but has to be */
export async function readRecording(path: string, ring: KeyRing | undefined): Promise<Buffer>;
export async function readRecording(
  path: string,
  ring: KeyRing | undefined,
  options: { whole: false },
): Promise<{ bytes: Buffer; complete: boolean }>;
export async function readRecording(
  path: string,
  ring: KeyRing | undefined,
  options?: { whole: false },
): Promise<Buffer | { bytes: Buffer; complete: boolean }> {
  const handle = await open(path, 'r');
  try {
    const reader = await recordingReader(handle, path, ring);
    if (!reader.complete && options === undefined) throw damaged('the recording was cut off');
    const bytes = await readBetween(reader, 0, reader.size);
    if (bytes.length < reader.size) throw damaged('the recording ends before its end');
    return options === undefined ? bytes : { bytes, complete: reader.complete };
  } finally {
    await handle.close();
  }
}
