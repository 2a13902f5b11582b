import type { Ms } from '../../core/clock.ts';

export interface PortRange {
  min: number;
  max: number;
}

/**
 * Even UDP ports (RFC 3550 section 11; the odd one above each is left for RTCP), the longest rested first. A port rests
 * after use, so that packets of the call before do not reach the next. Pure: time is passed in.
 */
export class PortPool {
  /** In the order in which they were given back. */
  readonly #free: { port: number; restedAt: Ms }[] = [];
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
    const index = this.#free.findIndex((entry) => entry.restedAt <= now);
    return index < 0 ? undefined : this.#free.splice(index, 1)[0]!.port;
  }

  /** Gives a port back; it may be used again after the rest, or after `restMs` when given (somebody else has it). */
  release(port: number, now: Ms, restMs = this.#restMs): void {
    this.#free.push({ port, restedAt: now + restMs });
  }

  available(now: Ms): number {
    return this.#free.reduce((count, entry) => count + (entry.restedAt <= now ? 1 : 0), 0);
  }
}
