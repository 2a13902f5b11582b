import type { DialLimit, DialLimits } from './dial-limits.ts';

export interface CallToCount {
  gateway: string;
  /** The number, or the URI without what does not say who is meant. */
  number: string;
  limits: DialLimits;
}

export interface GatewayCount {
  /** Under way. */
  calls: number;
  callsToday: number;
}

/** Counts what all connectors of the tenant dial, over restarts. */
export interface DialCounter {
  /** Calls are going to be counted: from now on the first does not wait for what can be made ready before. Idempotent. */
  prepare(): void;
  /**
   * One more call: it counts, once this has resolved, until the result is called (once; never throws). Else which limit
   * stands, and nothing counts.
   * @throws Failure retryable, 503, while it cannot be counted: nothing may be dialled then
   */
  begin(call: CallToCount): Promise<(() => void) | DialLimit>;
  /** A call that was dialled all the same: counts in its day as soon as that can be written down. */
  late(call: CallToCount): void;
  /** By gateway; rejects as `begin` does. */
  counts(): Promise<ReadonlyMap<string, GatewayCount>>;
}
