import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { summarize } from '../../tests/support/phone/measures.ts';
import { BenchConnector } from './connector.ts';
import { databaseStats } from './database-stats.ts';
import { type ConnectorCpu, connectorCpu, msPerCall } from './process-parts.ts';
import type { Measure } from './report.ts';
import { type SippRun, sippCalls } from './sipp-caller.ts';
import type { PartSuite, SuiteOptions } from './suite.ts';

const CALL = fileURLToPath(new URL('../../tests/edge/call.xml', import.meta.url));
/** At which a call's cost is measured: far from what a connector carries, so that nothing is late. */
const RATE = 40;
const SECONDS = 20;
/** What is still being written when the last call is over. */
const SETTLE_MS = 2000;
const STEPS = [50, 75, 100, 125, 150, 175, 200, 250, 300, 350, 400];
const STEP_SECONDS = 8;
/** Beyond these a connector does not carry what it is given. */
const SLOW_MS = 200;

const PROFILES = [
  { name: 'silent', says: 'nobody speaks', rate: RATE },
  { name: 'bank', says: 'the bot greets', rate: RATE / 4 },
] as const;

type Options = Omit<SuiteOptions, 'connector'>;

/** A whole connector: what a call of a second costs, and how many of them a second it carries (not with --calls). */
export const whole: PartSuite = {
  name: 'whole',
  what: `a whole connector (recording, PostgreSQL), calls of a second by sipp: CPU per call by part, and calls/s until it fails`,
  environment: undefined,
  limitMs: 6 * 60_000,
  async run(options) {
    const measures: Measure[] = [];
    for (const profile of PROFILES) {
      const connector = await BenchConnector.start({ BOT_PROFILE: profile.name });
      try {
        const rate = options.calls ?? profile.rate;
        options.progress(`${profile.says}: ${rate} calls/s for ${SECONDS} s`);
        measures.push(...(await costs(connector, rate, profile.says)));
        const climbs = profile.name === 'silent' && options.calls === undefined;
        if (climbs) measures.push(...(await climb(connector, options)));
        const warnings = connector.output.filter((line) => /"level":"(warn|error|fatal)"/.test(line));
        if (warnings.length > 0)
          options.problems.push(`whole, ${profile.says}: ${warnings.length} warnings, the last: ${warnings.at(-1)}`);
      } finally {
        await connector.stop();
      }
    }
    return measures;
  },
};

const calls = (port: number, perSecond: number, seconds: number): Promise<SippRun> =>
  sippCalls({ port, perSecond, seconds, scenario: CALL });

async function costs(connector: BenchConnector, rate: number, says: string): Promise<Measure[]> {
  await calls(connector.sipPort, rate, 5);
  await sleep(SETTLE_MS);
  const before = { cpu: await connectorCpu(connector.pid), database: await databaseStats(connector.folder) };
  const run = await calls(connector.sipPort, rate, SECONDS);
  await sleep(SETTLE_MS);
  const after = { cpu: await connectorCpu(connector.pid), database: await databaseStats(connector.folder) };
  const total = run.successful + run.failed;
  const cpu = msPerCall(before.cpu, after.cpu, total);
  const each = (what: 'transactions' | 'walBytes') => (after.database[what] - before.database[what]) / total;
  const parts: [string, keyof ConnectorCpu][] = [
    ['main thread', 'main'],
    ['media thread', 'media'],
    ['pool, collector, engines', 'rest'],
    ['PostgreSQL', 'postgres'],
  ];
  return [
    ...parts.map(([name, part]) => ({
      suite: 'whole',
      name: `CPU per call, ${says}: ${name}`,
      unit: 'ms' as const,
      values: [cpu[part]],
    })),
    {
      suite: 'whole',
      name: `CPU per call, ${says}: all`,
      unit: 'ms',
      values: [cpu.main + cpu.media + cpu.rest + cpu.postgres],
      note: `${total} calls at ${rate}/s, ${run.failed} failed; in the database ${each('transactions').toFixed(1)} transactions and ${(each('walBytes') / 1024).toFixed(1)} kB of WAL for each`,
    },
  ];
}

/** Steps up until calls fail or wait. */
async function climb(connector: BenchConnector, options: Options): Promise<Measure[]> {
  let carried = 0;
  let note = 'all steps were carried';
  for (const rate of STEPS) {
    if (options.signal.aborted) break;
    const run = await calls(connector.sipPort, rate, STEP_SECONDS);
    const p95 = summarize(run.setupMs)?.p95 ?? Number.POSITIVE_INFINITY;
    const said = `${rate} calls/s: ${run.failed} of ${run.successful + run.failed} failed, setup p95 ${Math.round(p95)} ms`;
    options.progress(said);
    if (run.failed > 0 || p95 > SLOW_MS) {
      note = said;
      break;
    }
    carried = rate;
    await sleep(SETTLE_MS);
  }
  return [{ suite: 'whole', name: 'calls carried a second', unit: 'count', values: [carried], note: `then ${note}` }];
}
