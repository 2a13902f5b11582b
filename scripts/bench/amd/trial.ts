import { type Answerer, MachineDetection } from '../../../src/dialogue/machine-detection.ts';
import { levelDb } from '../../../src/media/level.ts';
import { type Tone, ToneDetector } from '../../../src/media/tone-detector.ts';
import type { VadEngine } from '../../../src/media/vad.ts';
import { VadGate } from '../../../src/media/vad-gate.ts';
import type { SpeechHints } from '../../../src/speech/ports.ts';
import type { Hearing } from '../../eval/asr/hearing.ts';

export interface TrialResult {
  /** What it was taken to be within 3 s, and for good. */
  presumed: Answerer | undefined;
  answerer: Answerer | undefined;
  tones: Tone[];
}

const FRAME = 160;
const PREROLL_FRAMES = 15;

/**
 * One answered call, offline and faster than life: the audio goes through the VAD, the tone detector and the recogniser
 * as in the media worker, frame by frame, and the detection is asked after each.
 */
export async function tryAnswer(
  pcm: Int16Array,
  { engine, hearing, hints }: { engine: VadEngine; hearing: Hearing; hints: SpeechHints },
): Promise<TrialResult> {
  const detection = new MachineDetection(0);
  const detector = new ToneDetector();
  const gate = new VadGate();
  const state = engine.open();
  const ear = hearing.call();
  const window = new Int16Array(engine.windowSamples);
  const windowMs = engine.windowSamples / 8;
  const tones: Tone[] = [];
  let fill = 0;
  let open = false;
  let answerer: Answerer | undefined;
  for (let frame = 0; (frame + 1) * FRAME <= pcm.length; frame++) {
    const audio = pcm.subarray(frame * FRAME, (frame + 1) * FRAME);
    const now = (frame + 1) * 20;
    const tone = detector.push(audio, now);
    if (tone) {
      tones.push(tone);
      detection.tone();
    }
    for (const sample of audio) {
      window[fill++] = sample;
      if (fill < window.length) continue;
      fill = 0;
      const [probability] = await engine.infer([{ state, pcm: window }]);
      const event = gate.push(probability!, levelDb(window), now - windowMs, windowMs);
      if (event?.type === 'start') {
        detection.speechStart(event.at);
        if (!open) {
          open = true;
          ear.begin(hints, (text) => detection.heard(1, text));
          for (let back = Math.max(0, frame - PREROLL_FRAMES); back < frame; back++) {
            ear.push(pcm.slice(back * FRAME, (back + 1) * FRAME));
          }
        }
      } else if (event?.type === 'end') detection.speechEnd(event.at);
    }
    if (open && !answerer) ear.push(pcm.slice(frame * FRAME, (frame + 1) * FRAME));
    answerer ??= detection.verdict(now);
  }
  ear.close();
  return { presumed: detection.presumed, answerer, tones };
}
