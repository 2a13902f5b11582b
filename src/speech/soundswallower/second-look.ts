import type { Ms } from '../../core/clock.ts';

/** What the thread is doing when a segment ends. */
export interface ThreadLoad {
  /** Other segments that are being heard now. */
  others: number;
  /** Segments that wait for a decoder. */
  waiting: number;
  /** Time the engine took so far for so much audio. */
  busyMs: Ms;
  audioMs: Ms;
}

/** A second look may hold up a thread that serves one caller so long, one that serves n callers the n-th part of it. */
const BUDGET_MS: Ms = 200;
/** Share of the length of speech that decoding takes, until enough was measured. */
const USUAL_RATE = 0.06;
const MEASURED_MS: Ms = 10_000;

/** Is there time to decode `audioMs` of speech once more, while everybody else in this thread waits? Pure. */
export function mayLookAgain(audioMs: Ms, load: ThreadLoad): boolean {
  if (load.waiting > 0) return false;
  const rate = load.audioMs < MEASURED_MS ? USUAL_RATE : load.busyMs / load.audioMs;
  return audioMs * rate <= BUDGET_MS / (1 + load.others);
}
