import type { Peaks } from '../media/recording/peaks.ts';

/** Keeps the peaks of the last recordings looked at, and computes one at a time. */
export class PeaksCache {
  readonly #kept = new Map<string, Peaks>();
  readonly #capacity: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(capacity = 32) {
    this.#capacity = capacity;
  }

  get(key: string, compute: () => Promise<Peaks | undefined>): Promise<Peaks | undefined> {
    const job = this.#last.then(async () => {
      const kept = this.#kept.get(key);
      if (kept) return kept;
      const peaks = await compute();
      if (peaks) {
        this.#kept.set(key, peaks);
        if (this.#kept.size > this.#capacity) this.#kept.delete(this.#kept.keys().next().value!);
      }
      return peaks;
    });
    this.#last = job.catch(() => undefined);
    return job;
  }
}
