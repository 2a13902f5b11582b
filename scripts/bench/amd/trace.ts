import { type Tone, ToneDetector } from '../../../src/media/keys/tone-detector.ts';
import { levelDb } from '../../../src/media/level.ts';
import type { VadEngine } from '../../../src/media/voice-activity/vad.ts';
import { VadGate } from '../../../src/media/voice-activity/vad-gate.ts';
import type { SpeechHints } from '../../../src/speech/ports.ts';
import type { Hearing } from '../../eval/asr/hearing.ts';

/** What the connector hears of a call, in ms since the answer. `now`: when it learns of it. */
export type HeardEvent =
  | { now: number; type: 'start' | 'end'; at: number }
  | { now: number; type: 'words'; text: string }
  | { now: number; type: 'tone'; tone: Tone };

export interface AmdTrace {
  readonly lengthMs: number;
  readonly events: readonly HeardEvent[];
}

const FRAME = 160;
const PREROLL_FRAMES = 15;
/** Nothing is decided by what is said later. */
const LISTEN_MS = 6500;

/**
 * Listens to one answered call, offline and faster than life: the audio goes through the VAD, the tone detector and the
 * recogniser as in the media worker, frame by frame.
 */
export async function traceOf(
  pcm: Int16Array,
  { engine, hearing, hints }: { engine: VadEngine; hearing: Hearing; hints: SpeechHints },
): Promise<AmdTrace> {
  const detector = new ToneDetector();
  const gate = new VadGate();
  const state = engine.open();
  const ear = hearing.call();
  const window = new Int16Array(engine.windowSamples);
  const windowMs = engine.windowSamples / 8;
  const events: HeardEvent[] = [];
  let fill = 0;
  let openedAt: number | undefined;
  let now = 0;
  for (let frame = 0; (frame + 1) * FRAME <= pcm.length; frame++) {
    const audio = pcm.subarray(frame * FRAME, (frame + 1) * FRAME);
    now = (frame + 1) * 20;
    const tone = detector.push(audio, now);
    if (tone) events.push({ now, type: 'tone', tone });
    for (const sample of audio) {
      window[fill++] = sample;
      if (fill < window.length) continue;
      fill = 0;
      const [probability] = await engine.infer([{ state, pcm: window }]);
      const event = gate.push(probability!, levelDb(window), now - windowMs, windowMs);
      if (event === undefined) continue;
      events.push({ now, type: event.type, at: event.at });
      if (event.type !== 'start' || openedAt !== undefined) continue;
      openedAt = now;
      ear.begin(hints, (text) => events.push({ now, type: 'words', text }));
      for (let back = Math.max(0, frame - PREROLL_FRAMES); back < frame; back++) {
        ear.push(pcm.slice(back * FRAME, (back + 1) * FRAME));
      }
    }
    if (openedAt !== undefined && now - openedAt < LISTEN_MS) ear.push(pcm.slice(frame * FRAME, (frame + 1) * FRAME));
  }
  ear.close();
  return { lengthMs: now, events };
}
