import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Crowd, type CrowdAnswer } from './crowd.ts';
import { type FarEnd, type FarEndKind, startFarEnd } from './far-end.ts';
import { HeapInspector } from './live-heap.ts';
import { watchPacing } from './pacing.ts';
import { percentOfDue } from './packet-figures.ts';
import { cpuSecondsOfEach, residentBytesOfAll } from './peer.ts';
import { cpuPerCall, stolenSeconds } from './process-stats.ts';
import type { Measure } from './report.ts';
import { slope } from './statistics.ts';
import type { ConnectorSuite, SuiteOptions } from './suite.ts';

export async function withCrowd(options: SuiteOptions, work: (crowd: Crowd) => Promise<Measure[]>): Promise<Measure[]> {
  const crowd = await Crowd.start({ sipPort: options.connector.sipPort });
  try {
    return await work(crowd);
  } finally {
    await crowd.stop();
  }
}

/** As withCrowd, with whatever far end was asked for. */
export async function withFarEnd(
  kind: FarEndKind | undefined,
  sipPort: number,
  work: (farEnd: FarEnd) => Promise<Measure[]>,
): Promise<Measure[]> {
  const farEnd = await startFarEnd(kind ?? 'node', sipPort);
  try {
    return await work(farEnd);
  } finally {
    await farEnd.stop();
  }
}

/** What carries the calls: the bench's connector, or a server of somebody else's. */
interface Carrier {
  readonly sipPort: number;
  cpuSeconds(): Promise<number>;
  residentBytes(): Promise<number>;
}

/** With --peer that server carries the same calls afterwards, so that both are measured in one run. */
export const media500: ConnectorSuite = {
  name: 'media-500',
  what: '500 calls at once with RTP both ways, nobody speaks: recorded as shipped, then not recorded, as an echo would carry them',
  environment: { BOT_PROFILE: 'silent', SIP_CONFIG: join(import.meta.dirname, 'sip-config-media') },
  limitMs: 6 * 60_000,
  async run(options) {
    const { connector, peer } = options;
    const recorded = await carried({ whose: '', number: 'bank' }, connector, options);
    options.progress('the same without recordings');
    // Its memory is what the calls before have left.
    const bare = (await carried({ whose: 'not recorded: ', number: 'unrecorded' }, connector, options)).filter(
      ({ unit }) => unit !== 'kB',
    );
    if (peer === undefined) return [...recorded, ...bare];
    options.progress(`the server at port ${peer.port}`);
    const theirs: Carrier = {
      sipPort: peer.port,
      cpuSeconds: async () => (await cpuSecondsOfEach(peer.pids)).reduce((sum, one) => sum + one, 0),
      residentBytes: () => residentBytesOfAll(peer.pids),
    };
    // Targets are ours to reach, and what its processes do is its own affair.
    const peers = await carried({ whose: 'peer: ', number: 'bank' }, theirs, options);
    return [...recorded, ...bare, ...peers.map(({ target: _, limits: __, ...measure }) => measure)];
  },
};

const ROUNDS = { rounds: 5, roundMs: 3000 };

