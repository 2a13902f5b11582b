import { createHash, timingSafeEqual } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';

/** The codes by which supervisors are known on the telephone. The codes themselves are not kept. */
export class SupervisorCodes {
  readonly #hashed: { name: string; digest: Buffer }[];

  constructor(codes: readonly { name: string; code: string }[]) {
    this.#hashed = codes.map(({ name, code }) => ({ name, digest: hashed(code) }));
  }

  /** Whose code this is; takes the same time whichever it is. */
  whose(code: string): string | undefined {
    const digest = hashed(code);
    let found: string | undefined;
    for (const one of this.#hashed) if (timingSafeEqual(one.digest, digest)) found = one.name;
    return found;
  }
}

function hashed(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

/** Wrong codes in one call before it is hung up. */
export const TRIES_PER_CALL = 3;
const TRIES = 6;
const WITHIN_MS: Ms = 10 * 60_000;
const LOCKED_MS: Ms = 15 * 60_000;
/** Each wrong code makes the next answer come this much later, doubled each time. */
const FIRST_PAUSE_MS: Ms = 1000;
const LONGEST_PAUSE_MS: Ms = 8000;
/** Places that are remembered; when full, the one that failed the longest ago is forgotten. */
const MAX_PLACES = 1000;

interface Tries {
  wrongAt: Ms[];
  lockedUntil: Ms;
}

/**
 * Wrong access codes by where they came from (a trunk with its caller's number): slowed, then locked out. A whole trunk
 * counts too, since numbers can be made up. Pure: time is passed in.
 */
export class CodeGuard {
  readonly #places = new Map<string, Tries>();
  /** Wrong codes since the start. */
  wrong = 0;

  locked(place: string, now: Ms): boolean {
    return (this.#places.get(place)?.lockedUntil ?? 0) > now;
  }

  /** A wrong code came from `place`: how long the answer is to wait, and whether the place is locked out now. */
  wrongCode(place: string, now: Ms, tries = TRIES): { pauseMs: Ms; locked: boolean } {
    this.wrong++;
    const known = this.#places.get(place) ?? { wrongAt: [], lockedUntil: 0 };
    this.#places.delete(place);
    this.#places.set(place, known);
    if (this.#places.size > MAX_PLACES) this.#places.delete(this.#places.keys().next().value!);
    known.wrongAt = [...known.wrongAt.filter((at) => now - at < WITHIN_MS), now].slice(-tries);
    const count = known.wrongAt.length;
    if (count >= tries) known.lockedUntil = now + LOCKED_MS;
    return {
      pauseMs: Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - 1)),
      locked: known.lockedUntil > now,
    };
  }

  /** A right code: what was wrong before it was a slip. Not of a place that is locked out. */
  rightCode(place: string): void {
    this.#places.delete(place);
  }
}
