import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Ms } from '../core/clock.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** Compares secrets in constant time, whatever their lengths: the digests are compared. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

/**
 * Sign-ins of the page, kept in memory: a restart signs everybody out. At most `capacity` are kept, the oldest goes
 * first; each ends after `lifetimeMs`. Only digests of the ids are held. Pure: the time is an argument.
 */
export class LoginSessions {
  readonly #expiry = new Map<string, Ms>();
  readonly #capacity: number;
  readonly lifetimeMs: Ms;

  constructor(capacity: number, lifetimeMs: Ms) {
    this.#capacity = capacity;
    this.lifetimeMs = lifetimeMs;
  }

  get size(): number {
    return this.#expiry.size;
  }

  /** A new session's id: 256 random bits. */
  open(now: Ms): string {
    for (const [key, expiry] of this.#expiry) if (expiry <= now) this.#expiry.delete(key);
    while (this.#expiry.size >= this.#capacity) {
      const oldest = this.#expiry.keys().next().value;
      if (oldest === undefined) break;
      this.#expiry.delete(oldest);
    }
    const id = randomBytes(32).toString('base64url');
    this.#expiry.set(digest(id).toString('hex'), now + this.lifetimeMs);
    return id;
  }

  /** Milliseconds the session still has; undefined when there is no such session. */
  remaining(id: string, now: Ms): Ms | undefined {
    const key = digest(id).toString('hex');
    const expiry = this.#expiry.get(key);
    if (expiry === undefined) return undefined;
    if (expiry <= now) {
      this.#expiry.delete(key);
      return undefined;
    }
    return expiry - now;
  }

  close(id: string): void {
    this.#expiry.delete(digest(id).toString('hex'));
  }
}
