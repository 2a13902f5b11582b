/** Packets that may be this far behind the newest one. RFC 3711 section 3.3.2 asks for at least 64. */
const WINDOW = 128;
const HALF = 32_768;
const TURN = 65_536;

/**
 * Which packets of one sender have been seen (RFC 3711 section 3.3.2). Indexes are whole numbers up to 2^48. What is
 * older than the window counts as seen.
 */
export class ReplayWindow {
  /** The newest; -1 before the first. */
  highest: number;
  readonly #seen = new Uint8Array(WINDOW);

  /** `highest`: of a sender known before; all it sent up to there counts as seen. */
  constructor(highest = -1) {
    this.highest = highest;
    if (highest >= 0) this.#seen.fill(1);
  }

  isNew(index: number): boolean {
    if (index < 0) return false;
    if (index > this.highest) return true;
    return this.highest - index < WINDOW && this.#seen[index % WINDOW] === 0;
  }

  /** Only for what is new and authentic. */
  add(index: number): void {
    if (index > this.highest) {
      if (index - this.highest >= WINDOW) this.#seen.fill(0);
      else for (let i = this.highest + 1; i < index; i++) this.#seen[i % WINDOW] = 0;
      this.highest = index;
    }
    this.#seen[index % WINDOW] = 1;
  }
}

/** Extended by how often the sequence number has turned over, as near as can be to `highest` (RFC 3711 appendix A). */
export function estimateIndex(sequence: number, highest: number): number {
  if (highest < 0) return sequence;
  const last = highest % TURN;
  const rollover = (highest - last) / TURN;
  if (last < HALF) return (sequence - last > HALF ? rollover - 1 : rollover) * TURN + sequence;
  return (last - HALF > sequence ? rollover + 1 : rollover) * TURN + sequence;
}