function carried(
  { whose, number }: { whose: string; number: string },
  carrier: Carrier,
  options: SuiteOptions,
): Promise<Measure[]> {
  return withFarEnd(options.farEnd, carrier.sipPort, async (farEnd) => {
    const idleBytes = await carrier.residentBytes();
    const { up, failed } = await farEnd.bringUp(options.calls ?? 500, 100, number);
    options.progress(`${up} up, ${failed} failed; far end: ${farEnd.name}`);
    await sleep(3000);
    const watched = await watchPacing(farEnd);
    const stolenBefore = await stolenSeconds();
    const [farBefore, cpuBefore] = [await farEnd.cpuSeconds(), await carrier.cpuSeconds()];
    const percents = await cpuPerCall(() => carrier.cpuSeconds(), { calls: up, ...ROUNDS });
    const cpuSeconds = (await carrier.cpuSeconds()) - cpuBefore;
    const farSeconds = (await farEnd.cpuSeconds()) - farBefore;
    const wire = await watched();
    const stolen = (await stolenSeconds()) - stolenBefore;
    const lost = await farEnd.lost();
    const bytes = await carrier.residentBytes();
    await farEnd.hangUp();
    const suite = 'media-500';
    const seconds = wire?.seconds ?? (ROUNDS.rounds * ROUNDS.roundMs) / 1000;
    const perThousand = wire && (cpuSeconds * 1000) / (wire.packets / 1000);
    return [
      {
        ...{ suite, name: `${whose}CPU per call, ${up} calls`, unit: '%', values: percents },
        ...{ target: '<= 0.20 % of a core', limits: { p50: 0.2 } },
        note: `all of the carrier's threads, 3 s each; the far end took ${((farSeconds / seconds) * 100).toFixed(0)} % of a core`,
      },
      {
        ...{ suite, name: `${whose}CPU per 1,000 packets out and as many in`, unit: 'ms' },
        values: perThousand === undefined ? [] : [perThousand],
      },
      {
        ...{ suite, name: `${whose}packets sent, of those due`, unit: '%' },
        values: wire ? [percentOfDue(up, wire.packets, wire.seconds)] : [],
        ...{ target: '>= 99.5 %', limits: { min: 99.5 } },
      },
      {
        ...{ suite, name: `${whose}between packets, p99`, unit: 'ms', values: [wire?.p99 ?? Number.NaN] },
        ...{ target: '<= 25', limits: { max: 25 } },
        ...(wire && {
          note: `${wire.note}; the host took ${percentOfCores(stolen, wire.seconds)} % of the cores for others meanwhile`,
        }),
      },
      gaps(suite, wire?.gaps ?? Number.NaN, whose),
      {
        ...{ suite, name: `${whose}calls failed`, unit: 'count', values: [lost], target: '0', limits: { max: 0 } },
      },
      {
        ...{ suite, name: `${whose}memory per call`, unit: 'kB', values: [(bytes - idleBytes) / up / 1024] },
        ...{ target: '<= 400', limits: { max: 400 } },
        note: `beyond the ${Math.round(idleBytes / 1_048_576)} MB before the first call; threads that start with the first calls count as theirs`,
      },
    ] satisfies Measure[];
  });
}

/** What is stolen while calls are carried is in every figure of lateness, and nobody's fault here. */
function percentOfCores(seconds: number, of: number): string {
  return ((seconds / of / availableParallelism()) * 100).toFixed(1);
}

export const churn: ConnectorSuite = {
  name: 'churn',
  what: 'short calls with RTP, 20 a second for --minutes (default 2; 60 is the soak): memory',
  environment: { BOT_PROFILE: 'silent' },
  inspected: true,
  limitMs: 0,
  run: (options) =>
    withCrowd(options, async (crowd) => {
      const perSecond = options.calls ?? 20;
      const rounds = Math.max(6, Math.round(options.minutes * 6));
      const inspector = await HeapInspector.connect(options.connector.inspectorUrl!);
      const residents: number[] = [];
      const live: number[] = [];
      let figures: CrowdAnswer | undefined;
      for (let round = 0; round < rounds && !options.signal.aborted; round++) {
        figures = await crowd.order({ do: 'short calls', calls: perSecond * 10, perSecond, holdMs: 1000 });
        residents.push((await options.connector.residentBytes()) / 1024);
        if (round % 2 === 1) live.push((await inspector.live()).bytes / 1024);
        const megabytes = (values: number[]) => Math.round(values.at(-1)! / 1024);
        if (round % 6 === 5)
          options.progress(`minute ${(round + 1) / 6}: ${megabytes(residents)} MB, of them live ${megabytes(live)} MB`);
      }
      inspector.close();
      const settled = residents.slice(Math.floor(residents.length / 3));
      // Transactions rest for 32 s, so that long it grows.
      const settledLive = live.slice(2);
      return [
        { suite: 'churn', name: 'resident every 10 s', unit: 'kB', values: residents },
        {
          suite: 'churn',
          name: 'growth per call',
          unit: 'kB',
          values: [slope(settled) / (perSecond * 10)],
          target: '<= 400',
          limits: { max: 400 },
          note: `least squares over the last ${settled.length} of ${residents.length} rounds of ${perSecond * 10} calls`,
        },
        { suite: 'churn', name: 'live memory every 20 s, all threads', unit: 'kB', values: live },
        {
          suite: 'churn',
          name: 'growth of live memory per call',
          unit: 'kB',
          values: [slope(settledLive) / (perSecond * 20)],
          target: '<= 1',
          limits: { max: 1 },
          note: 'behind full collections, from the 60th second on: what is compiled and learned meanwhile is in it',
        },
        {
          suite: 'churn',
          name: 'calls failed',
          unit: 'count',
          values: [figures?.failed ?? 0],
          target: '0',
          limits: { max: 0 },
          note: `of ${figures?.over ?? 0}`,
        },
        { suite: 'churn', name: 'setup', unit: 'ms', values: figures?.setupMs ?? [] },
      ];
    }),
};

export function gaps(suite: string, count: number, whose = ''): Measure {
  return { suite, name: `${whose}sequence gaps`, unit: 'count', values: [count], target: '0', limits: { max: 0 } };
}
