import type { Ms } from '../../core/clock.ts';

/** Copies of a request come for so long, about: at 0.5, 1.5, 3.5 and 7.5 s (17.1.1.2). */
const COPIES_FOR_MS = 8_000;
const MOST = 10_000;

/**
 * Refusals that were sent without state, so that a copy of the request that is still on its way is refused too (RFC 3261
 * 8.2.7): whoever judges might find room for it by now, and answer a call that its caller has taken elsewhere. Bounded: beyond
 * MOST in eight seconds the older ones are forgotten. Pure: time is passed in.
 */
export class RecentRefusals<Refusal> {
  #young = new Map<string, Refusal>();
  #old = new Map<string, Refusal>();
  #turnAt: Ms = 0;

  keep(key: string, refusal: Refusal, now: Ms): void {
    this.#turn(now);
    if (this.#young.size >= MOST) this.#age(now);
    this.#young.set(key, refusal);
  }

  of(key: string, now: Ms): Refusal | undefined {
    this.#turn(now);
    return this.#young.get(key) ?? this.#old.get(key);
  }

  #turn(now: Ms): void {
    if (now < this.#turnAt) return;
    // After a long silence the young ones are old as well.
    if (now >= this.#turnAt + COPIES_FOR_MS) this.#young = new Map();
    this.#age(now);
  }

  #age(now: Ms): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnAt = now + COPIES_FOR_MS;
  }
}
