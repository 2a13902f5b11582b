import { EnergyVad } from './energy-vad.ts';
import type { SpeechDetector } from './speech-detector.ts';
import type { VadEngine, VadWindow } from './vad.ts';

/**
 * Collects the windows of all calls of a worker into one inference at a time. The pacer never waits for it: what is
 * not ready at a tick goes with the next one, and results are taken whenever they come.
 */
export class VadBatch {
  /** Inferences that failed; their windows are judged by level. */
  failures = 0;
  readonly engine: VadEngine;
  readonly #detectors = new Set<SpeechDetector>();
  readonly #onFailure: (error: unknown) => void;
  #windows: VadWindow[] = [];
  #owners: SpeechDetector[] = [];
  #busy = false;
  #idle: (() => void) | undefined;

  constructor(engine: VadEngine | undefined, onFailure: (error: unknown) => void) {
    this.engine = engine ?? new EnergyVad();
    this.#onFailure = onFailure;
  }

  add(detector: SpeechDetector): void {
    this.#detectors.add(detector);
  }

  delete(detector: SpeechDetector): void {
    detector.close();
    this.#detectors.delete(detector);
  }

  /** Starts an inference if windows wait and none is running. Call once per tick. */
  run(): void {
    if (this.#busy) return;
    const windows = this.#windows;
    const owners = this.#owners;
    windows.length = 0;
    owners.length = 0;
    for (const detector of this.#detectors) {
      const window = detector.next();
      if (window === undefined) continue;
      windows.push(window);
      owners.push(detector);
    }
    if (windows.length === 0) return;
    this.#busy = true;
    this.#infer(windows).then(this.#done, this.#failed);
  }

  /** Ends the engine, after the inference that is running. */
  async close(): Promise<void> {
    if (this.#busy) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.engine.close();
  }

  async #infer(windows: VadWindow[]): Promise<Float32Array> {
    return this.engine.infer(windows);
  }

  readonly #done = (probabilities: Float32Array): void => {
    for (let i = 0; i < this.#owners.length; i++) this.#owners[i]!.result(probabilities[i] ?? 0);
    this.#settled();
  };

  readonly #failed = (error: unknown): void => {
    this.failures++;
    for (const owner of this.#owners) owner.result(Number.NaN);
    this.#settled();
    this.#onFailure(error);
  };

  readonly #again = (): void => this.run();

  #settled(): void {
    this.#busy = false;
    this.#idle?.();
    // A backlog goes on behind the event loop's other work, so that a slow engine cannot starve the pacer.
    if (this.#owners.some((owner) => owner.hasNext)) setImmediate(this.#again);
  }
}
