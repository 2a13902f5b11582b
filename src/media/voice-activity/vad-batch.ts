import type { Clock, Ms } from '../../core/clock.ts';
import { EnergyVad } from './energy-vad.ts';
import { HearingTest } from './hearing-test.ts';
import type { VadEngine, VadWindow } from './vad.ts';

/** Windows per inference: more gain nothing (measured with Silero) but hold the event loop longer ... */
const MAX_WINDOWS = 32;
/** ... unless the engine costs next to nothing. */
const LONGEST_MS = 1;
/** Every detector's turn comes at least this often, however little time there is between ticks. */
const MAX_WAIT_MS = 60;
/** No window is cheaper than this: the clock is not that fine. */
const LEAST_COST_MS = 0.001;
/** A first guess at what a window costs; then the running mean counts. */
const FIRST_COST_MS = 0.1;
/** An inference that has not settled by then never will. */
const HUNG_MS = 1500;
/** Failures in a row after which the engine is replaced. */
const MAX_FAILURES = 5;
/** Pause before an engine is replaced again: doubles each time up to the longest, and starts over after a good hour. */
const RESTART_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 640_000;

export interface VadBatchHooks {
  /** Makes another engine; without it a faulty one is kept. */
  load?: () => Promise<VadEngine>;
  log(level: 'warn' | 'error', message: string): void;
}

/** What is to be heard by the engine, one window after the other. */
export interface VadStream {
  /** The next window, unless the one before is with the engine still. */
  next(): VadWindow | undefined;
  /** Of the window handed out last; NaN where the engine failed. */
  result(probability: number): void;
  /** The engine has said nonsense of this stream. */
  resetState(): void;
  /** Another engine, of windows of the same size. */
  attach(engine: VadEngine): void;
  close(): void;
}

/** The stream of a call. */
export interface CallerStream extends VadStream {
  /** Until another engine is there, the level decides. */
  byLevel: boolean;
}

/**
 * Collects the windows of all calls of a worker into one inference at a time, as many as fit before the next tick.
 * The pacer never waits for it: what is not ready goes with the next one, and results are taken whenever they come.
 * An engine that fails, hangs or has gone deaf is replaced; meanwhile levels decide.
 */
