import type { Ms } from '../../core/clock.ts';

/** RFC 3261 table 4, with the corrections of RFC 6026. Milliseconds. */
export interface TimerValues {
  /** Round-trip time estimate. */
  t1: Ms;
  /** Longest interval between retransmissions of requests other than INVITE and of INVITE responses. */
  t2: Ms;
  /** How long a message may stay in the network. */
  t4: Ms;
  /** Timer D on unreliable transports: at least 32 s. */
  d: Ms;
  /** A server transaction answers 100 by itself after this long without another response (17.2.1). */
  trying: Ms;
}

export const DEFAULT_TIMERS: TimerValues = { t1: 500, t2: 4000, t4: 5000, d: 32_000, trying: 200 };

/** Timers B, F, H, J, L, M: 64*T1. */
export function patience(timers: TimerValues): Ms {
  return 64 * timers.t1;
}
