import type { Ms } from '../../core/clock.ts';

export interface PortRange {
  min: number;
  max: number;
}

/** So many have been taken when the others move up. */
const MOVE_UP = 512;

/**
 * Even UDP ports (RFC 3550 section 11; the odd one above each is left for RTCP), the longest rested first. A port rests
 * after use, so that packets of the call before do not reach the next. Pure: time is passed in.
 */
export class PortPool {
  /** In the order in which they were given back. */
  readonly #free: { port: number; restedAt: Ms }[] = [];
  /** Those before it have been taken: thousands behind the first one are not moved up for each call. */
  #first = 0;
  readonly #restMs: Ms;

  constructor({ min, max }: PortRange, restMs: Ms) {
    if (!(Number.isInteger(min) && Number.isInteger(max) && min >= 1 && max <= 65535 && min <= max)) {
      throw new RangeError(`RTP ports ${min}-${max} are no range`);
    }
    for (let port = min + (min % 2); port < max; port += 2) this.#free.push({ port, restedAt: 0 });
    this.#restMs = restMs;
  }

  /** Undefined when all ports are in use or resting. */
  acquire(now: Ms): number | undefined {
    const free = this.#free;
    for (let i = this.#first; i < free.length; i++) {
      const { port, restedAt } = free[i]!;
      if (restedAt > now) continue;
      // Before it stand those with a longer rest than most: few, if any.
      free.copyWithin(this.#first + 1, this.#first, i);
      this.#first++;
      if (this.#first === MOVE_UP) {
        free.splice(0, this.#first);
        this.#first = 0;
      }
      return port;
    }
    return undefined;
  }

  /** Gives a port back; it may be used again after the rest, or after `restMs` when given (somebody else has it). */
  release(port: number, now: Ms, restMs = this.#restMs): void {
    this.#free.push({ port, restedAt: now + restMs });
  }

  available(now: Ms): number {
    let count = 0;
    for (let i = this.#first; i < this.#free.length; i++) if (this.#free[i]!.restedAt <= now) count++;
    return count;
  }
}
