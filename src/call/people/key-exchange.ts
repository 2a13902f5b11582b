import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { MediaSession } from '../../media/ports.ts';
import type { Leg } from '../legs/call-leg.ts';
import type { Party } from './party.ts';

/** Where keys can be passed on to. */
interface KeyTaker {
  session: MediaSession;
  leg: Pick<Leg, 'sendKey'> | undefined;
}

/** Presses a key towards this leg: as a telephone event where that was negotiated, by INFO where it was not. */
function passKey({ session, leg }: KeyTaker, digit: string, durationMs: Ms, log: Logger): void {
  if (session.press(digit, durationMs)) return;
  leg
    ?.sendKey(digit, durationMs)
    .catch((error: Error) => log.info({ reason: error.message }, 'a key was not passed on'));
}

/** Keys that may be the beginning of others wait this long for the rest. */
const REST_WITHIN_MS: Ms = 2_000;

/**
 * Keeps back the keys that mean something to us (the recall), and lets all others through, in order: what begins like
 * that waits for the next key, or for two seconds.
 */
export class KeptKeys {
  readonly #keys: string;
  readonly #through: (digit: string, durationMs: Ms) => void;
  #waiting: { digit: string; durationMs: Ms }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(keys: string, through: (digit: string, durationMs: Ms) => void) {
    this.#keys = keys;
    this.#through = through;
  }

  push(digit: string, durationMs: Ms): void {
    clearTimeout(this.#timer);
    this.#waiting.push({ digit, durationMs });
    while (this.#waiting.length > 0 && !this.#keys.startsWith(this.#typed)) this.#let();
    if (this.#typed === this.#keys) this.#waiting = [];
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#letAll(), REST_WITHIN_MS);
  }

  /** What waits goes nowhere. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  get #typed(): string {
    return this.#waiting.map(({ digit }) => digit).join('');
  }

  #letAll(): void {
    while (this.#waiting.length > 0) this.#let();
  }

  #let(): void {
    const { digit, durationMs } = this.#waiting.shift()!;
    this.#through(digit, durationMs);
  }
}

/** A key counts here when it was pressed here: the one that took the call is let go when the talk has begun. */
class PressedKeys {
  #down: string[] = [];

  down(key: string): void {
    this.#down = [...this.#down.slice(-MOST_DOWN), key];
  }

  /** False: it was pressed before. */
  up(key: string): boolean {
    const at = this.#down.indexOf(key);
    if (at !== -1) this.#down.splice(at, 1);
    return at !== -1;
  }
}

/** Keys that may be down at the same time, or whose letting go was lost. */
const MOST_DOWN = 8;

export interface KeyExchangeOptions {
  caller: KeyTaker;
  /** Keys by which an agent gives the caller back; they reach nobody else. */
  recall: string;
  onRecall(agent: Party): void;
  log: Logger;
}

/** Keys between the caller and the agents who speak with them: a machine at either end may wait for them. */
export class KeyExchange {
  readonly #o: KeyExchangeOptions;
  readonly #agents = new Map<Party, KeptKeys>();
  readonly #caller = new PressedKeys();

  constructor(options: KeyExchangeOptions) {
    this.#o = options;
  }

  add(agent: Party): void {
    const { caller, recall, onRecall, log } = this.#o;
    let keys = '';
    const pressed = new PressedKeys();
    agent.onKey((key) => {
      pressed.down(key);
      keys = (keys + key).slice(-recall.length);
      if (keys === recall) onRecall(agent);
    });
    const kept = new KeptKeys(recall, (key, durationMs) => passKey(caller, key, durationMs, log));
    this.#agents.set(agent, kept);
    agent.onKeyUp((key, durationMs) => {
      if (pressed.up(key)) kept.push(key, durationMs);
    });
  }

  remove(agent: Party): void {
    const kept = this.#agents.get(agent);
    if (kept === undefined) return;
    agent.onKey(undefined);
    agent.onKeyUp(undefined);
    kept.drop();
    this.#agents.delete(agent);
  }

  callerDown(key: string): void {
    if (this.#agents.size > 0) this.#caller.down(key);
  }

  callerUp(key: string, durationMs: Ms): void {
    if (!this.#caller.up(key)) return;
    for (const agent of this.#agents.keys()) if (agent.up) passKey(agent, key, durationMs, this.#o.log);
  }
}
