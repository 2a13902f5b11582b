import type { SupervisionMode } from '../people/supervision-mode.ts';

export type SupervisorStep = 'code' | 'call' | 'attached';

/** What keys of a supervisor mean. */
export type SupervisorCommand =
  | { type: 'code'; code: string }
  | { type: 'call'; number: string }
  | { type: 'mode'; mode: SupervisionMode }
  | { type: 'leave' };

const MODES: Readonly<Record<string, SupervisionMode>> = {
  1: 'listen',
  2: 'whisper',
  3: 'join',
  4: 'take-over',
  // To the bot, or to the agent alone.
  5: 'listen',
};

/** Nobody's code or call is longer. */
const MAX_DIGITS = 16;

/**
 * The keys of a supervisor. Moves: code -> call (the code was right) -> attached (to a call) -> call
 * (it is over, or has been left). `#` ends an entry, `*` begins it again. Pure.
 */
export class SupervisorKeys {
  #step: SupervisorStep;
  #digits = '';

  /** Who was dialled needs no code: they begin with `call`. */
  constructor(begin: 'code' | 'call' = 'code') {
    this.#step = begin;
  }

  get step(): SupervisorStep {
    return this.#step;
  }

  moved(step: SupervisorStep): void {
    if (this.#step === 'code' && step === 'attached') throw new TypeError('nobody supervises without a code');
    this.#step = step;
    this.#digits = '';
  }

  press(key: string): SupervisorCommand | undefined {
    if (this.#step === 'attached') {
      const mode = MODES[key];
      return mode ? { type: 'mode', mode } : key === '#' ? { type: 'leave' } : undefined;
    }
    if (key === '*') this.#digits = '';
    else if (/^[0-9]$/.test(key) && this.#digits.length < MAX_DIGITS) this.#digits += key;
    if (key !== '#' || this.#digits === '') return undefined;
    const entry = this.#digits;
    this.#digits = '';
    return this.#step === 'code' ? { type: 'code', code: entry } : { type: 'call', number: entry };
  }
}
