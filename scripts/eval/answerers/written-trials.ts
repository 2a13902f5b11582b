import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoiseReduction } from '../../../src/speech/noise/noise-reduction.ts';
import type { Transcriber } from '../../../src/speech/ports.ts';
import { Utterance } from '../../../src/speech/soundswallower/utterance.ts';
import { AMD_NOISES, AMD_VOICES } from '../../bench/amd/corpus.ts';
import { inWhiteNoise } from '../audio/noise.ts';
import { Studio } from '../audio/studio.ts';
import { kept } from '../kept.ts';
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
  const trials: WrittenTrial[] = [];
  try {
    for (let time = 0; time < SAID; time++) {
      for (const [i, greeting] of WRITTEN_GREETINGS.entries()) {
        const text = filledIn(greeting.text, i * SAID + time);
        const voice = VOICES[(i + time * 3) % VOICES.length]!;
        const snrDb = AMD_NOISES[(i + time) % AMD_NOISES.length];
        const heard = await kept(keep, ['written', text, voice, snrDb], async () =>
          understood(transcriber, inWhiteNoise(amidQuiet(await studio.line(voice, text)), snrDb, i + 1)),
        );
        trials.push({ greeting, heard });
      }
    }
  } finally {
    await studio.close();
  }
  return trials;
}

/** With quiet before it and behind it. */
function amidQuiet(spoken: Int16Array): Int16Array {
  const pcm = new Int16Array((BEFORE_MS + BEHIND_MS) * 8 + spoken.length);
  pcm.set(spoken, BEFORE_MS * 8);
  return pcm;
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
