import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../../src/core/clock.ts';
import { Crowd, type CrowdAnswer } from './crowd.ts';
import { cpuSecondsOf } from './process-stats.ts';
import type { Measure } from './report.ts';
import { sippCalls } from './sipp-caller.ts';
import { slope } from './statistics.ts';
import type { ConnectorSuite, PartSuite, Suite, SuiteOptions } from './suites.ts';

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

async function withCrowd(options: SuiteOptions, work: (crowd: Crowd) => Promise<Measure[]>): Promise<Measure[]> {
  const crowd = await Crowd.start({ sipPort: options.connector.sipPort });
  try {
    return await work(crowd);
  } finally {
    await crowd.stop();
  }
}

function pacing(suite: string, name: string, { p50, p99, max, received, ownLatenessMs }: CrowdAnswer): string {
  const own = `the crowd itself was late by up to ${ownLatenessMs.toFixed(1)} ms`;
  return `${suite}, ${name}: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms over ${received} packets; ${own}`;
}

const media500: ConnectorSuite = {
  name: 'media-500',
  what: '500 calls at once with RTP both ways, nobody speaks',
  environment: { BOT_PROFILE: 'silent' },
  limitMs: 3 * 60_000,
  run: (options) =>
    withCrowd(options, async (crowd) => {
      const count = options.calls ?? 500;
      const { connector } = options;
      const idleBytes = await connector.residentBytes();
      const { up, failed } = await crowd.order({ do: 'bring up', calls: count, perSecond: 100 });
      options.progress(`${up} up, ${failed} failed`);
      await sleep(3000);
      await crowd.order({ do: 'reset' });
      const percents: number[] = [];
      for (let round = 0; round < 5; round++) {
        const [cpu, at] = [await connector.cpuSeconds(), monotonicNow()];
        await sleep(3000);
        percents.push((((await connector.cpuSeconds()) - cpu) / ((monotonicNow() - at) / 1000) / up) * 100);
      }
      const figures = await crowd.order({ do: 'figures' });
      const bytes = await connector.residentBytes();
      await crowd.order({ do: 'hang up' });
      return [
        {
          suite: 'media-500',
          name: `CPU per call, ${up} calls`,
          unit: '%',
          values: percents,
          target: '<= 0.20 % of a core',
          limits: { p50: 0.2 },
          note: 'the whole process (signalling, recording and media), 3 s each',
        },
        {
          suite: 'media-500',
          name: 'between packets, p99',
          unit: 'ms',
          values: [figures.p99],
          target: '<= 25',
          limits: { max: 25 },
          note: pacing('media-500', 'packets', figures),
        },
        gaps('media-500', figures.gaps),
        { suite: 'media-500', name: 'calls failed', unit: 'count', values: [failed], target: '0', limits: { max: 0 } },
        {
          suite: 'media-500',
          name: 'memory per call',
          unit: 'kB',
          values: [(bytes - idleBytes) / up / 1024],
          target: '<= 400',
          limits: { max: 400 },
        },
      ];
    }),
};

/** Garbage and calls that nobody let in, from many ports; counts what it got out. */
function startFlood(port: number, perSecond: number): { stop(): number } {
  const sockets = Array.from({ length: 8 }, () => createSocket('udp4'));
  for (const socket of sockets) socket.on('message', () => undefined);
  const begun = monotonicNow();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((monotonicNow() - begun) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const socket = sockets[sent % sockets.length]!;
      socket.send(sent % 2 === 0 ? garbage(sent) : scan(sent), port, '127.0.0.1');
    }
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      for (const socket of sockets) socket.close();
      return sent;
    },
  };
}

function garbage(n: number): Buffer {
  const bytes = Buffer.alloc(20 + ((n * 37) % 400));
  for (let i = 0; i < bytes.length; i++) bytes[i] = (n * 31 + i * 17) & 0xff;
  return n % 4 === 0 ? bytes : Buffer.concat([Buffer.from('INVITE sip:x SIP/2.0\r\nVia: '), bytes]);
}

