import type { BlockedSource } from '../../call/admission.ts';
import type { Ms } from '../../core/clock.ts';
import { sourceOf } from '../../core/source.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import type { AdmissionLimits } from '../trunks/schema.ts';

interface Recent {
  bucket: TokenBucket;
  strikes: number;
  strikesSince: Ms;
  /** It has shown a right password up to then: what anybody may have sent in its name is not held against it. */
  vouchedUntil: Ms;
}

interface Blocked {
  reason: string;
  at: Ms;
  since: Date;
  until: Ms;
  dropped: number;
}

/** How long a right password speaks for a source, and how many times as much it may send: it may be a whole PBX. */
const VOUCHED_MS: Ms = 3_600_000;
const VOUCHED_SHARE = 20;

/**
 * What is known of sources that no trunk names by address: how fast they send, what they did wrong, who is blocked. Two
 * bounded tables, of which the least recently seen goes when they are full, so a flood of invented addresses costs what
 * the tables cost and pushes nobody out of the blocked ones. Pure: time is passed in.
 */
export class Sources {
  readonly #limit: number;
  readonly #recent = new Map<string, Recent>();
  readonly #blocked = new Map<string, Blocked>();

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#recent.size;
  }

  /** Is it blocked? Counts what it sends meanwhile. */
  isBlocked(address: string, now: Ms): boolean {
    const key = sourceOf(address);
    const blocked = this.#blocked.get(key);
    if (blocked === undefined) return false;
    if (blocked.until > now) {
      blocked.dropped++;
      return true;
    }
    this.#blocked.delete(key);
    return false;
  }

  /** False when it sends faster than its share. */
  take(address: string, limits: AdmissionLimits, now: Ms): boolean {
    const { bucket, vouchedUntil } = this.#of(address, limits, now);
    const share = vouchedUntil > now ? VOUCHED_SHARE : 1;
    const { requestsPerSecond, burst } = limits.source;
    return bucket.take({ perSecond: requestsPerSecond * share, burst: burst * share }, now);
  }

  /** It has shown a right password: its strikes are forgiven. */
  vouch(address: string, limits: AdmissionLimits, now: Ms): void {
    const recent = this.#of(address, limits, now);
    recent.strikes = 0;
    recent.vouchedUntil = now + VOUCHED_MS;
  }

  /**
   * Something is held against it: `weight` strikes. `proven`: only the source itself can have done it; otherwise the
   * address may be forged, and a source that is vouched for is spared. True when it is blocked by this.
   */
  strike(
    address: string,
    reason: string,
    { weight = 1, proven = false }: { weight?: number; proven?: boolean },
    limits: AdmissionLimits,
    now: Ms,
    wall: Date,
  ): boolean {
    const recent = this.#of(address, limits, now);
    if (!proven && recent.vouchedUntil > now) return false;
    const { strikes, withinSeconds, forSeconds } = limits.block;
    if (now - recent.strikesSince > withinSeconds * 1000) {
      recent.strikes = 0;
      recent.strikesSince = now;
    }
    recent.strikes += weight;
    if (recent.strikes < strikes) return false;
    recent.strikes = 0;
    put(this.#blocked, sourceOf(address), this.#limit, {
      reason,
      at: now,
      since: wall,
      until: now + forSeconds * 1000,
      dropped: 0,
    });
    return true;
  }

  blocked(now: Ms): BlockedSource[] {
    const list: BlockedSource[] = [];
    for (const [source, { reason, since, at, until, dropped }] of this.#blocked) {
      if (until <= now) this.#blocked.delete(source);
      else list.push({ source, reason, since, until: new Date(since.getTime() + (until - at)), dropped });
    }
    return list;
  }

  /** False when it was not blocked. */
  unblock(source: string): boolean {
    this.#recent.delete(source);
    return this.#blocked.delete(source);
  }

  #of(address: string, { source }: AdmissionLimits, now: Ms): Recent {
    const key = sourceOf(address);
    const known = this.#recent.get(key);
    const rate = { perSecond: source.requestsPerSecond, burst: source.burst };
    const recent = known ?? {
      bucket: new TokenBucket(rate, now),
      strikes: 0,
      strikesSince: now,
      vouchedUntil: Number.NEGATIVE_INFINITY,
    };
    put(this.#recent, key, this.#limit, recent);
    return recent;
  }
}

/** Puts an entry behind all others; the foremost, the least recently seen, goes when there is no room. */
function put<T>(table: Map<string, T>, key: string, limit: number, entry: T): void {
  table.delete(key);
  if (table.size >= limit) table.delete(table.keys().next().value!);
  table.set(key, entry);
}
