import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GREETING_HINTS } from '../../../src/call/bot/greeting-hints.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { MoonshineTranscriber } from '../../../src/speech/moonshine/moonshine-transcriber.ts';
import { createVadEngine } from '../../../src/speech/silero/vad-engine.ts';
import { FREE_SPEECH_MODEL, hasFreeSpeechModel } from '../../../tests/support/free-speech-model.ts';
import { seededRandom } from '../../../tests/support/phone/impairments.ts';
import { tone } from '../../../tests/support/phone/voice.ts';
import { Hearing } from '../../eval/asr/hearing.ts';
import { inWhiteNoise } from '../../eval/audio/noise.ts';
import { findSources, Studio } from '../../eval/audio/studio.ts';
import { kept } from '../../eval/kept.ts';
import { type AmdCase, amdCases } from './corpus.ts';
import type { Greeting } from './greeting.ts';
import { type AmdTrace, traceOf } from './trace.ts';

export interface AmdTrial extends AmdCase {
  trace: AmdTrace;
}

export interface AmdOptions {
  set: Greeting['set'];
  signal: AbortSignal;
  /** Where what was heard is kept, for another look at the very same: not for figures to report. */
  keep?: string | undefined;
}

/** Calls everybody of the corpus and tells what was heard. */
export async function* amdTrials({ set, signal, keep }: AmdOptions): AsyncGenerator<AmdTrial> {
  const studio = new Studio(join(tmpdir(), 'svc-amd-audio'));
  const engine = await createVadEngine(undefined);
  const transcriber = hasFreeSpeechModel
    ? new MoonshineTranscriber({ folder: FREE_SPEECH_MODEL, log: silentLogger })
    : undefined;
  try {
    const parts = { engine, hearing: await Hearing.start(), hints: GREETING_HINTS, transcriber };
    for (const one of amdCases(set, await findSources())) {
      if (signal.aborted) return;
      const from = [GREETING_HINTS.key, GREETING_HINTS.besidesAtMs, transcriber !== undefined, one];
      const trace = await kept(keep, from, async () => traceOf(await answered(studio, one), parts));
      yield { ...one, trace };
    }
  } finally {
    await engine.close();
    await transcriber?.close();
    await studio.close();
  }
}

/** What is heard from the answer on: silence, greeting, perhaps a beep, silence; noise over all of it. */
async function answered(studio: Studio, { greeting, voice, number, snrDb, beep }: AmdCase): Promise<Int16Array> {
  const random = seededRandom(20_261 + number);
  const samples = (ms: number) => Math.round(ms * 8);
  const spoken = await studio.line(voice, greeting.text);
  const at = samples(200 + 1100 * random());
  const sound = beep ? tone(beep.hz, beep.ms) : new Int16Array(0);
  const beepAt = at + spoken.length + samples(beep ? 300 + 700 * random() : 0);
  const pcm = new Int16Array(beepAt + sound.length + samples(4000));
  pcm.set(spoken, at);
  pcm.set(sound, beepAt);
  return inWhiteNoise(pcm, snrDb, number);
}
