import { FRAME_SAMPLES, type Pcm } from './audio.ts';
import { DECIMATION, Decimator } from './decimator.ts';
import { EchoLevel, powerOf } from './echo-level.ts';
import { EchoPath } from './echo-path.ts';
import { type EchoMatch, findEcho, type SearchBudget } from './echo-search.ts';

/** Everything below counts samples of 2 kHz. */
const FRAME = FRAME_SAMPLES / DECIMATION;
const perMs = 2;
/** What is sent in a frame cannot be heard in the same one. */
const MIN_LAG = FRAME;
const MAX_LAG = 500 * perMs;
/** A path is looked for in this much of what was heard. */
const SEARCH = 128 * perMs;
/** The caller's audio may come this much behind its time, and what was sent before must still be there. */
const MAX_BEHIND = 200 * perMs;
const HISTORY = EchoPath.reach(MAX_LAG) + SEARCH + FRAME + MAX_BEHIND;
const BUFFER = 4096;
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
/** Noise of the line takes no more than this from what is asked of a copy. */
const MOST_NOISE = 0.6;
/** An echo is at most 6 dB louder than what was sent. */
const MAX_GAIN = 4;
/** Quieter than this (power per sample after the filter, about -60 dBFS) nothing is worth a look. */
const FLOOR = 300;
/** Searches cost a quarter of a millisecond: so many at once, then one per so many frames. */
const SEARCH_BURST = 6;
const SEARCH_EVERY_FRAMES = 50;
/** Frames learned per solution. */
const SOLVE_EVERY = 2;
/** The room: predicted echo fades by 3 dB per frame at the fastest. */
const DECAY = 0.5;
/** Rises of the noise floor: 2.5 dB per second. */
const NOISE_RISE = 1.012;
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
  readonly #x = new Float32Array(BUFFER);
  readonly #y = new Float32Array(BUFFER);
  readonly #botLine = new Decimator();
  readonly #callerLine = new Decimator();
  /** Where the frame that is being sent starts in both buffers. */
  #now = HISTORY;
  /** Samples sent since the beginning, and what lies between that timeline and the caller's. */
  #sent = 0;
  #offset: number | undefined;
  /** Frames since the bot sounded; beyond the tail the guard rests. */
  #quietFrames = TAIL_FRAMES + 1;
  #path: EchoPath | undefined;
  /** The path before, in case the new one was a mistake. */
  #former: EchoPath | undefined;
  #trust = 0;
  readonly #level = new EchoLevel();
  /** Of the frame that is judged, over the whole band. */
  #power = 0;
  #noise = Number.POSITIVE_INFINITY;
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
    const from = this.#now + this.#behind(position);
    this.#power = powerOf(frame);
    this.#callerLine.push(frame, this.#y, from);
    const energy = energyOf(this.#y, from, from + FRAME);
    this.#noise = energy < this.#noise ? energy : this.#noise * NOISE_RISE + 1;
    this.#refill();
    const echo = this.#judge(energy, from);
    if (echo) this.counts.echoFrames++;
    return echo;
  }

  /** What the bot sent in this frame; undefined for silence. */
  sent(frame: Pcm | undefined): void {
    if (frame === undefined) {
      if (this.#quietFrames > TAIL_FRAMES) {
        this.#sent += FRAME;
        return;
      }
      this.#quietFrames++;
      this.#level.sent(this.#sent / FRAME, 0);
      this.#botLine.push(SILENCE, this.#x, this.#now);
    } else {
      if (this.#quietFrames > TAIL_FRAMES) this.#wake();
      this.#quietFrames = 0;
      this.#level.sent(this.#sent / FRAME, powerOf(frame));
      this.#botLine.push(frame, this.#x, this.#now);
    }
    this.#now += FRAME;
    this.#sent += FRAME;
    if (this.#now + FRAME > BUFFER) this.#shift();
  }

  /** Time has passed without frames: what was sent before no longer lines up. The path is kept. */
  skip(): void {
    this.#quietFrames = TAIL_FRAMES + 1;
  }

  /**
   * How far the caller's timeline lies behind ours, as zero or a negative number of samples. The frame that came
   * earliest sets the zero; one that is out of all bounds, too.
   */
  #behind(position: number): number {
    this.#offset ??= this.#sent - position / DECIMATION;
    const ahead = Math.round(position / DECIMATION + this.#offset - this.#sent);
    if (ahead <= 0 && ahead >= -MAX_BEHIND) return ahead;
    this.#offset -= ahead;
    if (ahead > 0 && ahead < MAX_BEHIND && this.#path?.shift(-ahead, MIN_LAG) === false) this.#path = undefined;
    return 0;
  }

  #judge(energy: number, from: number): boolean {
    const quiet = energy < Math.max(FLOOR * FRAME, OVER_NOISE * this.#noise);
    const path = this.#path;
    if (path !== undefined) {
      const { echo, rest } = path.predict(this.#y, this.#x, from, from + FRAME);
      this.#expected = Math.max(echo, this.#expected * DECAY);
      const allowed = this.#share * this.#expected + OVER_NOISE * Math.min(this.#noise, energy);
      if (!quiet && energy > 0) {
        path.learn(this.#y, this.#x, from, from + FRAME, 1 / (rest + 0.02 * energy + FRAME));
        if (++this.#learnt % SOLVE_EVERY === 0) path.solve();
      }
      // Where in what was sent this frame comes from.
      const source = (this.#sent + from - this.#now - path.lag) / FRAME;
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
    const match = this.#find(to - SEARCH, to, MIN_LAG, MAX_LAG);
    if (match.correlation < MIN_CORRELATION) return false;
    if (this.#path && !this.#isElsewhere(match, this.#path.lag, to)) return false;
    const path = new EchoPath(match.lag, MIN_LAG);
    path.learn(this.#y, this.#x, to - SEARCH, to, 1 / (0.3 * energyOf(this.#y, from, to) + FRAME));
    path.solve();
    this.#former = this.#path;
    this.#path = path;
    this.#level.forget();
    this.#trust = 0;
    this.counts.paths++;
    this.#usualRest = USUAL_REST;
    this.#callerHold = 0;
    this.#overs = 0;
    this.#expected = path.predict(this.#y, this.#x, from, to).echo;
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
    const { shift, rest, stay } = path.moved(this.#y, this.#x, to - MOVED_WITHIN, to, MIN_LAG, FARTHEST);
    const noise = this.#noiseIn(to - MOVED_WITHIN, to);
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
    return this.#find(from, to, least, lag + SAME_LAG).correlation;
  }

  /** As findEcho, with the correlation that would be without the noise of the line. */
  #find(from: number, to: number, least: number, most: number): EchoMatch {
    const match = findEcho(this.#y, this.#x, from, to, least, most, MAX_GAIN);
    return { ...match, correlation: match.correlation / Math.sqrt(1 - this.#noiseIn(from, to)) };
  }

  /** The share of the line's noise in the energy of what was heard. */
  #noiseIn(from: number, to: number): number {
    const energy = energyOf(this.#y, from, to);
    return Math.min(MOST_NOISE, (this.#noise * (to - from)) / FRAME / (energy + 1));
  }

  #refill(): void {
    if (++this.#searchRefill < SEARCH_EVERY_FRAMES) return;
    this.#searchRefill = 0;
    if (this.#searches < SEARCH_BURST) this.#searches++;
  }

  #wake(): void {
    this.#x.fill(0);
    this.#y.fill(0);
    this.#botLine.reset();
    this.#callerLine.reset();
    this.#now = HISTORY;
    this.#expected = 0;
    this.#overs = 0;
    this.#callerHold = 0;
    this.#echoHold = 0;
    this.#searches = SEARCH_BURST;
  }

  #shift(): void {
    const from = this.#now - HISTORY;
    this.#x.copyWithin(0, from, this.#now);
    this.#y.copyWithin(0, from, this.#now);
    this.#now = HISTORY;
  }
}

const SILENCE = new Int16Array(FRAME_SAMPLES);

function energyOf(signal: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += signal[i]! * signal[i]!;
  return sum;
}
