import { setTimeout as sleep } from 'node:timers/promises';
import { Crowd, type CrowdAnswer } from './crowd.ts';
import { type FarEnd, type FarEndKind, startFarEnd } from './far-end.ts';
import { HeapInspector } from './live-heap.ts';
import { cpuSecondsOfEach, residentBytesOfAll } from './peer.ts';
import { cpuPerCall } from './process-stats.ts';
import type { Measure } from './report.ts';
import { slope } from './statistics.ts';
import type { ConnectorSuite, SuiteOptions } from './suites.ts';
import { WireCapture, type WirePacing } from './wire-capture.ts';

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
  const farEnd = await startFarEnd(kind, sipPort);
  try {
    return await work(farEnd);
  } finally {
    await farEnd.stop();
  }
}

/** What the crowd saw, and how much of it may be its own. */
export function crowdSaw(name: string, { p50, p99, max, received, ownLatenessMs }: CrowdAnswer): string {
  const own = `itself late by up to ${ownLatenessMs.toFixed(1)} ms`;
  return `${name}: the crowd saw p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms over ${received} packets, ${own}`;
}

/** Between packets, p99: by the kernel's stamps on the wire, or by the far end's where there are none. */
function pacingMeasure(suite: string, wire: WirePacing | undefined, farEnd: FarEnd, saw?: CrowdAnswer): Measure {
  const onWire = wire
    ? `on the wire p50 ${wire.p50.toFixed(1)}, max ${wire.max.toFixed(1)} ms over ${wire.packets} packets of ${wire.streams} calls, about ${wire.back} back`
    : "no dumpcap here: by the far end's clock";
  return {
    suite,
    name: 'between packets, p99',
    unit: 'ms',
    values: [wire?.p99 ?? saw?.p99 ?? Number.NaN],
    target: '<= 25',
    limits: { max: 25 },
    note: [onWire, `far end: ${farEnd.name}`, ...(saw ? [crowdSaw('it', saw)] : [])].join('; '),
  };
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
  what: '500 calls at once with RTP both ways, nobody speaks',
  environment: { BOT_PROFILE: 'silent' },
  limitMs: 5 * 60_000,
  async run(options) {
    const { connector, peer } = options;
    const ours = await carried('', connector, options);
    if (peer === undefined) return ours;
    options.progress(`the server at port ${peer.port}`);
    const theirs: Carrier = {
      sipPort: peer.port,
      cpuSeconds: async () => (await cpuSecondsOfEach(peer.pids)).reduce((sum, one) => sum + one, 0),
      residentBytes: () => residentBytesOfAll(peer.pids),
    };
    return [...ours, ...(await carried('peer: ', theirs, options))];
  },
};

function carried(whose: string, carrier: Carrier, options: SuiteOptions): Promise<Measure[]> {
  // Beside a peer both have the same callers, and such as do not echo: what it is given, the peer may send back itself.
  const kind = options.farEnd ?? (options.peer && 'node');
  return withFarEnd(kind, carrier.sipPort, async (farEnd) => {
    const idleBytes = await carrier.residentBytes();
    const { up, failed } = await farEnd.bringUp(options.calls ?? 500, 100);
    options.progress(`${up} up, ${failed} failed; far end: ${farEnd.name}`);
    await sleep(3000);
    await farEnd.reset();
    const capture = await WireCapture.start(farEnd.rtpPort);
    const [farBefore, at] = [await farEnd.cpuSeconds(), performance.now()];
    const percents = await cpuPerCall(() => carrier.cpuSeconds(), { calls: up, rounds: 5, roundMs: 3000 });
    const farShare = ((await farEnd.cpuSeconds()) - farBefore) / ((performance.now() - at) / 1000);
    const wire = await capture?.stop();
    const saw = await farEnd.saw();
    const lost = await farEnd.lost();
    const bytes = await carrier.residentBytes();
    await farEnd.hangUp();
    const measures: Measure[] = [
      {
        suite: 'media-500',
        name: `CPU per call, ${up} calls`,
        unit: '%',
        values: percents,
        target: '<= 0.20 % of a core',
        limits: { p50: 0.2 },
        note: `the whole process (signalling, recording and media), 3 s each; the far end took ${(farShare * 100).toFixed(0)} % of a core`,
      },
      pacingMeasure('media-500', wire, farEnd, saw),
      gaps('media-500', wire?.gaps ?? saw?.gaps ?? Number.NaN),
      { suite: 'media-500', name: 'calls failed', unit: 'count', values: [lost], target: '0', limits: { max: 0 } },
      {
        suite: 'media-500',
        name: 'memory per call',
        unit: 'kB',
        values: [(bytes - idleBytes) / up / 1024],
        target: '<= 400',
        limits: { max: 400 },
      },
    ];
    return whose === '' ? measures : measures.map((measure) => ofPeer(measure, whose));
  });
}

/** Targets are ours to reach, and what its processes do is its own affair. */
function ofPeer({ suite, name, unit, values, note }: Measure, whose: string): Measure {
  const said = name.startsWith('CPU') ? 'all its processes, 3 s each' : note;
  return { suite, name: `${whose}${name}`, unit, values, ...(said === undefined ? {} : { note: said }) };
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

export function gaps(suite: string, count: number): Measure {
  return { suite, name: 'sequence gaps', unit: 'count', values: [count], target: '0', limits: { max: 0 } };
}