function scan(n: number): string {
  return [
    `INVITE sip:${1000 + n}@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK-flood-${n};rport`,
    `From: <sip:100@127.0.0.1>;tag=f${n}`,
    `To: <sip:${1000 + n}@127.0.0.1>`,
    `Call-ID: flood-${n}`,
    'CSeq: 1 INVITE',
    'Contact: <sip:100@203.0.113.7>',
    'User-Agent: friendly-scanner',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const flood: ConnectorSuite = {
  name: 'flood',
  what: '50 calls, then 2,000 packets/s of garbage and unauthorised INVITEs beside them',
  environment: { BOT_PROFILE: 'silent', MAX_CALLS: '60' },
  limitMs: 3 * 60_000,
  run: (options) =>
    withCrowd(options, async (crowd) => {
      const { connector } = options;
      await crowd.order({ do: 'bring up', calls: options.calls ?? 50, perSecond: 20 });
      await sleep(2000);
      await crowd.order({ do: 'reset' });
      await sleep(10_000);
      const quiet = await crowd.order({ do: 'figures' });
      const attack = startFlood(connector.sipPort, 2000);
      await sleep(2000);
      await crowd.order({ do: 'reset' });
      const residents: number[] = [];
      for (let i = 0; i < 10; i++) {
        await sleep(2000);
        residents.push((await connector.residentBytes()) / 1024);
      }
      const flooded = await crowd.order({ do: 'figures' });
      const sent = attack.stop();
      await crowd.order({ do: 'hang up' });
      const [first, second] = [residents.slice(0, 5), residents.slice(5)];
      return [
        {
          suite: 'flood',
          name: 'p99 between packets, against before',
          unit: 'ms',
          values: [flooded.p99 - quiet.p99],
          target: 'within 5',
          limits: { max: 5 },
          note: `${pacing('before', 'packets', quiet)}; ${pacing('under the flood', 'packets', flooded)}; ${sent} packets sent`,
        },
        gaps('flood', flooded.gaps),
        {
          suite: 'flood',
          name: 'admitted calls that ended or failed',
          unit: 'count',
          values: [flooded.failed],
          target: '0',
          limits: { max: 0 },
        },
        {
          suite: 'flood',
          name: 'resident growth between halves',
          unit: 'kB',
          values: [Math.min(...second) - Math.min(...first)],
          note: 'lowest of the second ten seconds against the lowest of the first; flat is below 4 MB',
          limits: { max: 4096 },
          target: 'flat',
        },
      ];
    }),
};

const churn: ConnectorSuite = {
  name: 'churn',
  what: 'short calls with RTP, 20 a second for --minutes (default 2; 60 is the soak): memory',
  environment: { BOT_PROFILE: 'silent' },
  limitMs: 0,
  run: (options) =>
    withCrowd(options, async (crowd) => {
      const perSecond = options.calls ?? 20;
      const rounds = Math.max(6, Math.round(options.minutes * 6));
      const residents: number[] = [];
      let figures: CrowdAnswer | undefined;
      for (let round = 0; round < rounds && !options.signal.aborted; round++) {
        figures = await crowd.order({ do: 'short calls', calls: perSecond * 10, perSecond, holdMs: 1000 });
        residents.push((await options.connector.residentBytes()) / 1024);
        if (round % 6 === 5) options.progress(`minute ${(round + 1) / 6}: ${Math.round(residents.at(-1)! / 1024)} MB`);
      }
      const settled = residents.slice(Math.floor(residents.length / 3));
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

function gaps(suite: string, count: number): Measure {
  return { suite, name: 'sequence gaps', unit: 'count', values: [count], target: '0', limits: { max: 0 } };
}

export const EDGE_SUITES: readonly Suite[] = [
  sipSuite('sip'),
  sipSuite('sip-traced', 'traced'),
  media500,
  flood,
  churn,
];
