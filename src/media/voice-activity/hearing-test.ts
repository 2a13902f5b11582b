import { SAMPLE_RATE } from '../audio.ts';
import type { VadEngine, VadState, VadWindow } from './vad.ts';
import type { VadStream } from './vad-batch.ts';

/** Long enough for an engine that begins to listen: Silero is sure after 0.1 s. */
const SAMPLES = SAMPLE_RATE;
/** "a" and "i" of a man: where his voice resonates (Hz; Peterson and Barney 1952), how widely, and how loudly. */
const OPEN = [730, 1090, 2440];
const CLOSE = [270, 2290, 3010];
const WIDTHS = [80, 100, 140];
const STRENGTHS = [1, 0.6, 0.3];
const PITCH_HZ = 120;
const HIGHEST_HZ = 3700;
const HEARD = 0.5;

let made: Int16Array | undefined;

/** One second of gliding vowels, four syllables at about -20 dBFS. No recording of anybody, and the same every time. */
function knownVoice(): Int16Array {
  made ??= vowels();
  return made;
}

function vowels(): Int16Array {
  const pcm = new Int16Array(SAMPLES);
  let phase = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const seconds = i / SAMPLE_RATE;
    const close = 0.5 - 0.5 * Math.cos(2 * Math.PI * 2.5 * seconds);
    const pitch = PITCH_HZ * (1 + 0.12 * Math.sin(2 * Math.PI * 1.7 * seconds));
    const syllables = 0.55 - 0.45 * Math.cos(2 * Math.PI * 4 * seconds);
    phase += pitch / SAMPLE_RATE;
    let sum = 0;
    for (let harmonic = 1; harmonic * pitch < HIGHEST_HZ; harmonic++) {
      const amplitude = 0.02 + resonance(harmonic * pitch, close);
      sum += (amplitude / Math.sqrt(harmonic)) * Math.sin(2 * Math.PI * harmonic * phase);
    }
    pcm[i] = Math.round(5000 * syllables * sum);
  }
  return pcm;
}

function resonance(hz: number, close: number): number {
  return WIDTHS.reduce((sum, width, n) => {
    const centre = OPEN[n]! * (1 - close) + CLOSE[n]! * close;
    return sum + STRENGTHS[n]! / (1 + ((hz - centre) / width) ** 2);
  }, 0);
}

/**
 * Plays a voice to an engine, as one more stream of its batches, and tells whether it was heard: an engine that has said
 * nothing of a loud, lively sound may be deaf, or right, for music and a tone with gaps swing as a voice does.
 */
export class HearingTest implements VadStream {
  readonly #windowSamples: number;
  readonly #done: (heard: boolean) => void;
  readonly #voice = knownVoice();
  #state: VadState;
  #at = 0;
  #inFlight = false;
  #over = false;

  /** `done` is called once, behind a result; never when the engine is replaced meanwhile. */
  constructor(engine: VadEngine, done: (heard: boolean) => void) {
    this.#state = engine.open();
    this.#windowSamples = engine.windowSamples;
    this.#done = done;
  }

  next(): VadWindow | undefined {
    if (this.#inFlight || this.#over) return undefined;
    this.#inFlight = true;
    return { state: this.#state, pcm: this.#voice.subarray(this.#at, this.#at + this.#windowSamples) };
  }

  result(probability: number): void {
    this.#inFlight = false;
    if (this.#over) return;
    this.#at += this.#windowSamples;
    if (probability >= HEARD) this.#end(true);
    else if (this.#at + this.#windowSamples > this.#voice.length) this.#end(false);
  }

  /** A state that is spoilt within a second is a fault like any other. */
  resetState(): void {}

  /** The engine that was in question is gone. */
  attach(): void {
    this.#over = true;
  }

  close(): void {
    this.#over = true;
  }

  #end(heard: boolean): void {
    this.#over = true;
    this.#done(heard);
  }
}
