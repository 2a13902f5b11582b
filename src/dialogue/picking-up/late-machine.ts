import type { Ms } from '../../core/clock.ts';
import { type HeardTone, isNobodys, type NobodysTone, TelephoneTones } from './telephone-tones.ts';

/** Nobody's greeting takes longer. */
const WITHIN_MS: Ms = 40_000;
/** So much speech has come before a beep that ends a greeting, in this time before it. */
const SPEECH_MS: Ms = 2000;
const BEFORE_MS: Ms = 8000;

/**
 * Was it a machine after all? Some say "hello?" and wait, and talk on: they give themselves away by the beep behind their
 * greeting. A beep behind few words is none of a machine: phones make such sounds while people speak on them. And who says
 * nothing at first may be a fax, or the network. Pure, time passed in.
 */
export class LateMachine {
  readonly #answeredAt: Ms;
  #spells: { from: Ms; to: Ms }[] = [];
  #startedAt: Ms | undefined;
  readonly #tones = new TelephoneTones();

  constructor(answeredAt: Ms) {
    this.#answeredAt = answeredAt;
  }

  /** Until when it may still turn out to be one. */
  get until(): Ms {
    return this.#answeredAt + WITHIN_MS;
  }

  speechStart(at: Ms): void {
    this.#startedAt ??= at;
  }

  speechEnd(at: Ms): void {
    if (this.#startedAt === undefined) return;
    const from = this.#startedAt;
    this.#startedAt = undefined;
    this.#spells = [...this.#spells.filter(({ to }) => to > at - BEFORE_MS), { from, to: at }];
  }

  /** A tone has ended: what it gives away; undefined: nothing. */
  tone(tone: HeardTone): 'beep' | NobodysTone | undefined {
    const { at } = tone;
    if (at > this.until) return undefined;
    const meaning = this.#tones.push(tone);
    if (isNobodys(meaning)) return meaning;
    if (meaning === 'progress') return undefined;
    const since = at - BEFORE_MS;
    const running = this.#startedAt === undefined ? [] : [{ from: this.#startedAt, to: at }];
    const spoken = [...this.#spells, ...running].reduce(
      (sum, { from, to }) => sum + Math.max(0, to - Math.max(from, since)),
      0,
    );
    return spoken >= SPEECH_MS ? 'beep' : undefined;
  }
}
