import { SAMPLE_RATE } from '../../media/audio.ts';
import type { ListenMessage } from '../../media/ports.ts';

/** Speech that waits in one thread, all streams together: 14.4 MB. More drops the oldest segment as a whole, and says so. */
const MOST_SAMPLES = 900 * SAMPLE_RATE;

/** A segment of speech that is over, to be listened to when there is time. */
export interface WaitingSegment {
  readonly owner: SegmentOwner;
  readonly segment: number;
  /** All of it in order, from segment-start to segment-end. */
  readonly messages: readonly ListenMessage[];
  readonly samples: number;
}

export interface SegmentOwner {
  /** Its turn has come. Blocks until it has been listened to. */
  listen(segment: WaitingSegment): void;
  /** There was no time for it. */
  lose(segment: WaitingSegment): void;
}

export interface BacklogOptions {
  /** Calls `step` soon, behind other work of the thread. */
  soon(step: () => void): void;
  mostSamples?: number;
}

/** Segments for which nobody waits, first come first served, one at a time. */
export class Backlog {
  readonly #soon: BacklogOptions['soon'];
  readonly #most: number;
  #waiting: WaitingSegment[] = [];
  #samples = 0;
  #stepping = false;

  constructor({ soon, mostSamples = MOST_SAMPLES }: BacklogOptions) {
    this.#soon = soon;
    this.#most = mostSamples;
  }

  get segments(): number {
    return this.#waiting.length;
  }

  /** Speech that waits, ms. */
  get waitingMs(): number {
    return (this.#samples * 1000) / SAMPLE_RATE;
  }

  add(segment: WaitingSegment): void {
    this.#waiting.push(segment);
    this.#samples += segment.samples;
    while (this.#samples > this.#most && this.#waiting.length > 1) {
      const oldest = this.#take()!;
      oldest.owner.lose(oldest);
    }
    this.#goOn();
  }

  /** Nobody wants its segments any more. */
  drop(owner: SegmentOwner): void {
    this.#waiting = this.#waiting.filter((segment) => segment.owner !== owner);
    this.#samples = this.#waiting.reduce((sum, { samples }) => sum + samples, 0);
  }

  #take(): WaitingSegment | undefined {
    const segment = this.#waiting.shift();
    this.#samples -= segment?.samples ?? 0;
    return segment;
  }

  #goOn(): void {
    if (this.#stepping || this.#waiting.length === 0) return;
    this.#stepping = true;
    this.#soon(() => {
      this.#stepping = false;
      const next = this.#take();
      next?.owner.listen(next);
      this.#goOn();
    });
  }
}
