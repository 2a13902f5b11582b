import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWav } from '../support/phone/wav.ts';

export interface FakeMicrophone {
  /** For Chromium: what it takes for its microphone, from the moment it is opened. */
  readonly args: readonly string[];
  remove(): Promise<void>;
}

/** `pcm`: 8 kHz. Once, or over and over. */
export async function fakeMicrophone(pcm: Int16Array, how: 'once' | 'looped' = 'once'): Promise<FakeMicrophone> {
  const folder = await mkdtemp(join(tmpdir(), 'microphone-'));
  const file = join(folder, 'microphone.wav');
  await writeFile(file, writeWav({ sampleRate: 8000, channels: 1, pcm }));
  const once = how === 'once' ? '%noloop' : '';
  return {
    args: ['--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${file}${once}`],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
