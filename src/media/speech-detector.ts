import type { Ms } from '../core/clock.ts';
import { type Pcm, SAMPLE_RATE } from './audio.ts';
import { levelDb } from './level.ts';
import type { VadEngine, VadState, VadWindow } from './vad.ts';
import { VadGate, type VadGateEvent, type VadGateOptions } from './vad-gate.ts';

/** Windows that may wait for the engine; then the oldest goes. 8 windows of Silero are 256 ms. */
const MAX_PENDING = 8;
/** Quieter than this is the codec's own silence and not worth an inference. */
const CODEC_SILENCE_DB = -70;
/** After this many skipped windows the engine's memory of what was before is stale. */
const RESET_AFTER_SKIPPED = 16;

interface Pending {
  readonly window: VadWindow;
  at: Ms;
  levelDb: number;
}

/**
 * One call's way to its VAD: cuts the caller's audio into the engine's windows, holds those that wait for the next
 * batch, and passes results to the gate in order.
 */
export class SpeechDetector {
  readonly gate: VadGate;
  /** Windows dropped because the engine was too slow. */
  dropped = 0;

  readonly #onEvent: (event: VadGateEvent) => void;
  readonly #state: VadState;
  readonly #windowSamples: number;
  readonly #windowMs: Ms;
  /** A ring: the windows are made once and used again. */
  readonly #ring: Pending[];
  #head = 0;
  #waiting = 0;
  #inFlight = false;
  #fill = 0;
  #skipped = 0;
  #closed = false;

  constructor(engine: VadEngine, options: VadGateOptions, onEvent: (event: VadGateEvent) => void) {
    this.gate = new VadGate(options);
    this.#onEvent = onEvent;
    this.#state = engine.open();
    this.#windowSamples = engine.windowSamples;
    this.#windowMs = (engine.windowSamples * 1000) / SAMPLE_RATE;
    // One more than may wait: it is being filled.
    this.#ring = Array.from({ length: MAX_PENDING + 1 }, () => ({
      window: { state: this.#state, pcm: new Int16Array(engine.windowSamples) },
      at: 0,
      levelDb: 0,
    }));
  }

  /** Takes a frame whose first sample was spoken at `at`. */
  push(frame: Pcm, at: Ms): void {
    let from = 0;
    while (from < frame.length) {
      const pending = this.#ring[(this.#head + this.#waiting) % this.#ring.length]!;
      if (this.#fill === 0) pending.at = at + (from * 1000) / SAMPLE_RATE;
      const take = Math.min(frame.length - from, this.#windowSamples - this.#fill);
      const { pcm } = pending.window;
      for (let i = 0; i < take; i++) pcm[this.#fill + i] = frame[from + i]!;
      from += take;
      this.#fill += take;
      if (this.#fill === this.#windowSamples) this.#complete(pending);
    }
  }

  /** The next window that needs the engine, if none is with it already. */
  next(): VadWindow | undefined {
    if (this.#inFlight || this.#waiting === 0 || this.#closed) return undefined;
    this.#inFlight = true;
    return this.#ring[this.#head]!.window;
  }

  /** The engine's result for the window handed out last; NaN when it failed, then the level decides. */
  result(probability: number): void {
    this.#inFlight = false;
    if (this.#closed || this.#waiting === 0) return;
    const pending = this.#ring[this.#head]!;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#waiting--;
    this.#decide(Number.isNaN(probability) ? levelGuess(pending.levelDb) : probability, pending);
  }

  get hasNext(): boolean {
    return this.#waiting > 0 && !this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  #complete(pending: Pending): void {
    this.#fill = 0;
    pending.levelDb = levelDb(pending.window.pcm);
    if (pending.levelDb < CODEC_SILENCE_DB && this.#waiting === 0) {
      if (++this.#skipped === RESET_AFTER_SKIPPED) this.#state.reset();
      this.#decide(0, pending);
      return;
    }
    this.#skipped = 0;
    if (this.#waiting < MAX_PENDING) {
      this.#waiting++;
      return;
    }
    this.dropped++;
    // The oldest goes, unless the engine is reading it at this moment: then the newest is overwritten.
    if (!this.#inFlight) this.#head = (this.#head + 1) % this.#ring.length;
  }

  #decide(probability: number, { levelDb: level, at }: Pending): void {
    const event = this.gate.push(probability, level, at, this.#windowMs);
    if (event) this.#onEvent(event);
  }
}

/** Better than deafness while the engine fails. */
function levelGuess(db: number): number {
  return db > -38 ? 1 : 0;
}
