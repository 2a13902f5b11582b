import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { monotonicNow } from '../../src/core/clock.ts';
import { type Edge, startOpensips } from '../../tests/edge/edge.ts';
import { freePort } from '../../tests/support/free-port.ts';
import { BenchConnector } from './connector.ts';
import { EdgeTimeline } from './edge-timeline.ts';
import { cpuSecondsOfTree } from './process-stats.ts';
import { sippCalls } from './sipp-caller.ts';
import type { PartSuite } from './suite.ts';

const CALL = fileURLToPath(new URL('../../tests/edge/call.xml', import.meta.url));
const RATE = 200;
const SECONDS = 45;
/** At a quarter of the rate, and as long again at half of it. */
const WARM_UP_SECONDS = 6;
/** When the first connector is told to end, and for how long it then stays away. */
const DRAIN_AFTER_MS = 10_000;
const AWAY_MS = 5_000;

const MISSING =
  'opensips: left out, since OPENSIPS names no binary: OPENSIPS=/path/to/opensips EDGE_MODULES=/path/to/modules/ npm run bench -- opensips';

/** Two whole connectors behind the shipped opensips/, one of which is updated under full load. */
export const behindOpensips: PartSuite = {
  name: 'opensips',
  what: `two connectors behind OpenSIPS (where it is built): ${RATE} calls/s for ${SECONDS} s, one drains and comes back`,
  environment: undefined,
  limitMs: 4 * 60_000,
  async run(options) {
    if (!process.env.OPENSIPS) {
      options.problems.push(MISSING);
      return [];
    }
    const rate = options.calls ?? RATE;
    const ports = [await freePort(), await freePort()] as const;
    const started: BenchConnector[] = [];
    const start = async (n: 0 | 1, kept?: string, spawned?: (pid: number) => void) => {
      const connector = await BenchConnector.start(environmentOf(n, ports[n]), { kept, spawned });
      started.push(connector);
      return connector;
    };
    let edge: Edge | undefined;
    try {
      let first = await start(0);
      const second = await start(1);
      // Far above what comes on average: sipp that had no time for a second sends all of it at once.
      edge = await startOpensips(ports, { env: { EDGE_MAX_CPS: String(rate * 5) } });
      // A connector that stays while another is updated has been at work for long: V8 has compiled what a call needs.
      for (const share of [0.25, 0.5]) {
        const perSecond = Math.ceil(rate * share);
        await sippCalls({ port: edge.port, perSecond, seconds: WARM_UP_SECONDS, scenario: CALL });
      }
      options.progress('warm');
      const cpuBefore = [await first.cpuSeconds(), await second.cpuSeconds(), await cpuSecondsOfTree(edge.pid)];
      const begun = monotonicNow();
      let updated: BenchConnector | number | undefined = first;
      const { pid, metricsUrl } = edge;
      const timeline = new EdgeTimeline({
        connectors: () => [updated, second],
        edgePid: pid,
        edgeMetrics: metricsUrl!,
      });
      const calls = sippCalls({ port: edge.port, perSecond: rate, seconds: SECONDS, scenario: CALL });
      await sleep(DRAIN_AFTER_MS);
      const firstCpu = (await first.cpuSeconds()) - cpuBefore[0]!;
      const told = monotonicNow();
      await first.stop({ keepData: true });
      const drainedMs = monotonicNow() - told;
      options.progress(`drained after ${Math.round(drainedMs)} ms`);
      updated = undefined;
      await sleep(AWAY_MS);
      updated = first = await start(0, first.folder, (pid) => {
        updated = pid;
      });
      const back = monotonicNow();
      options.progress(`back, ready after ${Math.round(first.startMs)} ms`);
      const run = await calls;
      options.progress(`second by second:\n${await timeline.end(run.seconds)}`);
      const wall = (monotonicNow() - begun) / 1000;
      const secondCpu = (await second.cpuSeconds()) - cpuBefore[1]!;
      const edgeCpu = (await cpuSecondsOfTree(edge.pid)) - cpuBefore[2]!;
      const counted = await metricsOf(edge);
      const total = run.successful + run.failed;
      const aware = `SIGTERM after ${DRAIN_AFTER_MS / 1000} s, ended ${(drainedMs / 1000).toFixed(1)} s later, back ${((back - told) / 1000).toFixed(1)} s after the SIGTERM`;
      return [
        {
          suite: 'opensips',
          name: 'calls failed',
          unit: 'count',
          values: [run.failed],
          target: '0',
          limits: { max: 0 },
          note: `of ${total} at ${rate}/s; ${aware}; ${counted}`,
        },
        { suite: 'opensips', name: 'setup', unit: 'ms', values: run.setupMs },
        {
          suite: 'opensips',
          name: 'share of a core, connector that stays',
          unit: '%',
          values: [(secondCpu / wall) * 100],
          note: `over the whole run; the other one ${((firstCpu / (DRAIN_AFTER_MS / 1000)) * 100).toFixed(0)} % until it was drained, each with half of the calls then`,
        },
        { suite: 'opensips', name: 'share of a core, OpenSIPS', unit: '%', values: [(edgeCpu / wall) * 100] },
      ];
    } finally {
      await edge?.stop();
      for (const { output } of started) {
        const lines = output.filter((line) => /"level":"(warn|error|fatal)"/.test(line));
        if (lines.length > 0) options.problems.push(`opensips: ${lines.length} warnings, the last: ${lines.at(-1)}`);
      }
      await Promise.all(started.map((connector) => connector.stop()));
    }
  },
};

/** Below what the kernel hands out; ports rest for a while, so there are far more than calls at once. */
function environmentOf(n: number, sipPort: number): Record<string, string> {
  const rtp = 20_000 + n * 6_000;
  return {
    SIP_PORT: String(sipPort),
    INSTANCE_ID: `bench-${n + 1}`,
    BOT_PROFILE: 'silent',
    RTP_PORT_MIN: String(rtp),
    RTP_PORT_MAX: String(rtp + 5_999),
    MAX_CALLS: '1000',
    DRAIN_SECONDS: '10',
  };
}

/** What the edge had to do for it. */
async function metricsOf({ metricsUrl }: Edge): Promise<string> {
  const text = await (await fetch(metricsUrl!)).text();
  const named = /^opensips_script_edge_(calls_answered|failovers|connector_silent|refused\S*) (\d+)/gm;
  return [...text.matchAll(named)]
    .filter(([, , count]) => count !== '0')
    .map(([, name, count]) => `${name} ${count}`)
    .join(', ');
}
