import { type Answerer, MachineDetection } from '../../../src/dialogue/picking-up/machine-detection.ts';
import type { Tone } from '../../../src/media/keys/tone-detector.ts';
import type { AmdTrace } from './trace.ts';

export interface TrialResult {
  /** What it was taken to be within 3 s, and for good. */
  presumed: Answerer | undefined;
  answerer: Answerer | undefined;
  /** From the last speech to when it stood. */
  silentMs: number;
  tones: Tone[];
}

/** What the detection says of a call that was heard like this: asked after each frame, as in life. */
export function tryAnswer({ events, lengthMs }: AmdTrace, detection = new MachineDetection(0)): TrialResult {
  let presumed: Answerer | undefined;
  let answerer: Answerer | undefined;
  let next = 0;
  let now = 20;
  let silentSince = 0;
  for (; now <= lengthMs && answerer === undefined; now += 20) {
    for (; next < events.length && events[next]!.now <= now; next++) {
      const event = events[next]!;
      if (event.type === 'tone') detection.tone(event.tone);
      else if (event.type === 'words') detection.heard(1, event.text);
      else if (event.type === 'free-words') detection.heardFreely(1, event.text);
      else if (event.type === 'start') detection.speechStart(event.at);
      else {
        detection.speechEnd(event.at);
        silentSince = event.at;
      }
    }
    answerer = detection.verdict(now);
    presumed ??= detection.presumed;
  }
  const silentMs = now - 20 - silentSince;
  return {
    presumed,
    answerer,
    silentMs,
    tones: events.flatMap((event) => (event.type === 'tone' ? [event.tone] : [])),
  };
}

/** What it would be taken to be if that had to be said so long behind the first speech. */
export function answerBy(trace: AmdTrace, presumeMs: number): Answerer | undefined {
  return tryAnswer(trace, new MachineDetection(0, undefined, presumeMs)).presumed;
}
