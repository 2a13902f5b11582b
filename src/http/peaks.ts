import type { FileHandle } from 'node:fs/promises';

/** The loudest sample of each slice of a recording, per channel, 0 to 1. */
export interface Peaks {
  durationMs: number;
  sampleRate: number;
  channels: number[][];
}

interface WavFormat {
  channels: number;
  sampleRate: number;
  dataStart: number;
  dataBytes: number;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Peaks of a 16-bit PCM WAV file, read in small pieces so that the event loop is never held for more than a fraction
 * of a millisecond. Undefined when the file is not such a WAV.
 */
export async function computePeaks(handle: FileHandle, size: number, buckets: number): Promise<Peaks | undefined> {
  const format = await readFormat(handle, size);
  if (!format) return undefined;
  const frameBytes = 2 * format.channels;
  const frames = Math.floor(format.dataBytes / frameBytes);
  const loudest = Array.from({ length: format.channels }, () => new Float64Array(buckets));
  const buffer = Buffer.alloc(CHUNK_BYTES - (CHUNK_BYTES % frameBytes));
  let frame = 0;
  while (frame < frames) {
    const want = Math.min(buffer.length, (frames - frame) * frameBytes);
    const { bytesRead } = await handle.read(buffer, 0, want, format.dataStart + frame * frameBytes);
    const got = Math.floor(bytesRead / frameBytes);
    if (got === 0) break;
    for (let i = 0; i < got; i++) {
      const bucket = Math.floor(((frame + i) * buckets) / frames);
      for (let channel = 0; channel < format.channels; channel++) {
        const level = Math.abs(buffer.readInt16LE(i * frameBytes + channel * 2));
        const row = loudest[channel]!;
        if (level > row[bucket]!) row[bucket] = level;
      }
    }
    frame += got;
  }
  return {
    durationMs: Math.round((frames / format.sampleRate) * 1000),
    sampleRate: format.sampleRate,
    channels: loudest.map((row) => Array.from(row, (level) => Math.round((level / 32768) * 1000) / 1000)),
  };
}

/** Walks the RIFF chunks. A data chunk of size 0 or past the end (a recording cut short) reaches to the file's end. */
async function readFormat(handle: FileHandle, size: number): Promise<WavFormat | undefined> {
  const head = Buffer.alloc(12);
  await handle.read(head, 0, 12, 0);
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let at = 12;
  let channels = 0;
  let sampleRate = 0;
  const chunk = Buffer.alloc(24);
  while (at + 8 <= size) {
    const { bytesRead } = await handle.read(chunk, 0, 24, at);
    if (bytesRead < 8) return undefined;
    const id = chunk.toString('latin1', 0, 4);
    const length = chunk.readUInt32LE(4);
    if (id === 'fmt ' && bytesRead === 24) {
      if (chunk.readUInt16LE(8) !== 1 || chunk.readUInt16LE(22) !== 16) return undefined;
      channels = chunk.readUInt16LE(10);
      sampleRate = chunk.readUInt32LE(12);
    } else if (id === 'data') {
      if (channels < 1 || channels > 2 || sampleRate === 0) return undefined;
      const rest = size - at - 8;
      return { channels, sampleRate, dataStart: at + 8, dataBytes: length === 0 || length > rest ? rest : length };
    }
    at += 8 + length + (length % 2);
  }
  return undefined;
}

/** Keeps the peaks of the last recordings looked at, and computes one at a time. */
export class PeaksCache {
  readonly #kept = new Map<string, Peaks>();
  readonly #capacity: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(capacity = 32) {
    this.#capacity = capacity;
  }

  get(key: string, compute: () => Promise<Peaks | undefined>): Promise<Peaks | undefined> {
    const job = this.#last.then(async () => {
      const kept = this.#kept.get(key);
      if (kept) return kept;
      const peaks = await compute();
      if (peaks) {
        this.#kept.set(key, peaks);
        if (this.#kept.size > this.#capacity) this.#kept.delete(this.#kept.keys().next().value!);
      }
      return peaks;
    });
    this.#last = job.catch(() => undefined);
    return job;
  }
}
