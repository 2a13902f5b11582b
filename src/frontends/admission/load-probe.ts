import { availableParallelism, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoadSample } from '../../call/admission.ts';
import { type Ms, monotonicNow } from '../../core/clock.ts';

const RESOLUTION_MS = 10;
/** Set-ups looked at in one sample. Fewer than the least say nothing of load. */
const MOST_SETUPS = 1_000;
const LEAST_SETUPS = 5;

/** Measures this process, all its threads included; its children (database, demo bank) are not counted. */
export class LoadProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #memory = memoryLimit();
  #cpu = process.cpuUsage();
  #at: Ms = monotonicNow();
  #setups: Ms[] = [];
  #answered = 0;

  constructor() {
    this.#delay.enable();
  }

  /** A call has been set up, from its beginning to our answer. */
  setUp(tookMs: Ms): void {
    if (this.#setups.length < MOST_SETUPS) this.#setups.push(tookMs);
  }

  /** Calls that were set up before the last sample, since the one before. */
  get answered(): number {
    return this.#answered;
  }

  /** Since the sample before. `receiveMs`: how long requests have waited until they were read. */
  sample(receiveMs: Ms): LoadSample {
    const now = monotonicNow();
    const used = process.cpuUsage(this.#cpu);
    const elapsedUs = Math.max(1, (now - this.#at) * 1000);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    // The histogram holds whole intervals between two ticks of its timer.
    const late = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#delay.reset();
    const setups = this.#setups.length < LEAST_SETUPS ? [] : this.#setups.sort((a, b) => a - b);
    this.#answered = this.#setups.length;
    this.#setups = [];
    return {
      cpu: (used.user + used.system) / elapsedUs / availableParallelism(),
      memory: process.memoryUsage.rss() / this.#memory,
      loopDelayMs: Math.max(0, late),
      setupMs: setups[setups.length >> 1] ?? 0,
      receiveMs,
    };
  }

  close(): void {
    this.#delay.disable();
  }
}

/** What a cgroup or a ulimit leaves us, else the machine's memory. Without a limit the kernel tells a huge number. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
