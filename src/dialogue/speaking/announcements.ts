/** Something to be said on request of an integrator or of staff, outside the bot's own dialogue. */
export interface Announcement {
  /** Becomes the id of the utterance. */
  id: string;
  text: string;
  /** 1 (may wait) to 10 (urgent). */
  priority: number;
  /** `replace`: what is being said is cut for it; `queue`: it waits until nobody speaks. */
  mode: 'queue' | 'replace';
  /** False: the caller's voice does not cut it. */
  interruptible: boolean;
}

/** From this priority on an announcement replaces what is being said unless asked to queue. */
const REPLACES_FROM = 8;

export function defaultMode(priority: number): Announcement['mode'] {
  return priority >= REPLACES_FROM ? 'replace' : 'queue';
}

export const ANNOUNCEMENTS_LIMIT = 20;

/**
 * Announcements of one call that wait to be said: the highest priority first, first come first served within one.
 * Bounded; when full, another is refused, whatever its priority, because each was promised to somebody. Pure.
 */
export class Announcements {
  readonly #limit: number;
  #waiting: Announcement[] = [];

  constructor(limit = ANNOUNCEMENTS_LIMIT) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** False when there is no room. */
  offer(announcement: Announcement): boolean {
    if (this.#waiting.length >= this.#limit) return false;
    const behind = this.#waiting.findIndex((other) => other.priority < announcement.priority);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, announcement);
    return true;
  }

  /** One that was begun but not heard goes back in front of its equals; it had its place already, so there is room. */
  giveBack(announcement: Announcement): void {
    const behind = this.#waiting.findIndex((other) => other.priority <= announcement.priority);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, announcement);
  }

  /** The next to be said while nobody speaks. */
  next(): Announcement | undefined {
    return this.#waiting.shift();
  }

  /** The next that may cut something of priority `over`: never a lower one a higher one. */
  replacing(over: number): Announcement | undefined {
    const at = this.#waiting.findIndex(({ mode, priority }) => mode === 'replace' && priority >= over);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  /** Empties the queue; for the end of the call. */
  drain(): Announcement[] {
    return this.#waiting.splice(0);
  }
}
