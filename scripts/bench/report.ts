import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { summarize } from '../../tests/support/phone/measures.ts';
import { table } from '../call/table.ts';

const RESULTS = join(import.meta.dirname, '../../bench-results');

/** One line of the result: a measure, what it should be, and what it came to. */
export interface Measure {
  readonly suite: string;
  readonly name: string;
  readonly unit: 'us' | 'ms' | '%' | 'kB' | 'count';
  /** Raw numbers; percentiles are made from them. */
  readonly values: readonly number[];
  readonly missed?: number;
  /** What was aimed for, in words; left out where there was nothing. */
  readonly target?: string;
  readonly limits?: {
    readonly min?: number;
    readonly p50?: number;
    readonly p95?: number;
    readonly p99?: number;
    readonly max?: number;
  };
  /** Missed turns or gaps allowed, when the target says so. */
  readonly allowedMissed?: number;
  /** What a reader must know to judge it. */
  readonly note?: string;
}

function reached(measure: Measure): boolean | undefined {
  if (measure.limits === undefined && measure.allowedMissed === undefined) return undefined;
  const summary = summarize(measure.values);
  if (!summary) return false;
  const within = (['p50', 'p95', 'p99', 'max'] as const).every((key) => {
    const limit = measure.limits?.[key];
    return limit === undefined || summary[key] <= limit;
  });
  const least = measure.limits?.min ?? Number.NEGATIVE_INFINITY;
  return (
    within &&
    measure.values.every((value) => value >= least) &&
    (measure.allowedMissed === undefined || (measure.missed ?? 0) <= measure.allowedMissed)
  );
}

function number(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value !== 0 && Math.abs(value) < 10) return value.toFixed(value < 1 ? 3 : 1);
  return String(Math.round(value));
}

/** What earlier runs came to: the latest p95 of each measure, by suite and name. */
export type Before = ReadonlyMap<string, number>;

const keyOf = ({ suite, name }: { suite: string; name: string }) => `${suite}: ${name}`;

/** Reads the stored runs, oldest first, so that the latest counts. */
export async function lastResults(): Promise<Before> {
  const before = new Map<string, number>();
  const names = await readdir(RESULTS).catch(() => []);
  for (const name of names.filter((file) => file.endsWith('.json')).sort()) {
    const run = JSON.parse(await readFile(join(RESULTS, name), 'utf8')) as {
      results: { suite: string; name: string; summary?: { p95: number } }[];
    };
    for (const result of run.results) if (result.summary) before.set(keyOf(result), result.summary.p95);
  }
  return before;
}

/** The table people read, notes below it. */
export function resultTable(measures: readonly Measure[], before: Before = new Map()): string {
  const rows = measures.map((measure) => {
    const s = summarize(measure.values);
    const ok = reached(measure);
    return [
      measure.suite,
      measure.name,
      measure.unit,
      String(s?.n ?? 0),
      measure.missed === undefined ? '' : String(measure.missed),
      number(s?.p50),
      number(s?.p95),
      number(s?.p99),
      number(s?.max),
      number(before.get(keyOf(measure))),
      measure.target ?? '',
      ok === undefined ? '' : ok ? 'reached' : 'NOT REACHED',
    ];
  });
  const notes = measures.filter((measure) => measure.note).map((m) => `${m.suite}, ${m.name}: ${m.note}`);
  const head = ['suite', 'measure', 'unit', 'n', 'missed', 'p50', 'p95', 'p99', 'max', 'p95 before', 'target', ''];
  return [table(head, rows), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

/** Writes the raw numbers; returns the file's path. */
export async function storeResults(measures: readonly Measure[], problems: readonly string[]): Promise<string> {
  await mkdir(RESULTS, { recursive: true });
  const at = new Date();
  const file = join(RESULTS, `${at.toISOString().replaceAll(':', '-')}.json`);
  const results = measures.map((m) => ({ ...m, summary: summarize(m.values), reached: reached(m) }));
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  await writeFile(file, `${JSON.stringify({ at: at.toISOString(), machine, results, problems }, null, 1)}\n`);
  return file;
}
