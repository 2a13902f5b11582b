/** How much may be dialled by one gateway: against toll fraud. Days are the 24 hours before, to the hour. */
export interface DialLimits {
  /** At the same time. */
  readonly calls: number;
  readonly callsPerSecond: number;
  /** How many may come at one moment; default: as many as in a second. */
  readonly burst?: number | undefined;
  readonly callsPerDay: number;
  readonly callsPerNumberPerDay: number;
  /** Of destinations that begin like this. */
  readonly prefixes: readonly {
    readonly prefix: string;
    readonly calls?: number | undefined;
    readonly callsPerDay?: number | undefined;
  }[];
}

/** Which limit stands. */
export type DialLimit = 'calls' | 'rate' | 'day' | 'number' | 'prefix';

/** What has been dialled by the gateway before this call, whoever counts it. */
export interface DialledBefore {
  /** Under way. */
  calls: number;
  today: number;
  toNumberToday: number;
  toPrefix(prefix: string): { calls: number; today: number };
}

/** Those that a call to `number` counts for. */
export function prefixesOf({ prefixes }: DialLimits, number: string): DialLimits['prefixes'] {
  return prefixes.filter(({ prefix }) => number.startsWith(prefix));
}

/** The limit that keeps one more call to `number` from being dialled, but for the rate, which is asked last. Pure. */
export function standingLimit(limits: DialLimits, number: string, before: DialledBefore): DialLimit | undefined {
  if (before.calls >= limits.calls) return 'calls';
  if (before.today >= limits.callsPerDay) return 'day';
  if (before.toNumberToday >= limits.callsPerNumberPerDay) return 'number';
  const stands = prefixesOf(limits, number).some(({ prefix, calls, callsPerDay }) => {
    const there = before.toPrefix(prefix);
    return (
      there.calls >= (calls ?? Number.POSITIVE_INFINITY) || there.today >= (callsPerDay ?? Number.POSITIVE_INFINITY)
    );
  });
  return stands ? 'prefix' : undefined;
}
