import { startChild } from './child.ts';
import { cpuSecondsOfEach, residentBytesOfAll } from './peer.ts';
import type { Measure } from './report.ts';
import { sippCalls } from './sipp-caller.ts';
import type { PartSuite } from './suite.ts';

const SIP_RATE = 800;
const SIP_SECONDS = 30;

/** The SIP stack in a process of its own (sip-server.ts). */
export async function startSipServer(...args: string[]): Promise<{ port: number; pid: number; stop(): void }> {
  const { child, said } = await startChild<{ port: number }>('sip-server.ts', ...args);
  return { port: said.port, pid: child.pid!, stop: () => child.disconnect() };
}

/** With --peer that server is given the same calls afterwards, so that both are measured in one run. */
export const sipSuite = (name: string, ...args: string[]): PartSuite => ({
  name,
  what: `the SIP stack alone${args.map((arg) => `, ${arg}`)}: ${SIP_RATE} calls/s for ${SIP_SECONDS} s, BYE after 1 s, UDP; sipp is the caller`,
  environment: undefined,
  limitMs: 5 * 60_000,
  async run({ calls, peer, progress }) {
    const rate = calls ?? SIP_RATE;
    const ours = await startSipServer(...args);
    const measures: Measure[] = [];
    try {
      progress('ours');
      measures.push(...(await measure(name, '', { port: ours.port, pids: [ours.pid] }, rate)));
    } finally {
      ours.stop();
    }
    if (peer === undefined) return measures;
    progress(`the server at port ${peer.port}`);
    return [...measures, ...(await measure(name, 'peer: ', peer, rate))];
  },
});

async function measure(
  suite: string,
  whose: string,
  { port, pids }: { port: number; pids: readonly number[] },
  perSecond: number,
): Promise<Measure[]> {
  await sippCalls({ port, perSecond: Math.min(perSecond, 200), seconds: 3 });
  const before = await cpuSecondsOfEach(pids);
  const run = await sippCalls({ port, perSecond, seconds: SIP_SECONDS });
  const after = await cpuSecondsOfEach(pids);
  const cpuMs = after.map((seconds, i) => (seconds - before[i]!) * 1000);
  const total = cpuMs.reduce((sum, one) => sum + one, 0);
  const calls = run.successful + run.failed;
  const wallSeconds = run.wallMs / 1000;
  const each = cpuMs.map((one) => (one / calls).toFixed(3)).join(' + ');
  const target = whose === '';
  return [
    {
      suite,
      name: `${whose}setup`,
      unit: 'ms',
      values: run.setupMs,
      ...(target ? { target: 'p95 <= 20', limits: { p95: 20 } } : {}),
    },
    {
      suite,
      name: `${whose}calls not answered or not ended`,
      unit: 'count',
      values: [run.failed],
      ...(target ? { target: '0', limits: { max: 0 } } : {}),
      note: `${calls} calls at ${(calls / (wallSeconds - 1)).toFixed(0)}/s`,
    },
    ...(pids.length === 0
      ? []
      : [
          {
            suite,
            name: `${whose}CPU per call`,
            unit: 'ms' as const,
            values: [total / calls],
            note: `${each} ms (process by process), resident ${Math.round((await residentBytesOfAll(pids)) / 1_048_576)} MB`,
          },
          {
            suite,
            name: `${whose}share of a core`,
            unit: '%' as const,
            values: [total / 10 / wallSeconds],
            ...(target ? { target: '<= 100 (one core)', limits: { max: 100 } } : {}),
          },
        ]),
  ];
}
