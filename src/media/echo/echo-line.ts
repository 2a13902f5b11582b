import { FRAME_SAMPLES, type Pcm } from '../audio.ts';
import { DECIMATION, Decimator } from './decimator.ts';
import { EchoPath } from './echo-path.ts';
import { type EchoMatch, findEcho } from './echo-search.ts';

/** Everything below counts samples of 2 kHz. */
export const FRAME = FRAME_SAMPLES / DECIMATION;
export const perMs = 2;
/** What is sent in a frame cannot be heard in the same one. */
export const MIN_LAG = FRAME;
export const MAX_LAG = 500 * perMs;
/** A path is looked for in this much of what was heard. */
export const SEARCH = 128 * perMs;
/** The caller's audio may come this much behind its time, and what was sent before must still be there. */
const MAX_BEHIND = 200 * perMs;
const HISTORY = EchoPath.reach(MAX_LAG) + SEARCH + FRAME + MAX_BEHIND;
/** Room for eight frames more: then all of it moves to the front, which costs less than the memory of many calls. */
const BUFFER = 2048;
/** An echo is at most 6 dB louder than what was sent. */
const MAX_GAIN = 4;
/** Rises of the noise floor: 2.5 dB per second. */
const NOISE_RISE = 1.012;
/** Noise of the line takes no more than this from what is asked of a copy. */
const MOST_NOISE = 0.6;
const SILENCE = new Int16Array(FRAME_SAMPLES);

/**
 * What the bot sent (`x`) and what was heard of the caller (`y`), at 2 kHz on one time line, half a second and more of
 * both, with the noise floor of the caller's side. Pure: as EchoGuard.
 */
export class EchoLine {
  readonly x = new Float32Array(BUFFER);
  readonly y = new Float32Array(BUFFER);
  readonly #botLine = new Decimator();
  readonly #callerLine = new Decimator();
  /** Where the frame that is being sent starts in both buffers. */
  #now = HISTORY;
  /** Samples sent since the beginning, and what lies between that timeline and the caller's. */
  #sent = 0;
  #offset: number | undefined;
  /** Of a frame. */
  #noise = Number.POSITIVE_INFINITY;

  /** Energy of the line's noise in a frame, as far as is known. */
  get noise(): number {
    return this.#noise;
  }

  /** Number of the frame that is being sent. */
  get frame(): number {
    return this.#sent / FRAME;
  }

  /** The frame, counted since the beginning, that was sent `lag` samples before what stands at `at`. */
  frameBefore(at: number, lag: number): number {
    return (this.#sent + at - this.#now - lag) / FRAME;
  }

  /**
   * Takes a frame of the caller's, `position` samples of 8 kHz into their stream. `from`: where it stands; `moved`: by so
   * many samples the caller's time line was found to lie otherwise than it was thought to (undefined: by more than any
   * network does).
   */
  heard(frame: Pcm, position: number): { from: number; energy: number; moved: number | undefined } {
    const { behind, moved } = this.#behind(position);
    const from = this.#now + behind;
    this.#callerLine.push(frame, this.y, from);
    const energy = energyOf(this.y, from, from + FRAME);
    this.#noise = energy < this.#noise ? energy : this.#noise * NOISE_RISE + 1;
    return { from, energy, moved };
  }

  /** What the bot sent in this frame, or silence. */
  sends(frame: Pcm = SILENCE): void {
    this.#botLine.push(frame, this.x, this.#now);
    this.#now += FRAME;
    this.#sent += FRAME;
    if (this.#now + FRAME <= BUFFER) return;
    const from = this.#now - HISTORY;
    this.x.copyWithin(0, from, this.#now);
    this.y.copyWithin(0, from, this.#now);
    this.#now = HISTORY;
  }

  /** A frame of time passes in which nobody listens. */
  rest(): void {
    this.#sent += FRAME;
  }

  /** Begins anew; the time goes on. */
  wake(): void {
    this.x.fill(0);
    this.y.fill(0);
    this.#botLine.reset();
    this.#callerLine.reset();
    this.#now = HISTORY;
  }

  /** Energy of what was heard. */
  energy(from: number, to: number): number {
    return energyOf(this.y, from, to);
  }

  /** As findEcho, with the correlation that would be without the noise of the line. */
  find(from: number, to: number, minLag = MIN_LAG, maxLag = MAX_LAG): EchoMatch {
    const match = findEcho(this.y, this.x, from, to, minLag, maxLag, MAX_GAIN);
    return { ...match, correlation: match.correlation / Math.sqrt(1 - this.noiseIn(from, to)) };
  }

  /** The share of the line's noise in the energy of what was heard. */
  noiseIn(from: number, to: number): number {
    return Math.min(MOST_NOISE, (this.#noise * (to - from)) / FRAME / (this.energy(from, to) + 1));
  }

  /**
   * How far the caller's timeline lies behind ours, as zero or a negative number of samples. The frame that came
   * earliest sets the zero; one that is out of all bounds, too.
   */
  #behind(position: number): { behind: number; moved: number | undefined } {
    this.#offset ??= this.#sent - position / DECIMATION;
    const ahead = Math.round(position / DECIMATION + this.#offset - this.#sent);
    if (ahead <= 0 && ahead >= -MAX_BEHIND) return { behind: ahead, moved: 0 };
    this.#offset -= ahead;
    return { behind: 0, moved: ahead > 0 && ahead < MAX_BEHIND ? -ahead : undefined };
  }
}

function energyOf(signal: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += signal[i]! * signal[i]!;
  return sum;
}
