import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ScoredCall } from '../score/score-call.ts';
import type { Aggregate } from './figures.ts';

/** report.json. `calls` are the raw numbers, everything else is made from them. */
export interface Report {
  readonly format: 1;
  readonly startedAt: string;
  readonly tookMs: number;
  readonly options: Record<string, unknown>;
  readonly machine: Record<string, unknown>;
  readonly leftOut: number;
  readonly aggregate: Aggregate;
  readonly calls: readonly ScoredCall[];
}

/** What is compared with: the figures of an earlier run. */
export interface Earlier {
  readonly path: string;
  readonly startedAt: string;
  readonly figures: ReadonlyMap<string, number>;
}

/** The latest report beside `folder` that was made with the same corpus; undefined when there is none. */
export async function findEarlier(
  folder: string,
  sameCorpus: (options: Record<string, unknown>) => boolean,
): Promise<Earlier | undefined> {
  const beside = dirname(folder);
  const names = await readdir(beside).catch(() => [] as string[]);
  for (const name of names.sort().reverse()) {
    if (join(beside, name) === folder) continue;
    const earlier = await readEarlier(join(beside, name, 'report.json'), sameCorpus).catch(() => undefined);
    if (earlier) return earlier;
  }
  return undefined;
}

/** Throws when the file is no report. */
export async function readEarlier(
  path: string,
  fits: (options: Record<string, unknown>) => boolean = () => true,
): Promise<Earlier | undefined> {
  const report = JSON.parse(await readFile(path, 'utf8')) as Report;
  if (report.format !== 1) throw new Error(`${path} is no report of this evaluation`);
  if (!fits(report.options)) return undefined;
  const known = report.aggregate.figures.flatMap(({ id, value }) =>
    value === undefined ? [] : [[id, value] as const],
  );
  return { path, startedAt: report.startedAt, figures: new Map(known) };
}

/** Change since the earlier run; undefined when one of the two does not know the figure. */
export function deltaOf(id: string, value: number | undefined, earlier: Earlier | undefined): number | undefined {
  const before = earlier?.figures.get(id);
  return before === undefined || value === undefined ? undefined : value - before;
}
