import { type Clock, type Ms, systemClock } from './clock.ts';

/** One re-armable point in time. `set(undefined)` disarms. */
export interface Alarm {
  set(at: Ms | undefined): void;
}

/** A clock that can also wake somebody. Tests pass one whose time they move by hand. */
export interface Timekeeper extends Clock {
  alarm(ring: () => void): Alarm;
}

class TimeoutAlarm implements Alarm {
  #timer: NodeJS.Timeout | undefined;
  #at: Ms | undefined;
  readonly #ring: () => void;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  set(at: Ms | undefined): void {
    if (at === this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = at === undefined ? undefined : setTimeout(this.#due, Math.max(0, at - systemClock.now()));
  }

  readonly #due = () => {
    // setTimeout may fire up to a millisecond early.
    if (this.#at !== undefined && systemClock.now() < this.#at) {
      this.#timer = setTimeout(this.#due, 1);
      return;
    }
    this.#at = undefined;
    this.#ring();
  };
}

export const systemTimekeeper: Timekeeper = { ...systemClock, alarm: (ring) => new TimeoutAlarm(ring) };
