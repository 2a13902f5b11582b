/** Troubles the bank can be told to have, for tests. Counted ones go down with every request they hit. */
export interface FaultSettings {
  /** Every answer waits so long, ms. */
  delayMs: number;
  /** The next so many requests fail. */
  failNext: number;
  /** The share of requests that fail, 0..1. Which ones is the same in every run with the same seed. */
  failRate: number;
  /** Status of failures. */
  status: number;
  /** The next so many requests (true: all) never get an answer; the connection stays open. */
  hang: number | boolean;
  /** The next so many requests (true: all) have their connection cut. */
  drop: number | boolean;
  /** Does a failing, hanging or cut request do its work first ('after'), or not at all ('before')? */
  when: 'before' | 'after';
  /** Only requests with this method are troubled; undefined: all. */
  method: string | undefined;
  seed: number;
}

const noFaults: FaultSettings = {
  delayMs: 0,
  failNext: 0,
  failRate: 0,
  status: 503,
  hang: false,
  drop: false,
  when: 'before',
  method: undefined,
  seed: 1,
};

export interface Trouble {
  kind: 'fail' | 'hang' | 'drop' | 'none';
  delayMs: number;
  status: number;
  when: 'before' | 'after';
}

/** Decides, request by request, what goes wrong. */
export class Faults {
  #settings: FaultSettings;
  #random: () => number;

  constructor(settings: Partial<FaultSettings> = {}) {
    this.#settings = { ...noFaults, ...settings };
    this.#random = mulberry32(this.#settings.seed);
  }

  get settings(): Readonly<FaultSettings> {
    return this.#settings;
  }

  /** Replaces all settings; what is not named has its harmless default. */
  set(settings: Partial<FaultSettings>): void {
    this.#settings = { ...noFaults, ...settings };
    this.#random = mulberry32(this.#settings.seed);
  }

  next(method: string): Trouble {
    const settings = this.#settings;
    const { delayMs, status, when } = settings;
    if (settings.method !== undefined && settings.method !== method) return { kind: 'none', delayMs: 0, status, when };
    return { kind: this.#kind(), delayMs, status, when };
  }

  #kind(): Trouble['kind'] {
    if (this.#take('hang')) return 'hang';
    if (this.#take('drop')) return 'drop';
    if (this.#settings.failNext > 0) {
      this.#settings.failNext--;
      return 'fail';
    }
    return this.#settings.failRate > 0 && this.#random() < this.#settings.failRate ? 'fail' : 'none';
  }

  #take(name: 'hang' | 'drop'): boolean {
    const left = this.#settings[name];
    if (typeof left === 'boolean') return left;
    if (left <= 0) return false;
    this.#settings[name] = left - 1;
    return true;
  }
}

/** A small seeded generator (mulberry32), so that a failing share is the same in every run. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
