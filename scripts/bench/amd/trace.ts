import { type Tone, ToneDetector } from '../../../src/media/keys/tone-detector.ts';
import { levelDb } from '../../../src/media/level.ts';
import type { VadEngine } from '../../../src/media/voice-activity/vad.ts';
import { VadGate } from '../../../src/media/voice-activity/vad-gate.ts';
import type { SpeechHints, Transcriber } from '../../../src/speech/ports.ts';
import type { Hearing } from '../../eval/asr/hearing.ts';

/** What the connector hears of a call, in ms since the answer. `now`: when it learns of it. */
export type HeardEvent =
  | { now: number; type: 'start' | 'end'; at: number }
  | { now: number; type: 'words'; text: string }
  | { now: number; type: 'free-words'; text: string }
  | { now: number; type: 'tone'; tone: Tone };

export interface AmdTrace {
  readonly lengthMs: number;
  readonly events: readonly HeardEvent[];
}

/** From the audio until a model that knows English has written it down: 0.15 s where there is time. */
const FREELY_MS = 350;
const FRAME = 160;
const PREROLL_FRAMES = 15;
/** Nothing is decided by what is said later. */
const LISTEN_MS = 6500;

export interface AmdEars {
  engine: VadEngine;
  hearing: Hearing;
  hints: SpeechHints;
  /** Undefined: nobody understands what the grammar does not know. */
  transcriber: Transcriber | undefined;
}

/**
 * Listens to one answered call, offline and faster than life: the audio goes through the VAD, the tone detector and the
 * recogniser as in the media worker, frame by frame.
 */
export async function traceOf(pcm: Int16Array, { engine, hearing, hints, transcriber }: AmdEars): Promise<AmdTrace> {
  const detector = new ToneDetector();
  const gate = new VadGate();
  const state = engine.open();
  const ear = hearing.call();
  const window = new Int16Array(engine.windowSamples);
  const windowMs = engine.windowSamples / 8;
  const events: HeardEvent[] = [];
  const besides: { now: number; sound: Int16Array }[] = [];
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
      if (event === undefined || event.type === 'lull') continue;
      events.push({ now, type: event.type, at: event.at });
      if (event.type !== 'start' || openedAt !== undefined) continue;
      openedAt = now;
      ear.begin(hints, ({ kind, text, sound }) => {
        if (kind === 'final' || sound === undefined) events.push({ now, type: 'words', text });
        else besides.push({ now: now + FREELY_MS, sound });
      });
      for (let back = Math.max(0, frame - PREROLL_FRAMES); back < frame; back++) {
        ear.push(pcm.slice(back * FRAME, (back + 1) * FRAME));
      }
    }
    if (openedAt !== undefined && now - openedAt < LISTEN_MS) ear.push(pcm.slice(frame * FRAME, (frame + 1) * FRAME));
  }
  ear.close();
  for (const { now, sound } of transcriber ? besides : []) {
    const { text } = await transcriber!.transcribe(sound, 0);
    events.push({ now, type: 'free-words', text });
  }
  return { lengthMs: now, events: events.sort((a, b) => a.now - b.now) };
}
