import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GREETING_HINTS } from '../../../src/call/greeting-hints.ts';
import { createVadEngine } from '../../../src/speech/silero/vad-engine.ts';
import { seededRandom } from '../../../tests/support/phone/impairments.ts';
import { tone } from '../../../tests/support/phone/voice.ts';
import { Hearing } from '../../eval/asr/hearing.ts';
import { noiseLevelFor, whiteNoise } from '../../eval/audio/noise.ts';
import { findSources, Studio } from '../../eval/audio/studio.ts';
import type { Caller } from '../../eval/corpus/types.ts';
import { BEEPS, GREETINGS, type Greeting, NOISES, VOICES } from './corpus.ts';
import { type TrialResult, tryAnswer } from './trial.ts';

export interface AmdTrial {
  greeting: Greeting;
  voice: string;
  snrDb: number | undefined;
  beep: { hz: number; ms: number } | undefined;
  result: TrialResult;
}

/** Every greeting in every voice, with noise and beep going round. */
export async function amdTrials(
  set: Greeting['set'],
  signal: AbortSignal,
  onTrial: (trial: AmdTrial) => void,
): Promise<void> {
  const studio = new Studio(join(tmpdir(), 'svc-amd-audio'));
  const sources = await findSources();
  const voices: Caller[] = [...VOICES[set].flite, ...(sources.espeak ? VOICES[set].espeak : [])];
  const parts = { engine: await createVadEngine(undefined), hearing: await Hearing.start(), hints: GREETING_HINTS };
  const random = seededRandom(set === 'held' ? 20_261 : 7);
  let number = 0;
  try {
    for (const greeting of GREETINGS.filter((one) => one.set === set)) {
      for (const voice of voices) {
        if (signal.aborted) return;
        const snrDb = NOISES[number % NOISES.length];
        const beep = greeting.by === 'machine' ? BEEPS[number % BEEPS.length] : undefined;
        number++;
        const spoken = await studio.line(voice, greeting.text);
        const before = greeting.by === 'machine' ? 300 + 1500 * random() : 150 + 900 * random();
        const pcm = answered(spoken, { before, beep, snrDb, seed: number, gap: 300 + 700 * random() });
        const result = await tryAnswer(pcm, parts);
        onTrial({ greeting, voice: `${voice.engine} ${voice.voice} ${voice.rate}`, snrDb, beep, result });
      }
    }
  } finally {
    await parts.engine.close();
    await studio.close();
  }
}

/** What is heard from the answer on: silence, greeting, perhaps a beep, silence; noise over all of it. */
function answered(
  spoken: Int16Array,
  {
    before,
    beep,
    snrDb,
    seed,
    gap,
  }: { before: number; beep: AmdTrial['beep']; snrDb: number | undefined; seed: number; gap: number },
): Int16Array {
  const samples = (ms: number) => Math.round(ms * 8);
  const sound = beep ? tone(beep.hz, beep.ms) : new Int16Array(0);
  const tail = samples(4000);
  const at = samples(before);
  const beepAt = at + spoken.length + samples(beep ? gap : 0);
  const pcm = new Int16Array(beepAt + sound.length + tail);
  pcm.set(spoken, at);
  pcm.set(sound, beepAt);
  if (snrDb !== undefined) {
    const noise = whiteNoise(pcm.length / 8000 + 1, noiseLevelFor(snrDb), seed);
    for (let i = 0; i < pcm.length; i++) pcm[i] = Math.max(-32768, Math.min(32767, pcm[i]! + noise[i]!));
  }
  return pcm;
}
