import type { Pcm } from '../audio.ts';
import { meanSquare } from '../level.ts';
import { EchoLevel } from './echo-level.ts';
import { EchoLine, FRAME, MAX_LAG, MIN_LAG, perMs, SEARCH } from './echo-line.ts';
import { EchoPath } from './echo-path.ts';
import type { EchoMatch, SearchBudget } from './echo-search.ts';

/** The bot's sound may come back this long after it was sent: the longest lag, and the room. */
const TAIL_FRAMES = 32;

/** A copy of the bot is believed from this correlation on; two voices that are not copies stay below it. */
const MIN_CORRELATION = 0.7;
/** And from this one on without waiting for the next frame to bear it out. */
const SURE_CORRELATION = 0.85;
/** Lags this close are one path. */
const SAME_LAG = 6;
/** An echo has moved when it correlates by this much better elsewhere. */
const MOVED_BY = 0.15;
/** The last 40 ms are a plain copy of what was sent from this correlation on, whatever the filter thinks. */
const COPY = 40 * perMs;
const COPY_CORRELATION = 0.87;
/** A path that moves, moves by at most 40 ms at a time, and leaves no more than this of the last 40 ms unexplained. */
const FARTHEST = 40 * perMs;
const MOVED_WITHIN = 40 * perMs;
const MOVED_REST = 0.45;
/** ... and much less than where it was: else it is still there, and the caller speaks too. */
const MOVED_GAIN = 0.6;
/** Quieter than this (power per sample after the filter, about -60 dBFS) nothing is worth a look. */
const FLOOR = 300;
/** Searches cost a quarter of a millisecond: so many at once, then one per so many frames. */
const SEARCH_BURST = 6;
const SEARCH_EVERY_FRAMES = 50;
/** Frames learned per solution. */
const SOLVE_EVERY = 2;
/** The room: predicted echo fades by 3 dB per frame at the fastest. */
const DECAY = 0.5;
const OVER_NOISE = 3;
/** So much of what the path predicts may stay unexplained: three times what usually does, within limits. */
const USUAL_REST = 0.1;
const MIN_SHARE = 0.3;
const MAX_SHARE = 1.5;
/** Once the caller was heard over the echo, gaps of this many frames are still the caller's. */
const CALLER_HOLD = 10;
/** ... unless so many in a row are nothing but echo. */
const ECHO_AGAIN = 2;
/** A path gains by each frame that it explains and loses by each that it does not; below the least it is forgotten. */
const MOST_TRUST = 40;
const LEAST_TRUST = -8;
/** After echo, frames too quiet to judge count as echo this long. */
const ECHO_HOLD = 5;

/**
 * Tells the bot's own echo from the caller, for callers on loudspeakers. Compares what is heard with what was sent up
 * to half a second before: finds the lag by cross-correlation, learns the path as a short filter, and takes a frame
 * for echo when hardly more comes back than the path explains. What is louder is the caller. Without a path, nothing
 * is ever taken for echo. Works only while the bot sounds and 0.6 s after.
 *
 * Pure: `sent` is called once per frame of 20 ms, `heard` before it for every frame that came: none, one or more.
 */
export class EchoGuard {
  /** Frames taken for echo, searches made, paths found. */
  readonly counts = { echoFrames: 0, searches: 0, paths: 0, moves: 0 };
  readonly #budget: SearchBudget | undefined;
  readonly #line = new EchoLine();
  /** Frames since the bot sounded; beyond the tail the guard rests. */
  #quietFrames = TAIL_FRAMES + 1;
  #path: EchoPath | undefined;
  /** The path before, in case the new one was a mistake. */
  #former: EchoPath | undefined;
  #trust = 0;
  readonly #level = new EchoLevel();
  /** Of the frame that is judged, over the whole band. */
  #power = 0;
  #expected = 0;
  #usualRest = USUAL_REST;
  /** Frames in a row that the path does not explain. */
  #overs = 0;
  #callerHold = 0;
  /** Frames in a row that it does explain, since the caller was heard. */
  #explained = 0;
  #echoHold = 0;
  #learnt = 0;
  #searches = SEARCH_BURST;
  #searchRefill = 0;

