import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Failure } from '../../core/errors.ts';
import { FRAME_SAMPLES } from '../audio.ts';
import { WAV_HEADER_BYTES } from '../wav.ts';
import type { KeyRing } from './key-ring.ts';
import { OggOpusStream } from './ogg-opus.ts';
import { computePeaks, storePeaks } from './peaks.ts';
import { CHANNELS, SECOND_BYTES } from './recording-buffer.ts';
import { type RecordingReader, recordingReader } from './recording-reader.ts';
import { type Seal, sealChunk } from './sealed-file.ts';

const FRAME_BYTES = FRAME_SAMPLES * CHANNELS * 2;
/** Eight to sixteen seconds of Opus. */
export const OPUS_CHUNK_BYTES = 32 * 1024;
/** Under this name until the file is whole. */
export const unfinishedPath = (path: string): string => `${path}.part`;

/**
 * Writes a complete WAV recording of ours once more as Ogg Opus, whole or not at all, sealed when there is a seal, and its
 * waveform beside it; the first stays. Blocks for some milliseconds for each second of audio: for a thread of its own.
 * Resolves with the bytes as they are played. @throws Failure recording-key, recording-damaged, not-encoded
 */
export async function encodeRecording(
  source: string,
  target: string,
  ring: KeyRing | undefined,
  seal: Seal | undefined,
): Promise<number> {
  const part = unfinishedPath(target);
  const from = await open(source, 'r');
  try {
    const reader = await recordingReader(from, source, ring);
    if (reader.format !== 'wav' || !reader.complete) {
      throw new Failure('only a complete WAV recording can be encoded', { code: 'not-encoded', blame: 'us' });
    }
    const file = await open(part, 'w', 0o600);
    try {
      const sink = seal === undefined ? new PlainBytes(file) : new SealedBytes(file, seal);
      await encode(reader, sink);
      // The WAV goes when this is said to be there.
      await file.datasync();
      await file.close();
      // Opus has its waveform from the samples themselves.
      const peaks = await computePeaks(reader);
      if (peaks) await storePeaks(target, peaks, ring);
      await rename(part, target);
      return sink.bytes;
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
      throw error;
    }
  } finally {
    await from.close();
  }
}

async function encode(reader: RecordingReader, sink: ByteSink): Promise<void> {
  const stream = new OggOpusStream(randomBytes(4).readUInt32LE());
  try {
    await sink.write(stream.begin());
    let held: Buffer = Buffer.alloc(0);
    for (let at = WAV_HEADER_BYTES; at < reader.size; ) {
      const part = await reader.read(at, SECOND_BYTES);
      if (part.length === 0) break;
      at += part.length;
      held = held.length === 0 ? part : Buffer.concat([held, part]);
      let done = 0;
      for (; done + FRAME_BYTES <= held.length; done += FRAME_BYTES) {
        // A copy, because what was read need not be aligned to samples.
        const frame = new Int16Array(Uint8Array.from(held.subarray(done, done + FRAME_BYTES)).buffer);
        const page = stream.push(frame);
        if (page.length > 0) await sink.write(page);
      }
      held = held.subarray(done);
    }
    await sink.finish(stream.finish());
  } finally {
    stream.close();
  }
}

interface ByteSink {
  /** Taken so far. */
  readonly bytes: number;
  write(bytes: Buffer): Promise<void>;
  finish(bytes: Buffer): Promise<void>;
}

class PlainBytes implements ByteSink {
  readonly #file: FileHandle;
  bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#file.writeFile(bytes);
    this.bytes += bytes.length;
  }

  finish(bytes: Buffer): Promise<void> {
    return this.write(bytes);
  }
}

class SealedBytes implements ByteSink {
  readonly #file: FileHandle;
  readonly #seal: Seal;
  #held: Buffer;
  #chunks = 0;
  #begun = false;
  bytes = 0;

  constructor(file: FileHandle, seal: Seal) {
    this.#file = file;
    this.#seal = seal;
    this.#held = Buffer.alloc(0);
  }

  async write(bytes: Buffer): Promise<void> {
    this.bytes += bytes.length;
    this.#held = Buffer.concat([this.#held, bytes]);
    // The last chunk is marked as such, so at least a byte waits for the end.
    while (this.#held.length > this.#seal.chunkBytes) await this.#chunk(false);
  }

  async finish(bytes: Buffer): Promise<void> {
    await this.write(bytes);
    await this.#chunk(true);
  }

  async #chunk(last: boolean): Promise<void> {
    if (!this.#begun) await this.#file.writeFile(this.#seal.header);
    this.#begun = true;
    const { chunkBytes, key } = this.#seal;
    const plain = this.#held.subarray(0, chunkBytes);
    this.#held = this.#held.subarray(plain.length);
    await this.#file.writeFile(sealChunk(key, this.#chunks++, last, plain));
  }
}
