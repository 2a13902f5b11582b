import { type Summary, summarize } from '../../../tests/support/phone/measures.ts';

export interface Latency extends Partial<Summary> {
  readonly n: number;
  readonly missed: number;
}

/** measures.md: n, missed, percentiles. A reply that never came is counted, not left out. */
export function latencyOf(rows: readonly { readonly replyMs?: number; readonly missed?: boolean }[]): Latency {
  const values = rows.map((row) => row.replyMs).filter((ms) => ms !== undefined);
  return { n: values.length, missed: rows.filter((row) => row.missed).length, ...summarize(values) };
}

export interface Share {
  readonly hits: number;
  readonly n: number;
  /** 0 to 100; undefined when nothing was tried. */
  readonly percent: number | undefined;
  /** Wilson score interval, 95 %: what so few trials can tell. */
  readonly low: number | undefined;
  readonly high: number | undefined;
}

export function shareOf(hits: number, n: number): Share {
  if (n === 0) return { hits, n, percent: undefined, low: undefined, high: undefined };
  const z = 1.96;
  const p = hits / n;
  const centre = p + (z * z) / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 100 / (1 + (z * z) / n);
  return {
    hits,
    n,
    percent: 100 * p,
    low: Math.max(0, (centre - spread) * scale),
    high: Math.min(100, (centre + spread) * scale),
  };
}

/** Groups in the order of their first member. */
export function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
