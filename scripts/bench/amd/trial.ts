import { type Answerer, MachineDetection } from '../../../src/dialogue/picking-up/machine-detection.ts';
import type { Tone } from '../../../src/media/keys/tone-detector.ts';
import type { AmdTrace } from './trace.ts';

export interface TrialResult {
  /** What it was taken to be within 3 s, and for good. */
  presumed: Answerer | undefined;
  answerer: Answerer | undefined;
  tones: Tone[];
}

/** What the detection says of a call that was heard like this: asked after each frame, as in life. */
export function tryAnswer({ events, lengthMs }: AmdTrace, detection = new MachineDetection(0)): TrialResult {
  let presumed: Answerer | undefined;
  let answerer: Answerer | undefined;
  let next = 0;
  for (let now = 20; now <= lengthMs && answerer === undefined; now += 20) {
    for (; next < events.length && events[next]!.now <= now; next++) {
      const event = events[next]!;
      if (event.type === 'start') detection.speechStart(event.at);
      else if (event.type === 'end') detection.speechEnd(event.at);
      else if (event.type === 'words') detection.heard(1, event.text);
      else detection.tone();
    }
    answerer = detection.verdict(now);
    presumed ??= detection.presumed;
  }
  return { presumed, answerer, tones: events.flatMap((event) => (event.type === 'tone' ? [event.tone] : [])) };
}
