import type { TrunkStatus } from '../../call/admission.ts';
import type { Ms } from '../../core/clock.ts';
import { rateOf, TokenBucket } from '../../core/token-bucket.ts';
import type { SipConfig } from './sip-config.ts';
import type { Trunk } from './trunk.ts';

interface Running {
  calls: number;
  accepted: number;
  refused: number;
  bucket: TokenBucket | undefined;
}

/** The calls of each trunk, and its limits. Outlives reloads: a trunk is known by its name. */
export class TrunkDesk {
  readonly #running = new Map<string, Running>();

  /** Why this trunk may not have another call now, or undefined. Counts against its rate. */
  refusal(trunk: Trunk, now: Ms): { reason: 'trunk-calls' | 'trunk-rate'; waitMs: Ms } | undefined {
    const running = this.#of(trunk.name);
    const { calls, callsPerSecond } = trunk.limits;
    if (calls !== undefined && running.calls >= calls) return { reason: 'trunk-calls', waitMs: 5_000 };
    if (callsPerSecond === undefined) return undefined;
    const rate = rateOf(callsPerSecond, trunk.limits.burst);
    running.bucket ??= new TokenBucket(rate, now);
    return running.bucket.take(rate, now) ? undefined : { reason: 'trunk-rate', waitMs: running.bucket.waitMs(rate) };
  }

  /** Is there room for one more call that has passed `refusal`? Several may have passed it at the same moment. */
  hasRoom(trunk: Trunk): boolean {
    return trunk.limits.calls === undefined || this.#of(trunk.name).calls < trunk.limits.calls;
  }

  /** A call begins; call the result once when it is over. */
  begin(trunk: string): () => void {
    const running = this.#of(trunk);
    running.calls++;
    running.accepted++;
    return () => {
      running.calls--;
    };
  }

  refused(trunk: string): void {
    this.#of(trunk).refused++;
  }

  /** Of the trunks that are configured, and of those that are not any more but have calls. */
  status(config: SipConfig): TrunkStatus[] {
    const list = config.trunks.map((trunk): TrunkStatus => {
      const { calls, accepted, refused } = this.#of(trunk.name);
      const { calls: most, callsPerSecond } = trunk.limits;
      return {
        name: trunk.name,
        calls,
        accepted,
        refused,
        limits: { calls: most, callsPerSecond },
        knownBy: [
          ...(trunk.from ? (['address'] as const) : []),
          ...(trunk.digest ? (['digest'] as const) : []),
          ...(trunk.certificate ? (['certificate'] as const) : []),
          ...(trunk.behind === undefined ? [] : (['edge'] as const)),
        ],
        trustIdentity: trunk.trustIdentity,
      };
    });
    const listed = new Set(list.map(({ name }) => name));
    for (const [name, { calls, accepted, refused }] of this.#running) {
      if (listed.has(name)) continue;
      if (calls === 0) this.#running.delete(name);
      else list.push({ name, calls, accepted, refused, limits: {}, knownBy: [], trustIdentity: false });
    }
    return list;
  }

  #of(name: string): Running {
    let running = this.#running.get(name);
    if (running === undefined) {
      running = { calls: 0, accepted: 0, refused: 0, bucket: undefined };
      this.#running.set(name, running);
    }
    return running;
  }
}
