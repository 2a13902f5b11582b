import { open } from 'node:fs/promises';
import type { Ms } from '../core/clock.ts';
import { SAMPLE_RATE } from './audio.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav.ts';

const CHANNELS = 2;
const FRAME_BYTES = CHANNELS * 2;

/**
 * Makes a recording playable whose recorder died: its header says how much there is. Undefined when there is no such
 * file, or nothing in it.
 */
export async function repairRecording(
  path: string,
): Promise<{ path: string; durationMs: Ms; bytes: number } | undefined> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      const data = Math.floor((size - WAV_HEADER_BYTES) / FRAME_BYTES) * FRAME_BYTES;
      if (data <= 0) return undefined;
      await file.write(wavHeader(CHANNELS, data), 0, WAV_HEADER_BYTES, 0);
      await file.truncate(WAV_HEADER_BYTES + data);
      return { path, durationMs: (data / FRAME_BYTES / SAMPLE_RATE) * 1000, bytes: WAV_HEADER_BYTES + data };
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
