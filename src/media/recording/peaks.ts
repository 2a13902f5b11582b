import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { KeyRing } from './key-ring.ts';
import { type RecordingReader, readRecording, SEALED_SUFFIX } from './recording-reader.ts';
import { newSeal, sealWhole } from './sealed-file.ts';

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
/** Of what is stored: a slice of 20 ms; longer recordings have slices as long as this many allow. */
const STORED_SLICE_MS = 20;
const STORED_SLICES = 20_000;

/**
 * Peaks of a 16-bit PCM WAV file, read in small pieces so that the event loop is never held for more than a fraction
 * of a millisecond. Undefined when the file is not such a WAV.
 */
export async function computePeaks(reader: RecordingReader, buckets?: number): Promise<Peaks | undefined> {
  const format = await readFormat(reader);
  if (!format) return undefined;
  const frameBytes = 2 * format.channels;
  const frames = Math.floor(format.dataBytes / frameBytes);
  const durationMs = Math.round((frames / format.sampleRate) * 1000);
  const slices = buckets ?? Math.max(1, Math.min(STORED_SLICES, Math.floor(durationMs / STORED_SLICE_MS)));
  const loudest = Array.from({ length: format.channels }, () => new Float64Array(slices));
  const channels = loudest.length;
  let value = 0;
  let odd: number | undefined;
  for (let at = format.dataStart; at < format.dataStart + format.dataBytes; ) {
    const part = await reader.read(at, Math.min(CHUNK_BYTES, format.dataStart + format.dataBytes - at));
    if (part.length === 0) break;
    // A part may end in the middle of a sample.
    const bytes = odd === undefined ? part : Buffer.concat([Buffer.from([odd]), part]);
    for (let i = 0; i + 1 < bytes.length; i += 2, value++) {
      const level = Math.abs(bytes.readInt16LE(i));
      const row = loudest[value % channels]!;
      const slice = Math.floor((Math.floor(value / channels) * slices) / frames);
      if (level > row[slice]!) row[slice] = level;
    }
    odd = bytes.length % 2 === 1 ? bytes[bytes.length - 1] : undefined;
    at += part.length;
  }
  return {
    durationMs,
    sampleRate: format.sampleRate,
    channels: loudest.map((row) => Array.from(row, (level) => Math.round((level / 32768) * 1000) / 1000)),
  };
}

/** The same in fewer slices, or in more. */
export function resamplePeaks(peaks: Peaks, buckets: number): Peaks {
  const channels = peaks.channels.map((row) =>
    Array.from({ length: buckets }, (_, bucket) => {
      const from = Math.floor((bucket * row.length) / buckets);
      const to = Math.max(from + 1, Math.floor(((bucket + 1) * row.length) / buckets));
      return Math.max(0, ...row.slice(from, to));
    }),
  );
  return { ...peaks, channels };
}

/** Beside the recording; sealed where that is. */
export const peaksPath = (recording: string): string =>
  recording.endsWith(SEALED_SUFFIX)
    ? `${recording.slice(0, -SEALED_SUFFIX.length)}.peaks${SEALED_SUFFIX}`
    : `${recording}.peaks`;

/** Whole or not at all. */
export async function storePeaks(recording: string, peaks: Peaks, ring: KeyRing | undefined): Promise<void> {
  const path = peaksPath(recording);
  const json = Buffer.from(JSON.stringify(peaks));
  const bytes = path.endsWith(SEALED_SUFFIX) && ring ? sealWhole(newSeal(ring, 'json', CHUNK_BYTES), json) : json;
  await writeFile(`${path}.part`, bytes, { mode: 0o600 });
  await rename(`${path}.part`, path);
}

/**
 * The waveform that lies beside a recording, or, at the first look, is made and laid there; undefined when the recording
 * is no WAV. One that cannot be kept (a full disk) is made again at the next look.
 */
export async function peaksOf(
  recording: string,
  reader: RecordingReader,
  ring: KeyRing | undefined,
): Promise<Peaks | undefined> {
  const stored = await storedPeaks(recording, ring);
  if (stored !== undefined) return stored;
  const made = await computePeaks(reader);
  if (made !== undefined && reader.complete) await keepPeaks(recording, made, ring);
  return made;
}

/** A recording that was deleted meanwhile leaves no waveform behind: whoever deletes takes the recording first. */
async function keepPeaks(recording: string, peaks: Peaks, ring: KeyRing | undefined): Promise<void> {
  try {
    await storePeaks(recording, peaks, ring);
    await access(recording);
  } catch {
    const path = peaksPath(recording);
    for (const file of [path, `${path}.part`]) await rm(file, { force: true }).catch(() => undefined);
  }
}

/** Undefined when there are none, or none that can be read: they can be computed again. */
async function storedPeaks(recording: string, ring: KeyRing | undefined): Promise<Peaks | undefined> {
  const path = peaksPath(recording);
  try {
    const bytes = path.endsWith(SEALED_SUFFIX) ? await readRecording(path, ring) : await readFile(path);
    return JSON.parse(bytes.toString('utf8')) as Peaks;
  } catch {
    return undefined;
  }
}

/** Walks the RIFF chunks. A data chunk of size 0 or past the end (a recording cut short) reaches to the file's end. */
async function readFormat(reader: RecordingReader): Promise<WavFormat | undefined> {
  const { size } = reader;
  const head = await reader.read(0, 12);
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let at = 12;
  let channels = 0;
  let sampleRate = 0;
  while (at + 8 <= size) {
    const chunk = await reader.read(at, 24);
    if (chunk.length < 8) return undefined;
    const id = chunk.toString('latin1', 0, 4);
    const length = chunk.readUInt32LE(4);
    if (id === 'fmt ' && chunk.length === 24) {
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
