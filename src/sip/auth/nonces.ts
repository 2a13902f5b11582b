import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';

export interface NonceOptions {
  /** A nonce older than this is stale. */
  lifetimeMs: Ms;
  /** Nonces whose counts are remembered. When full, the least recently used goes, and counts as used up. */
  limit: number;
  /** Signs the nonces. Default: made at random, so a nonce of another process or of the run before is none of ours. */
  key?: string;
}

/** `unknown`: not ours, or made for another peer; `stale`: ours, but of an age or a count that is not taken any more. */
export type NonceState = 'fresh' | 'stale' | 'unknown';

/** Counts that may arrive behind a higher one: requests on UDP overtake each other. */
const WINDOW = 32;

interface Counts {
  issuedAt: Ms;
  highest: number;
  /** Bit n: the count `highest - n` was used. */
  used: number;
}

/**
 * Nonces that cost nothing until a right password has come with them: time, a number and a signature over both and the
 * peer's address (RFC 7616 3.3 and 5.4), checked by recomputing. Their counts are kept from the first success on, in a
 * bounded table, and each count is taken once, so a request that was overheard cannot be sent again (7616 5.5). Pure.
 */
export class Nonces {
  readonly #lifetimeMs: Ms;
  readonly #limit: number;
  readonly #keys: { inner: string; outer: string };
  readonly #counts = new Map<string, Counts>();
  #issued = 0;
  /** Nonces made up to here are taken only if they are in the table: others may have been, and their counts are gone. */
  #forgottenUpTo: Ms = Number.NEGATIVE_INFINITY;

  constructor({ lifetimeMs, limit, key = randomBytes(32).toString('hex') }: NonceOptions) {
    this.#lifetimeMs = lifetimeMs;
    this.#limit = limit;
    this.#keys = { inner: hash('sha256', `inner ${key}`), outer: hash('sha256', `outer ${key}`) };
  }

  get size(): number {
    return this.#counts.size;
  }

  /** For the peer at this address. */
  issue(address: string, now: Ms): string {
    const body = `${Math.floor(now).toString(36)}.${(this.#issued++).toString(36)}`;
    return `${body}.${this.#sign(body, address)}`;
  }

  check(nonce: string, address: string, now: Ms): NonceState {
    const issuedAt = this.#issuedAt(nonce, address);
    if (issuedAt === undefined) return 'unknown';
    if (now - issuedAt > this.#lifetimeMs || issuedAt > now) return 'stale';
    return this.#counts.has(nonce) || issuedAt > this.#forgottenUpTo ? 'fresh' : 'stale';
  }

  /**
   * Takes one count of a nonce that `check` called fresh, for a request whose password was right; false when that count
   * was used before or is too old to tell. Peers without counts (RFC 2069) have one request per nonce: pass 1.
   */
  use(nonce: string, address: string, count: number): boolean {
    const issuedAt = this.#issuedAt(nonce, address);
    if (issuedAt === undefined || count < 1) return false;
    const known = this.#counts.get(nonce);
    if (known === undefined) {
      this.#remember(nonce, { issuedAt, highest: count, used: 1 });
      return true;
    }
    const ahead = count - known.highest;
    if (ahead > 0) {
      known.used = ahead >= WINDOW ? 1 : ((known.used << ahead) | 1) >>> 0;
      known.highest = count;
    } else {
      const bit = -ahead >= WINDOW ? 0 : (1 << -ahead) >>> 0;
      if (bit === 0 || (known.used & bit) !== 0) return false;
      known.used = (known.used | bit) >>> 0;
    }
    // Behind all others again: the table forgets from its front.
    this.#counts.delete(nonce);
    this.#counts.set(nonce, known);
    return true;
  }

  #remember(nonce: string, counts: Counts): void {
    if (this.#counts.size >= this.#limit) {
      const [oldest, { issuedAt }] = this.#counts.entries().next().value!;
      this.#counts.delete(oldest);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, issuedAt);
    }
    this.#counts.set(nonce, counts);
  }

  #issuedAt(nonce: string, address: string): Ms | undefined {
    const dot = nonce.lastIndexOf('.');
    const body = nonce.slice(0, Math.max(0, dot));
    const given = Buffer.from(nonce.slice(dot + 1));
    const right = Buffer.from(this.#sign(body, address));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return Number.parseInt(body, 36);
  }

  #sign(body: string, address: string): string {
    // A nested keyed hash, as HMAC is; node's own HMAC takes ten times as long, and attackers make us do this.
    const { inner, outer } = this.#keys;
    return hash('sha256', `${outer}${hash('sha256', `${inner}${body} ${address}`)}`, 'base64url').slice(0, 27);
  }
}
