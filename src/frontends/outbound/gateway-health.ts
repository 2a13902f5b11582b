import type { Ms } from '../../core/clock.ts';
import type { Gateway } from './gateway.ts';

/** `resting`: it has asked for a pause (Retry-After); `suspect`: it failed a moment ago; `down`: it answers no OPTIONS. */
export type GatewayState = 'up' | 'resting' | 'suspect' | 'down';

interface Health {
  restUntil: Ms;
  suspectUntil: Ms;
  down: boolean;
  lastFailure: { reason: string; at: Date } | undefined;
}

/** How long a gateway that failed is tried after the others. */
const SUSPECT_MS: Ms = 30_000;
/** A longer Retry-After is not believed: somebody would have to restart us to call out again. */
const LONGEST_REST_MS: Ms = 600_000;

/** How the gateways are. A gateway is known by its name, also across reloads. Pure: time is passed in. */
export class GatewayHealth {
  readonly #health = new Map<string, Health>();

  state(gateway: string, now: Ms): GatewayState {
    const health = this.#health.get(gateway);
    if (health === undefined) return 'up';
    if (health.restUntil > now) return 'resting';
    if (health.down) return 'down';
    return health.suspectUntil > now ? 'suspect' : 'up';
  }

  lastFailure(gateway: string): Health['lastFailure'] {
    return this.#health.get(gateway)?.lastFailure;
  }

  /** It failed a call. `retryAfterMs`: it wants no more requests for so long (RFC 3261 21.5.4). */
  failed(gateway: string, reason: string, retryAfterMs: Ms | undefined, now: Ms, wall: Date): void {
    const health = this.#of(gateway);
    health.lastFailure = { reason, at: wall };
    health.suspectUntil = now + SUSPECT_MS;
    if (retryAfterMs !== undefined) health.restUntil = now + Math.min(retryAfterMs, LONGEST_REST_MS);
  }

  /** It served a call, or said why not as a gateway that works does. */
  served(gateway: string): void {
    const health = this.#health.get(gateway);
    if (health === undefined) return;
    health.suspectUntil = Number.NEGATIVE_INFINITY;
    health.down = false;
  }

  /** What a ping found. True when that is news. */
  pinged(gateway: string, reason: string | undefined, wall: Date): boolean {
    const health = this.#of(gateway);
    const down = reason !== undefined;
    if (down) health.lastFailure = { reason, at: wall };
    const news = down !== health.down;
    health.down = down;
    if (!down) health.suspectUntil = Number.NEGATIVE_INFINITY;
    return news;
  }

  /**
   * In the order of trying: those that are well before those that are not, since a doubtful one is better than none.
   * One that rests is left alone.
   */
  inOrder<T extends { gateway: Gateway }>(ways: readonly T[], now: Ms): T[] {
    const stateOf = ({ gateway }: T) => this.state(gateway.name, now);
    const awake = ways.filter((way) => stateOf(way) !== 'resting');
    return [...awake.filter((way) => stateOf(way) === 'up'), ...awake.filter((way) => stateOf(way) !== 'up')];
  }

  /** Forgets the gateways that are configured no more. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#health.keys()) if (!names.has(name)) this.#health.delete(name);
  }

  #of(name: string): Health {
    let health = this.#health.get(name);
    if (health === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      health = { restUntil: never, suspectUntil: never, down: false, lastFailure: undefined };
      this.#health.set(name, health);
    }
    return health;
  }
}
