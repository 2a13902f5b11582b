import { open } from 'node:fs/promises';
import { FRAME_MS, FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from '../audio.ts';
import { OPUS } from '../codecs/opus.ts';
import { WAV_HEADER_BYTES } from '../wav.ts';
import type { KeyRing } from './key-ring.ts';
import { OggPages } from './ogg-pages.ts';
import { CHANNELS } from './recording-buffer.ts';
import { type RecordingReader, readBetween, recordingReader } from './recording-reader.ts';

export type RecordingSide = 'left' | 'right';

/** A decoder of Opus has to hear so much before what it gives is right (RFC 7845 section 4.6). */
const CONVERGES_MS = 80;
/** Others have their turn between so many packets. */
const PACKETS_AT_ONCE = 50;

/**
 * What was said on one side of a recording, sealed or not, WAV or Opus, from `fromMs` to `toMs` behind its beginning, 8 kHz.
 * What lies outside of the recording is left out. @throws Failure recording-key, recording-damaged
 */
export async function recordedSpeech(
  path: string,
  ring: KeyRing | undefined,
  side: RecordingSide,
  [fromMs, toMs]: readonly [fromMs: number, toMs: number],
): Promise<Pcm> {
  const handle = await open(path, 'r');
  try {
    const reader = await recordingReader(handle, path, ring);
    const samples = [Math.max(0, fromMs), Math.max(0, toMs)].map((ms) => Math.round((ms * SAMPLE_RATE) / 1000));
    const [from, to] = [samples[0]!, Math.max(...samples)];
    return reader.format === 'wav' ? await ofWav(reader, side, from, to) : await ofOpus(reader, side, from, to);
  } finally {
    await handle.close();
  }
}

async function ofWav(reader: RecordingReader, side: RecordingSide, from: number, to: number): Promise<Pcm> {
  const bytesOf = (sample: number) => WAV_HEADER_BYTES + sample * CHANNELS * 2;
  const both = await readBetween(reader, bytesOf(from), bytesOf(to));
  const pcm = new Int16Array(Math.floor(both.length / (CHANNELS * 2)));
  for (let i = 0; i < pcm.length; i++) pcm[i] = both.readInt16LE((i * CHANNELS + (side === 'left' ? 0 : 1)) * 2);
  return pcm;
}

async function ofOpus(reader: RecordingReader, side: RecordingSide, from: number, to: number): Promise<Pcm> {
  const pages = new OggPages(reader);
  const decoder = OPUS.decoder();
  try {
    // The first two pages say what the stream is.
    const preSkip = Math.round(((await pages.next())?.[0]?.readUInt16LE(10) ?? 0) / (48_000 / SAMPLE_RATE));
    await pages.next();
    const [first, last] = [from + preSkip, to + preSkip];
    const pcm = new Int16Array(last - first);
    const frame = new Int16Array(FRAME_SAMPLES);
    let at = 0;
    let written = 0;
    let packetsDone = 0;
    for (let page = await pages.next(); page !== undefined && at < last; page = await pages.next()) {
      for (const packet of page) {
        const begin = at;
        at += FRAME_SAMPLES;
        if (at <= first - (CONVERGES_MS / FRAME_MS) * FRAME_SAMPLES || begin >= last) continue;
        const mono = sideOf(packet, side);
        if (decoder.decode(mono, 0, mono.length, frame, 0) === 0) frame.fill(0);
        for (let i = Math.max(0, first - begin); i < FRAME_SAMPLES && begin + i < last; i++) {
          pcm[begin + i - first] = frame[i]!;
          written = begin + i - first + 1;
        }
        if (++packetsDone % PACKETS_AT_ONCE === 0) await new Promise(setImmediate);
      }
    }
    return pcm.subarray(0, written);
  } finally {
    decoder.close();
  }
}

/** RFC 6716 appendix B, as OggOpusStream writes it: the left stream says how long it is, the right one is the rest. */
function sideOf(packet: Buffer, side: RecordingSide): Uint8Array {
  const first = packet[1] ?? 0;
  const [size, sizeBytes] = first < 252 ? [first, 1] : [first + 4 * (packet[2] ?? 0), 2];
  const right = 1 + sizeBytes + size;
  if (side === 'right') return packet.subarray(right);
  return Buffer.concat([packet.subarray(0, 1), packet.subarray(1 + sizeBytes, right)]);
}