export class VadBatch {
  /** Inferences that failed; their windows are judged by level. */
  failures = 0;
  /** Engines replaced. */
  restarts = 0;
  readonly #hooks: VadBatchHooks;
  readonly #clock: Clock;
  #engine: VadEngine;
  #streams: VadStream[] = [];
  #cursor = 0;
  #windows: VadWindow[] = [];
  #owners: VadStream[] = [];
  /** Counts inferences; the result of one that was given up is nobody's. */
  #running = 0;
  #busy = false;
  #startedAt: Ms = Number.NEGATIVE_INFINITY;
  #until: Ms = 0;
  #costMs = FIRST_COST_MS;
  #failuresInARow = 0;
  #replacement: Promise<void> | undefined;
  #test: HearingTest | undefined;
  /** Those who may have been unheard: if they were, the level decides until there is another engine. */
  #unheard = new Set<CallerStream>();
  #replacedAt: Ms = Number.NEGATIVE_INFINITY;
  #pauseMs: Ms = RESTART_PAUSE_MS;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(engine: VadEngine | undefined, clock: Clock, hooks: VadBatchHooks) {
    this.#engine = engine ?? new EnergyVad();
    this.#clock = clock;
    this.#hooks = hooks;
  }

  get engine(): VadEngine {
    return this.#engine;
  }

  add(stream: VadStream): void {
    this.#streams.push(stream);
  }

  delete(stream: VadStream): void {
    stream.close();
    this.#streams = this.#streams.filter((other) => other !== stream);
  }

  /**
   * What may have been a voice went unheard on this stream, which is not at fault itself: the engine has to hear a voice
   * that is one, or is replaced.
   */
  suspect(stream: CallerStream): void {
    if (this.#closed || this.#replacement) return;
    this.#unheard.add(stream);
    if (this.#test) return;
    const test = new HearingTest(this.#engine, (heard) => {
      this.#endTest();
      if (heard || !this.replace('a voice went unheard')) this.#unheard.clear();
      for (const one of this.#unheard) one.byLevel = true;
    });
    this.#test = test;
    this.add(test);
  }

  /** Starts an inference if windows wait and none is running. Call once per tick; `until`: when the next is due. */
  run(until: Ms): void {
    this.#until = until;
    if (!this.#busy) this.#start();
    else if (this.#clock.now() - this.#startedAt > HUNG_MS) this.#giveUp();
  }

  /** Replaces the engine. False when none can be made, or one was made a short while ago. */
  replace(reason: string): boolean {
    const now = this.#clock.now();
    const { load } = this.#hooks;
    if (!load || this.#closed) return false;
    if (this.#replacement) return true;
    if (now - this.#replacedAt < this.#pauseMs) return false;
    const calm = now - this.#replacedAt > 3_600_000;
    this.#pauseMs = calm ? RESTART_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
    this.#replacedAt = now;
    this.#hooks.log('error', `the VAD is started anew: ${reason}`);
    this.#replacement = load().then(
      (engine) => this.#swap(engine),
      (error: unknown) => {
        this.#hooks.log('error', `the VAD does not start: ${String(error)}`);
        for (const one of this.#unheard) one.byLevel = false;
        this.#unheard.clear();
      },
    );
    void this.#replacement.finally(() => {
      this.#replacement = undefined;
    });
    return true;
  }

  /** Ends the engine, after the inference that is running. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#replacement;
    if (this.#busy && this.#clock.now() - this.#startedAt < HUNG_MS) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#engine.close();
  }

  #start(): void {
    const now = this.#clock.now();
    const windows = this.#windows;
    const owners = this.#owners;
    windows.length = 0;
    owners.length = 0;
    const fit = Math.floor((this.#until - now) / this.#costMs);
    const starving = now - this.#startedAt > MAX_WAIT_MS;
    const cap = Math.max(MAX_WINDOWS, Math.floor(LONGEST_MS / this.#costMs));
    const most = starving ? cap : Math.min(cap, fit);
    const { length } = this.#streams;
    // Goes on where the last one stopped, so that a slow engine is slow for all alike.
    for (let i = 0; i < length && windows.length < most; i++) {
      this.#cursor = (this.#cursor + 1) % length;
      const stream = this.#streams[this.#cursor]!;
      const window = stream.next();
      if (window === undefined) continue;
      windows.push(window);
      owners.push(stream);
    }
    if (windows.length === 0) return;
    this.#busy = true;
    this.#startedAt = now;
    const run = ++this.#running;
    this.#infer(windows).then(
      (probabilities) => this.#done(run, probabilities),
      (error: unknown) => this.#failed(run, error),
    );
  }

  async #infer(windows: VadWindow[]): Promise<Float32Array> {
    return this.#engine.infer(windows);
  }

  #done(run: number, probabilities: Float32Array): void {
    if (run !== this.#running) return;
    const { length } = this.#owners;
    const cost = (this.#clock.now() - this.#startedAt) / length;
    this.#costMs = Math.max(LEAST_COST_MS, this.#costMs + 0.05 * (cost - this.#costMs));
    this.#failuresInARow = 0;
    for (let i = 0; i < length; i++) {
      const probability = probabilities[i] ?? 0;
      if (Number.isNaN(probability)) this.#owners[i]!.resetState();
      this.#owners[i]!.result(probability);
    }
    this.#settled();
  }

  #failed(run: number, error: unknown): void {
    if (run !== this.#running) return;
    this.failures++;
    if (this.#failuresInARow++ === 0) this.#hooks.log('error', `VAD inference failed: ${String(error)}`);
    for (const owner of this.#owners) owner.result(Number.NaN);
    this.#settled();
    if (this.#failuresInARow >= MAX_FAILURES) this.replace('it fails again and again');
  }

  #endTest(): void {
    if (this.#test) this.delete(this.#test);
    this.#test = undefined;
  }

  /** What hangs is left behind; its windows, and those to come until it is replaced, are judged by level. */
  #giveUp(): void {
    this.failures++;
    this.#running++;
    for (const owner of this.#owners) owner.result(Number.NaN);
    this.#engine = new FailedVad(this.#engine);
    this.#settled();
    this.replace('an inference hangs');
  }

  #swap(engine: VadEngine): void {
    const before = this.#engine;
    this.#engine = engine;
    // A running inference of the old engine, if any, is nobody's any more: attach frees its windows.
    this.#running++;
    this.#busy = false;
    this.restarts++;
    this.#failuresInARow = 0;
    for (const stream of this.#streams) stream.attach(engine);
    this.#unheard.clear();
    this.#endTest();
    this.#idle?.();
    before.close().catch((error: unknown) => this.#hooks.log('warn', `the old VAD does not close: ${String(error)}`));
  }

  readonly #again = (): void => {
    if (!this.#busy && !this.#closed) this.#start();
  };

  #settled(): void {
    this.#busy = false;
    this.#idle?.();
    // The rest goes on behind the event loop's other work, so that a slow engine cannot starve the pacer.
    setImmediate(this.#again);
  }
}

/** Stands where an engine hangs: nothing is asked of that one any more. */
class FailedVad implements VadEngine {
  readonly windowSamples: number;
  readonly #hung: VadEngine;

  constructor(hung: VadEngine) {
    this.windowSamples = hung.windowSamples;
    this.#hung = hung;
  }

  open(): ReturnType<VadEngine['open']> {
    return this.#hung.open();
  }

  infer(): Promise<Float32Array> {
    return Promise.reject(new Error('it hangs'));
  }

  /** Closing what hangs would hang. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
