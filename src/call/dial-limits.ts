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

/** So much, and no call more, of what has been dialled by the gateway before. */
export interface Ceiling {
  readonly limit: Exclude<DialLimit, 'rate'>;
  readonly counts: 'under way' | 'today';
  /** To numbers that begin like this (all of them: ''), or to this one. */
  readonly to: { readonly prefix: string } | { readonly number: string };
  readonly most: number;
}

/** Those that a call to `number` counts for. */
export function prefixesOf({ prefixes }: DialLimits, number: string): DialLimits['prefixes'] {
  return prefixes.filter(({ prefix }) => number.startsWith(prefix));
}

/** What may keep one more call to `number` from being dialled, but for the rate, which is asked last; the first that does is told. Pure. */
export function ceilingsOf(limits: DialLimits, number: string): Ceiling[] {
  const all = { prefix: '' };
  return [
    { limit: 'calls', counts: 'under way', to: all, most: limits.calls },
    { limit: 'day', counts: 'today', to: all, most: limits.callsPerDay },
    { limit: 'number', counts: 'today', to: { number }, most: limits.callsPerNumberPerDay },
    ...prefixesOf(limits, number).flatMap(({ prefix, calls, callsPerDay }): Ceiling[] => {
      const at = { limit: 'prefix', to: { prefix } } as const;
      return [
        ...(calls === undefined ? [] : [{ ...at, counts: 'under way', most: calls } as const]),
        ...(callsPerDay === undefined ? [] : [{ ...at, counts: 'today', most: callsPerDay } as const]),
      ];
    }),
  ];
}
