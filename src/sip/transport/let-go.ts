import { hash } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';

/** Copies come for 32 s (timer B, RFC 3261 17.1.1.2). */
const COPIES_COME_FOR_MS: Ms = 32_000;
/** More than an edge has calls on their way; in a flood the oldest are forgotten. */
const MOST = 4096;

/**
 * INVITEs that were let go unread, each with the time at which it was sent. The copy that is read in the end is as old as the
 * first of them: it may come at once, and its sender be about to give up all the same. Copies are the same to the byte. Pure.
 */
export class LetGo {
  readonly #sentAt = new Map<string, Ms>();

  get size(): number {
    return this.#sentAt.size;
  }

  add(bytes: Buffer, sentAt: Ms): void {
    const key = keyOf(bytes);
    if (this.#sentAt.has(key)) return;
    for (const [oldest, at] of this.#sentAt) {
      if (this.#sentAt.size < MOST && sentAt - at < COPIES_COME_FOR_MS) break;
      this.#sentAt.delete(oldest);
    }
    this.#sentAt.set(key, sentAt);
  }

  /** When the first of its copies was sent; undefined where none was let go. */
  firstSentAt(bytes: Buffer): Ms | undefined {
    return this.#sentAt.size === 0 ? undefined : this.#sentAt.get(keyOf(bytes));
  }
}

function keyOf(bytes: Buffer): string {
  return hash('sha1', bytes, 'base64');
}
