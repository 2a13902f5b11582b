import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saturated } from '../../../src/media/audio.ts';
import { NoiseReduction } from '../../../src/speech/noise/noise-reduction.ts';
import type { Transcriber } from '../../../src/speech/ports.ts';
import { Utterance } from '../../../src/speech/soundswallower/utterance.ts';
import { AMD_NOISES, AMD_VOICES } from '../../bench/amd/corpus.ts';
import { noiseLevelFor, whiteNoise } from '../audio/noise.ts';
import { Studio } from '../audio/studio.ts';
import { filledIn, WRITTEN_GREETINGS, type WrittenGreeting } from './written-greetings.ts';

/** A written greeting, and its first seconds as they were understood over the telephone. */
export interface WrittenTrial {
  greeting: WrittenGreeting;
  heard: string;
}

/** Each is said so often, with other names, in other voices. */
export const SAID = 3;
/** As long as it takes until who has answered is presumed (MachineDetection). */
const HEARD_MS = 2700;
/** Quiet before it and behind it. */
const BEFORE_MS = 500;
const BEHIND_MS = 3000;
/** The listening begins with so much of what was before. */
const PREROLL_MS = 300;
const FRAME = 160;
/** The engines by turns. */
const VOICES = [0, 3, 5, 4, 1, 2, 6].map((i) => AMD_VOICES.tuning[i]!);

/** Says all written greetings, and tells what was understood of their beginnings. `keep`: where that is kept for another run. */
export async function writtenTrials(transcriber: Transcriber, keep: string | undefined): Promise<WrittenTrial[]> {
  const studio = new Studio(join(tmpdir(), 'svc-amd-audio'));
  if (keep !== undefined) await mkdir(keep, { recursive: true });
  const trials: WrittenTrial[] = [];
  try {
    for (let time = 0; time < SAID; time++) {
      for (const [i, greeting] of WRITTEN_GREETINGS.entries()) {
        const text = filledIn(greeting.text, i * SAID + time);
        const voice = VOICES[(i + time * 3) % VOICES.length]!;
        const snrDb = AMD_NOISES[(i + time) % AMD_NOISES.length];
        const key = createHash('sha256')
          .update(JSON.stringify(['written', text, voice, snrDb]))
          .digest('hex')
          .slice(0, 24);
        const path = keep && join(keep, `${key}.json`);
        const kept = path && (await readFile(path, 'utf8').catch(() => undefined));
        const heard: string = kept
          ? JSON.parse(kept)
          : await understood(transcriber, noisy(await studio.line(voice, text), snrDb, i + 1));
        if (path && !kept) await writeFile(path, JSON.stringify(heard));
        trials.push({ greeting, heard });
      }
    }
  } finally {
    await studio.close();
  }
  return trials;
}

function noisy(spoken: Int16Array, snrDb: number | undefined, seed: number): Int16Array {
  const pcm = new Int16Array((BEFORE_MS + BEHIND_MS) * 8 + spoken.length);
  pcm.set(spoken, BEFORE_MS * 8);
  if (snrDb === undefined) return pcm;
  const noise = whiteNoise(pcm.length / 8000 + 1, noiseLevelFor(snrDb), seed);
  return pcm.map((sample, i) => saturated(sample + noise[i]!));
}

/** As the recogniser gives it to the other ear. */
async function understood(transcriber: Transcriber, pcm: Int16Array): Promise<string> {
  const utterance = new Utterance(new NoiseReduction());
  const from = (BEFORE_MS - PREROLL_MS) * 8;
  for (let at = from; at < from + HEARD_MS * 8; at += FRAME) {
    utterance.push(pcm.slice(at, at + FRAME));
    utterance.take();
  }
  const sound = utterance.sound();
  return sound === undefined ? '' : (await transcriber.transcribe(sound, 0)).text;
}
