import type { Alarm, Timekeeper } from '../../src/core/alarm.ts';
import type { Ms } from '../../src/core/clock.ts';

/** A clock moved by hand. Alarms ring in order as time passes them; promises settle between rings. */
export class ManualTime implements Timekeeper {
  #now: Ms = 1000;
  readonly #epoch = Date.UTC(2026, 0, 15, 12);
  readonly #alarms = new Set<{ at: Ms | undefined; ring: () => void }>();

  now(): Ms {
    return this.#now;
  }

  wall(): Date {
    return new Date(this.#epoch + this.#now);
  }

  alarm(ring: () => void): Alarm {
    const entry: { at: Ms | undefined; ring: () => void } = { at: undefined, ring };
    this.#alarms.add(entry);
    return {
      set: (at) => {
        entry.at = at;
      },
    };
  }

  /** Lets `ms` pass. */
  async pass(ms: Ms): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#alarms]
        .filter((a) => a.at !== undefined && a.at <= until)
        .sort((a, b) => a.at! - b.at!)[0];
      if (!next) break;
      this.#now = Math.max(this.#now, next.at!);
      next.at = undefined;
      next.ring();
    }
    this.#now = until;
    await settle();
  }
}

/** Lets everything that is only waiting for promises go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
