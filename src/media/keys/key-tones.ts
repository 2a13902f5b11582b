import type { Ms } from '../../core/clock.ts';
import { FRAME_MS, FRAME_SAMPLES, type Pcm } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import { meanSquare } from '../level.ts';
import { FAINTEST_TONE, FourPowers, peakNear, powersOfPair, shareOf } from './goertzel.ts';

/** A key heard as a pair of tones. */
export interface KeyTone {
  digit: string;
  /** `down` once, when it is sure; then `held` with every frame; `up` once, when it has been silent for long enough. */
  state: 'down' | 'held' | 'up';
  /** When its tones began, at the latest 20 ms before that. */
  since: Ms;
  /** When they were heard last. */
  until: Ms;
}

/** ITU-T Q.23. */
const ROWS = [697, 770, 852, 941] as const;
const COLUMNS = [1209, 1336, 1477, 1633] as const;
const rowPowers = new FourPowers(ROWS);
const columnPowers = new FourPowers(COLUMNS);
const KEYS = ['123A', '456B', '789C', '*0#D'] as const;
const HALF = FRAME_SAMPLES / 2;
const HALF_MS = FRAME_MS / 2;
/** Worth a closer look: of the energy, in the nearest of each group. A tone 1.5 % beside its place leaves half of itself. */
const MIN_SHARE_NEAR = 0.3;
/** Of the energy, in the two tones where they really are: 10 dB of noise leave 0.9, the vowels that come closest 0.7. */
const MIN_SHARE = 0.8;
/** Q.24: 1.5 % have to be taken, 3.5 % must not; the rest is for our own error in 20 ms. */
const MAX_DEVIATION = 0.025;
/** How much louder one tone may be than the other, as power: 9 dB (Q.24 has 8 for one way round). */
const MAX_TWIST = 10 ** 0.9;
/** Windows in a row, 10 ms apart: a tone of 40 ms has three, wherever it begins. */
const SURE_WINDOWS = 3;
/** Without it, and the key has been let go: a pause of 40 ms has as many, a packet that is lost has been concealed. */
const GONE_WINDOWS = 3;

/**
 * Finds keys in the audio, for callers whose gateway sends no events (RFC 4733) and for what it lets through of their
 * tones. Windows of 20 ms, 10 ms apart (Goertzel): nearly all of the energy has to be in two tones, one of each group,
 * both where they belong, and to stay there. Speech has its energy in more than two places, or it glides. Pure, time
 * passed in; eight bins a frame for what is neither silent nor a key.
 */
export class KeyTones {
  /** The second half of the frame before; and, where it is looked at, the first half of this one. */
  readonly #between = int16s(FRAME_SAMPLES);
  /** Nothing was in the frame before that could be half of a key. */
  #faint = true;
  #digit: string | undefined;
  #hits = 0;
  #misses = 0;
  #since: Ms = 0;
  #until: Ms = 0;

  /** 20 ms of audio that ends at `at`; undefined: nothing came. Returns what is known of a key now, if there is one. */
  push(frame: Pcm | undefined, at: Ms): KeyTone | undefined {
    const between = this.#between;
    const power = frame === undefined ? 0 : meanSquare(frame);
    const key = frame && keyIn(frame, power);
    // The window between two frames is looked at only where there is something in one of them.
    let first: KeyTone | undefined;
    if (key !== undefined || this.#digit !== undefined) {
      for (let i = 0; i < HALF; i++) between[HALF + i] = frame === undefined ? 0 : frame[i]!;
      if (this.#faint) between.fill(0, 0, HALF);
      first = this.#window(keyIn(between, meanSquare(between)), at - HALF_MS);
    }
    const then = key === undefined && this.#digit === undefined ? undefined : this.#window(key, at);
    this.#faint = power < FAINTEST_TONE / 2;
    if (frame && !this.#faint) for (let i = 0; i < HALF; i++) between[i] = frame[HALF + i]!;
    return first === undefined || (first.state === 'held' && then !== undefined) ? then : first;
  }

  /** One window that ends at `end`. */
  #window(key: string | undefined, end: Ms): KeyTone | undefined {
    const sure = this.#hits >= SURE_WINDOWS;
    if (key !== undefined && key === this.#digit) {
      this.#hits++;
      this.#misses = 0;
      this.#until = end;
      if (this.#hits < SURE_WINDOWS) return undefined;
      return this.#told(sure ? 'held' : 'down', key);
    }
    // What was sure is not given up for a click.
    if (sure && ++this.#misses < GONE_WINDOWS) return this.#told('held', this.#digit!);
    const ended = sure ? this.#told('up', this.#digit!) : undefined;
    this.#digit = key;
    this.#hits = key === undefined ? 0 : 1;
    this.#misses = 0;
    this.#since = end - FRAME_MS;
    this.#until = end;
    return ended;
  }

  #told(state: KeyTone['state'], digit: string): KeyTone {
    return { digit, state, since: this.#since, until: this.#until };
  }
}

function keyIn(window: Pcm, all: number): string | undefined {
  if (all < FAINTEST_TONE) return undefined;
  const rows = rowPowers.of(window);
  const columns = columnPowers.of(window);
  const row = loudest(rows);
  const column = loudest(columns);
  if (shareOf(rows[row]! + columns[column]!, all, window.length) < MIN_SHARE_NEAR) return undefined;
  const low = peakNear(window, ROWS[row]!);
  const high = peakNear(window, COLUMNS[column]!);
  if (!isNear(low, ROWS[row]!) || !isNear(high, COLUMNS[column]!)) return undefined;
  const powers = powersOfPair(window, low, high) ?? [0, 0];
  if (powers[0] > powers[1] * MAX_TWIST || powers[1] > powers[0] * MAX_TWIST) return undefined;
  return shareOf(powers[0] + powers[1], all, window.length) < MIN_SHARE ? undefined : KEYS[row]![column];
}

function loudest(powers: Float64Array): number {
  let index = 0;
  for (let i = 1; i < powers.length; i++) if (powers[i]! > powers[index]!) index = i;
  return index;
}

function isNear(hz: number, place: number): boolean {
  return Math.abs(hz - place) <= place * MAX_DEVIATION;
}
