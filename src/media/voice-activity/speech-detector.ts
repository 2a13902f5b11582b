import type { Ms } from '../../core/clock.ts';
import { type Pcm, SAMPLE_RATE } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import { levelDb } from '../level.ts';
import { EnergyState, energyProbability } from './energy-vad.ts';
import { RoomLevel } from './room-level.ts';
import type { VadEngine, VadState, VadWindow } from './vad.ts';
import type { CallerStream } from './vad-batch.ts';
import { END_THRESHOLD, START_THRESHOLD, VadGate, type VadGateEvent } from './vad-gate.ts';
import { VoiceWatch } from './voice-watch.ts';

/** Windows that may wait for the engine; then the oldest goes. 8 windows of Silero are 256 ms. */
const MAX_PENDING = 8;
/** Quieter than this is the codec's own silence and not worth an inference. */
const CODEC_SILENCE_DB = -70;
/** After this many skipped windows the engine's memory of what was before is stale. */
const RESET_AFTER_SKIPPED = 16;

interface Pending {
  window: VadWindow;
  at: Ms;
  levelDb: number;
  /** Samples that are the bot's echo. */
  echo: number;
}

export type SpeechEvent =
  | VadGateEvent
  /** The first voiced window, from `at` on. Followed by `start` or `dismissed`. */
  | { type: 'maybe'; at: Ms }
  /** It was a click. */
  | { type: 'dismissed' };

export interface SpeechDetectorHooks {
  event(event: SpeechEvent): void;
  /** What may be a voice has gone unnoticed although the stream's state was reset: the engine itself may be at fault. */
  unheard(): void;
}

/**
 * One call's way to its VAD: cuts the caller's audio into the engine's windows, holds those that wait for the next
 * batch, and passes results to the gate in order. Watches over the engine: what it does not answer is judged by level.
 */
export class SpeechDetector implements CallerStream {
  readonly gate: VadGate;
  /** Windows dropped because the engine was too slow. */
  dropped = 0;
  /** Times the stream's state was reset because the engine did not hear a voice, or gave nonsense. */
  resets = 0;
  byLevel = false;

  readonly #hooks: SpeechDetectorHooks;
  readonly #windowSamples: number;
  readonly #windowMs: Ms;
  readonly #energy = new EnergyState();
  readonly #watch = new VoiceWatch();
  readonly #room = new RoomLevel();
  #state: VadState;
  /** A ring: the windows are made once and used again. */
  readonly #ring: Pending[];
  #head = 0;
  #waiting = 0;
  #inFlight = false;
  #fill = 0;
  #skipped = 0;
  /** Times in a row that voice went unnoticed. */
  #deaf = 0;
  #closed = false;

  constructor(engine: VadEngine, hooks: SpeechDetectorHooks) {
    this.gate = new VadGate();
    this.#hooks = hooks;
    this.#state = engine.open();
    this.#windowSamples = engine.windowSamples;
    this.#windowMs = (engine.windowSamples * 1000) / SAMPLE_RATE;
    // One more than may wait: it is being filled.
    this.#ring = Array.from({ length: MAX_PENDING + 1 }, () => ({
      window: { state: this.#state, pcm: int16s(engine.windowSamples) },
      at: 0,
      levelDb: 0,
      echo: 0,
    }));
  }

  /** Takes a frame whose first sample was spoken at `at`; `echo` when nobody but the bot itself is in it. */
  push(frame: Pcm, at: Ms, echo = false): void {
    let from = 0;
    while (from < frame.length) {
      const pending = this.#ring[(this.#head + this.#waiting) % this.#ring.length]!;
      if (this.#fill === 0) {
        pending.at = at + (from * 1000) / SAMPLE_RATE;
        pending.echo = 0;
      }
      const take = Math.min(frame.length - from, this.#windowSamples - this.#fill);
      const { pcm } = pending.window;
      for (let i = 0; i < take; i++) pcm[this.#fill + i] = frame[from + i]!;
      if (echo) pending.echo += take;
      from += take;
      this.#fill += take;
      if (this.#fill === this.#windowSamples) this.#complete(pending);
    }
  }

  /** The next window that needs the engine, if none is with it already. */
  next(): VadWindow | undefined {
    if (this.#inFlight || !this.hasNext) return undefined;
    this.#inFlight = true;
    return this.#ring[this.#head]!.window;
  }

  /** The engine's result for the window handed out last; NaN when it failed, then the level decides. */
  result(probability: number): void {
    this.#inFlight = false;
    if (!this.hasNext) return;
    const pending = this.#ring[this.#head]!;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#waiting--;
    const byLevel = energyProbability(this.#energy, pending.levelDb);
    this.#decide(this.byLevel || Number.isNaN(probability) ? byLevel : probability, pending);
    if (!this.byLevel && probability >= START_THRESHOLD) {
      this.#deaf = 0;
      this.#watch.noticed();
    }
  }

  /** Nonsense came for this stream alone: its recurrent state is spoilt, and would stay so. */
  resetState(): void {
    this.resets++;
    this.#state.reset();
  }

  /** Goes on with another engine, of the same windows. What waits is judged by that one. */
  attach(engine: VadEngine): void {
    this.#state = engine.open();
    this.#inFlight = false;
    this.byLevel = false;
    for (const pending of this.#ring) pending.window = { state: this.#state, pcm: pending.window.pcm };
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
    this.#watchOver(pending);
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

  /** First this stream's state is reset; when that does not help, the engine is called into question. */
  #watchOver({ levelDb: level, echo }: Pending): void {
    if (!this.#watch.push(echo > 0 ? -100 : level, this.#windowMs)) return;
    if (++this.#deaf === 1) this.resetState();
    else if (this.#deaf === 2) this.#hooks.unheard();
  }

  /** Of a room full of voices, only what stands out of it counts. */
  #callers(probability: number, level: number, echo: number): number {
    if (echo > 0) return probability;
    const speech = probability >= END_THRESHOLD;
    return level < this.#room.push(level, speech, this.#windowMs, this.gate.speaking) ? 0 : probability;
  }

  #decide(probability: number, { levelDb: level, at, echo }: Pending): void {
    const { gate } = this;
    const suspected = gate.suspecting;
    // The bot's own voice is no speech of the caller's, however much it sounds like some.
    const p = 2 * echo >= this.#windowSamples ? 0 : this.#callers(probability, level, echo);
    const event = gate.push(p, level, at, this.#windowMs);
    if (event) this.#hooks.event(event);
    else if (gate.suspecting && !suspected) this.#hooks.event({ type: 'maybe', at: gate.firstVoicedAt });
    else if (suspected && !gate.suspecting) this.#hooks.event({ type: 'dismissed' });
  }
}
