import type { LoadSample } from '../../call/admission.ts';

export type LoadLimits = LoadSample;

export type Overload = keyof LoadSample;

/** A limit is left behind only when its figure is below this part of it: no flapping at the edge. */
const RELEASE = 0.85;
/** As many samples in a row have to say so, in both directions: one busy second is no overload. */
const SAMPLES = 3;

/**
 * Says when new calls must be refused so that those that are there do not suffer, with hysteresis in level and in time.
 * Pure: samples come from load-probe.ts, at even intervals.
 */
export class LoadGuard {
  readonly #limits: LoadLimits;
  readonly #states: Record<Overload, { over: boolean; samples: number }> = {
    cpu: { over: false, samples: 0 },
    memory: { over: false, samples: 0 },
    loopDelayMs: { over: false, samples: 0 },
  };

  constructor(limits: LoadLimits) {
    this.#limits = limits;
  }

  observe(sample: LoadSample): void {
    for (const [key, state] of Object.entries(this.#states) as [Overload, { over: boolean; samples: number }][]) {
      const limit = this.#limits[key];
      const turns = state.over ? sample[key] < limit * RELEASE : sample[key] > limit;
      state.samples = turns ? state.samples + 1 : 0;
      if (state.samples < SAMPLES) continue;
      state.over = !state.over;
      state.samples = 0;
    }
  }

  /** What is exhausted; undefined while all is well. */
  get overload(): Overload | undefined {
    return (Object.keys(this.#states) as Overload[]).find((key) => this.#states[key].over);
  }
}
