import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { flood } from './flood-suite.ts';
import { churn, media500 } from './media-suites.ts';
import { mediaVad } from './media-vad.ts';
import { cpuSecondsOf } from './process-stats.ts';
import { sippCalls } from './sipp-caller.ts';
import type { PartSuite, Suite } from './suites.ts';

/** The SIP and RTP edge: many calls, cheap callers, nobody speaks. */

const SIP_RATE = 800;
const SIP_SECONDS = 30;

const sipSuite = (name: string, ...args: string[]): PartSuite => ({
  name,
  what: `the SIP stack alone${args.map((arg) => `, ${arg}`)}: ${SIP_RATE} calls/s for ${SIP_SECONDS} s, BYE after 1 s, UDP; sipp is the caller`,
  environment: undefined,
  limitMs: 3 * 60_000,
  async run(options) {
    const child = fork(join(import.meta.dirname, 'sip-server.ts'), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    try {
      const [{ port }] = (await once(child, 'message')) as [{ port: number }];
      const rate = options.calls ?? SIP_RATE;
      await sippCalls(port, Math.min(rate, 200), 3);
      options.progress('warm');
      const before = await cpuSecondsOf(child.pid!);
      const run = await sippCalls(port, rate, SIP_SECONDS);
      const cpuMs = ((await cpuSecondsOf(child.pid!)) - before) * 1000;
      const calls = run.successful + run.failed;
      const reached = calls / (run.wallMs / 1000 - 1);
      return [
        { suite: name, name: 'setup', unit: 'ms', values: run.setupMs, target: 'p95 <= 20', limits: { p95: 20 } },
        {
          suite: name,
          name: 'calls not answered or not ended',
          unit: 'count',
          values: [run.failed],
          target: '0',
          limits: { max: 0 },
          note: `${calls} calls at ${reached.toFixed(0)}/s`,
        },
        { suite: name, name: 'CPU per call', unit: 'ms', values: [cpuMs / calls] },
        {
          suite: name,
          name: 'share of a core',
          unit: '%',
          values: [cpuMs / 10 / (run.wallMs / 1000)],
          target: '<= 100 (one core)',
          limits: { max: 100 },
        },
      ];
    } finally {
      child.disconnect();
    }
  },
});

export const EDGE_SUITES: readonly Suite[] = [
  sipSuite('sip'),
  sipSuite('sip-traced', 'traced'),
  media500,
  mediaVad,
  flood,
  churn,
];
