/** Counts what is expected and what has been reached, in order, and wakes those who wait for their share of it. */
export class Milestones {
  #expected = 0;
  #reached = 0;
  #waiting: { upTo: number; resolve: () => void }[] = [];

  expect(): void {
    this.#expected++;
  }

  /** Resolves when everything expected so far has been reached. */
  reached(): Promise<void> {
    if (this.#reached >= this.#expected) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ upTo: this.#expected, resolve }));
  }

  advance(count: number): void {
    this.#reached += count;
    while (this.#waiting[0] && this.#waiting[0].upTo <= this.#reached) this.#waiting.shift()?.resolve();
  }

  /** Reaches what another has reached. */
  advanceTo(other: Milestones): void {
    this.advance(Math.max(0, other.#reached - this.#reached));
  }
}