  /** `budget`: shared with others that must not all search at once. */
  constructor(budget?: SearchBudget) {
    this.#budget = budget;
  }

  /** Lag and gain of the path, once one was found. */
  get path(): { lagMs: number; gainDb: number } | undefined {
    return this.#path && { lagMs: this.#path.lag / perMs, gainDb: this.#path.gainDb };
  }

  /** Is this frame of the caller's nothing but the bot's echo? `position`: samples (8 kHz) on the caller's timeline. */
  heard(frame: Pcm, position: number): boolean {
    if (this.#quietFrames > TAIL_FRAMES) return false;
    this.#power = meanSquare(frame);
    const { from, energy, moved } = this.#line.heard(frame, position);
    if (moved === undefined || moved !== 0) this.#onLineMoved(moved);
    this.#refill();
    const echo = this.#judge(energy, from);
    if (echo) this.counts.echoFrames++;
    return echo;
  }

  /** What the bot sent in this frame; undefined for silence. */
  sent(frame: Pcm | undefined): void {
    if (frame === undefined) {
      if (this.#quietFrames > TAIL_FRAMES) {
        this.#line.rest();
        return;
      }
      this.#quietFrames++;
      this.#level.sent(this.#line.frame, 0);
    } else {
      if (this.#quietFrames > TAIL_FRAMES) this.#wake();
      this.#quietFrames = 0;
      this.#level.sent(this.#line.frame, meanSquare(frame));
    }
    this.#line.sends(frame);
  }

  /** Time has passed without frames: what was sent before no longer lines up. The path is kept. */
  skip(): void {
    this.#quietFrames = TAIL_FRAMES + 1;
  }

  /** The caller's time line lies otherwise against ours than we thought, and so does the path. */
  #onLineMoved(samples: number | undefined): void {
    if (samples !== undefined && this.#path?.shift(samples, MIN_LAG) === false) this.#path = undefined;
  }

  #judge(energy: number, from: number): boolean {
    const { x, y, noise } = this.#line;
    const quiet = energy < Math.max(FLOOR * FRAME, OVER_NOISE * noise);
    const path = this.#path;
    if (path !== undefined) {
      const { echo, rest } = path.predict(y, x, from, from + FRAME);
      this.#expected = Math.max(echo, this.#expected * DECAY);
      const allowed = this.#share * this.#expected + OVER_NOISE * Math.min(noise, energy);
      if (!quiet && energy > 0) {
        path.learn(y, x, from, from + FRAME, 1 / (rest + 0.02 * energy + FRAME));
        if (++this.#learnt % SOLVE_EVERY === 0) path.solve();
      }
      // Where in what was sent this frame comes from.
      const source = this.#line.frameBefore(from, path.lag);
      if (quiet) return this.#onQuiet(source);
      if (rest <= allowed) return this.#onEcho(rest, source);
      if (this.#isCopy(path.lag, from + FRAME)) return this.#onExplained();
      if (this.#former && this.#isCopy(this.#former.lag, from + FRAME)) {
        [this.#path, this.#former] = [this.#former, path];
        this.#level.forget();
        return this.#onExplained();
      }
      if (this.#hasMoved(path, from + FRAME)) return this.#onExplained();
      if (this.#onOver(rest > 4 * allowed)) return this.#look(from);
      return this.#echoHold > 0;
    }
    return !quiet && this.#look(from);
  }

  get #share(): number {
    return Math.min(MAX_SHARE, Math.max(MIN_SHARE, 3 * this.#usualRest));
  }

  /** Nothing in the band of the path: silence, or a consonant that has nothing there; then its loudness tells. */
  #onQuiet(source: number): boolean {
    this.#overs = 0;
    if (this.#callerHold > 0) {
      this.#callerHold--;
      return false;
    }
    if (this.#level.explains(source, this.#power)) return true;
    if (this.#echoHold === 0) return false;
    this.#echoHold--;
    return true;
  }

  #onEcho(rest: number, source: number): boolean {
    this.#level.learn(source, this.#power);
    if (this.#expected > 0) this.#usualRest += 0.1 * (Math.min(1, rest / this.#expected) - this.#usualRest);
    return this.#onExplained();
  }

  #onExplained(): boolean {
    this.#overs = 0;
    this.#trust = Math.min(MOST_TRUST, this.#trust + 1);
    if (this.#callerHold > 0) {
      this.#callerHold--;
      if (++this.#explained < ECHO_AGAIN) return false;
    }
    this.#callerHold = 0;
    this.#echoHold = ECHO_HOLD;
    return true;
  }

  /** More than echo: at once when much, else the second time. True when it is the caller. */
  #onOver(much: boolean): boolean {
    this.#overs++;
    if (--this.#trust < LEAST_TRUST) this.#path = undefined;
    if (!much && this.#overs < 2 && this.#callerHold === 0) return false;
    this.#callerHold = CALLER_HOLD;
    this.#explained = 0;
    this.#echoHold = 0;
    return true;
  }

  /** Looks for a path in what was heard up to now. True when one was found that leaves no doubt. */
  #look(from: number): boolean {
    if (this.#searches < 1 || this.#budget?.take() === false) return false;
    this.#searches--;
    this.counts.searches++;
    const to = from + FRAME;
    const { x, y } = this.#line;
    const match = this.#line.find(to - SEARCH, to);
    if (match.correlation < MIN_CORRELATION) return false;
    if (this.#path && !this.#isElsewhere(match, this.#path.lag, to)) return false;
    const path = new EchoPath(match.lag, MIN_LAG);
    path.learn(y, x, to - SEARCH, to, 1 / (0.3 * this.#line.energy(from, to) + FRAME));
    path.solve();
    this.#former = this.#path;
    this.#path = path;
    this.#level.forget();
    this.#trust = 0;
    this.counts.paths++;
    this.#usualRest = USUAL_REST;
    this.#callerHold = 0;
    this.#overs = 0;
    this.#expected = path.predict(y, x, from, to).echo;
    return match.correlation >= SURE_CORRELATION;
  }

  /**
   * The filter has not met such sounds yet, but they are a copy of what was sent at its lag: the filter is at fault, and
   * learns.
   */
  #isCopy(lag: number, to: number): boolean {
    return this.#near(lag, to - COPY, to) >= COPY_CORRELATION;
  }

  /** The same path at another delay: what it has learned holds there. */
  #hasMoved(path: EchoPath, to: number): boolean {
    const { x, y } = this.#line;
    const { shift, rest, stay } = path.moved(y, x, to - MOVED_WITHIN, to, MIN_LAG, FARTHEST);
    const noise = this.#line.noiseIn(to - MOVED_WITHIN, to);
    if (rest > MOVED_GAIN * stay || rest > MOVED_REST * (1 - noise) + noise || path.lag + shift > MAX_LAG) return false;
    path.shift(shift, MIN_LAG);
    this.counts.moves++;
    return true;
  }

  /** Has the echo moved? Not when it is as loud where it was: then the caller speaks over it, or the pitch misleads. */
  #isElsewhere(match: EchoMatch, lag: number, to: number): boolean {
    return match.correlation > this.#near(lag, to - SEARCH, to) + MOVED_BY;
  }

  #near(lag: number, from: number, to: number): number {
    const least = Math.max(MIN_LAG, lag - SAME_LAG);
    return this.#line.find(from, to, least, lag + SAME_LAG).correlation;
  }

  #refill(): void {
    if (++this.#searchRefill < SEARCH_EVERY_FRAMES) return;
    this.#searchRefill = 0;
    if (this.#searches < SEARCH_BURST) this.#searches++;
  }

  #wake(): void {
    this.#line.wake();
    this.#expected = 0;
    this.#overs = 0;
    this.#callerHold = 0;
    this.#echoHold = 0;
    this.#searches = SEARCH_BURST;
  }
}
