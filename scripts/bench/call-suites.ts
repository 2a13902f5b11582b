import { setTimeout as sleep } from 'node:timers/promises';
import { summarize } from '../../tests/support/phone/measures.ts';
import { sharedPacer } from '../../tests/support/phone/pacer.ts';
import { figuresOf } from '../call/summary.ts';
import { startLoad } from './api-load.ts';
import { ask, type BenchCall, becomeVerified, LONG_REQUEST, REQUESTS, withCall } from './callers.ts';
import { gaps } from './media-suites.ts';
import { cpuPerCall } from './process-stats.ts';
import { slope } from './statistics.ts';
import type { ConnectorSuite, SuiteOptions } from './suite.ts';

/** Calls of customers to a whole connector: what they wait for, and what their calls cost. */

const TURNS_PER_CALL = 5;

function gather(suite: string, calls: readonly BenchCall[], options: SuiteOptions) {
  for (const { problem } of calls) if (problem) options.problems.push(`${suite}: ${problem}`);
  return figuresOf(calls.map((call) => call.report));
}

const conversation: ConnectorSuite = {
  name: 'conversation',
  what: 'one call at a time, spoken requests',
  environment: {},
  limitMs: 8 * 60_000,
  async run(options) {
    const calls: BenchCall[] = [];
    const wanted = Math.ceil(options.turns / TURNS_PER_CALL);
    for (let i = 0; i < wanted && !options.signal.aborted; i++) {
      options.progress(`call ${i + 1} of ${wanted}`);
      calls.push(
        await withCall(options, i, async (phone) => {
          await becomeVerified(phone);
          for (const request of REQUESTS) await ask(phone, request);
          await ask(phone, 'thank you goodbye').catch(() => {});
        }),
      );
    }
    const f = gather('conversation', calls, options);
    return [
      {
        suite: 'conversation',
        name: 'voice-to-voice',
        unit: 'ms',
        values: f.voiceToVoiceMs,
        missed: f.missed,
        target: 'p50 <= 450, p95 <= 700',
        limits: { p50: 450, p95: 700 },
        allowedMissed: 0,
      },
      {
        suite: 'conversation',
        name: 'greeting',
        unit: 'ms',
        values: f.greetingMs,
        target: 'p95 <= 50',
        limits: { p95: 50 },
      },
      { suite: 'conversation', name: 'setup', unit: 'ms', values: f.setupMs },
      { suite: 'conversation', name: 'key-to-voice', unit: 'ms', values: f.keyToVoiceMs, missed: f.keyMissed },
      { suite: 'conversation', name: 'false cut-offs', unit: 'count', values: [f.falseCutOffs] },
      gaps('conversation', f.sequenceGaps),
    ];
  },
};

const bargeIn: ConnectorSuite = {
  name: 'barge-in',
  what: 'the caller speaks into the answer',
  environment: {},
  limitMs: 6 * 60_000,
  async run(options) {
    const calls: BenchCall[] = [];
    const perCall = 8;
    const wanted = Math.ceil(options.turns / perCall);
    for (let i = 0; i < wanted && !options.signal.aborted; i++) {
      options.progress(`call ${i + 1} of ${wanted}`);
      calls.push(
        await withCall(options, i, async (phone) => {
          await becomeVerified(phone);
          await phone.say(LONG_REQUEST);
          // Every answer is interrupted by the next request, after 1 to 2 s of it.
          for (let n = 0; n < perCall; n++) {
            const request = n % 2 === 0 ? REQUESTS[0] : LONG_REQUEST;
            await phone.interrupt(request, { afterMs: 1000 + 125 * n, timeoutMs: 8000 });
          }
          await phone.waitForSpeech(8000);
        }),
      );
    }
    const f = gather('barge-in', calls, options);
    const interrupted = calls.flatMap((call) => call.report.turns.filter((turn) => turn.kind === 'interrupt'));
    return [
      {
        suite: 'barge-in',
        name: 'barge-in to silence',
        unit: 'ms',
        values: f.bargeInToSilenceMs,
        missed: interrupted.filter((turn) => turn.bargeInToSilenceMs === undefined).length,
        target: 'p95 <= 200',
        limits: { p95: 200 },
        note: 'missed: the answer happened to be silent when the caller began',
      },
      { suite: 'barge-in', name: 'voice-to-voice', unit: 'ms', values: f.voiceToVoiceMs, missed: f.missed },
    ];
  },
};

const concurrent: ConnectorSuite = {
  name: 'concurrent',
  what: 'ten conversations at once',
  environment: {},
  limitMs: 6 * 60_000,
  async run(options) {
    const count = options.calls ?? 10;
    const calls = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        // Callers do not speak in step.
        await sleep(i * 370);
        return withCall(options, i, async (phone) => {
          await becomeVerified(phone);
          for (let n = 0; n < TURNS_PER_CALL; n++) await ask(phone, REQUESTS[(i + n) % REQUESTS.length]!);
        });
      }),
    );
    const f = gather('concurrent', calls, options);
    return [
      {
        suite: 'concurrent',
        name: `voice-to-voice, ${count} calls`,
        unit: 'ms',
        values: f.voiceToVoiceMs,
        missed: f.missed,
        target: 'p95 <= 900, none missed',
        limits: { p95: 900 },
        allowedMissed: 0,
      },
      { suite: 'concurrent', name: 'greeting', unit: 'ms', values: f.greetingMs },
      { suite: 'concurrent', name: 'false cut-offs', unit: 'count', values: [f.falseCutOffs] },
      gaps('concurrent', f.sequenceGaps),
    ];
  },
};

const pacing: ConnectorSuite = {
  name: 'pacing',
  what: '50 calls with RTP while the API serves 100 requests/s',
  environment: {},
  limitMs: 2 * 60_000,
  async run(options) {
    const count = options.calls ?? 50;
    const { connector } = options;
    const load = startLoad({ base: connector.api, token: connector.token, perSecond: 100 });
    sharedPacer.forgetLateness();
    const calls = await crowd(options, count, 15_000);
    const own = summarize(sharedPacer.lateness);
    const loaded = await load.stop();
    const f = gather('pacing', calls, options);
    const statuses = Object.entries(loaded.statuses).map(([status, n]) => `${n} x ${status}`);
    return [
      {
        suite: 'pacing',
        name: `between packets, ${count} calls`,
        unit: 'ms',
        values: f.pacingMs,
        target: 'p99 <= 25',
        limits: { p99: 25 },
        note: `as the phones saw it; their own timers were late by p99 ${number(own?.p99)} ms, max ${number(own?.max)} ms`,
      },
      gaps('pacing', f.sequenceGaps),
      {
        suite: 'pacing',
        name: 'API answer',
        unit: 'ms',
        values: loaded.latenciesMs,
        note: `${loaded.perSecond.toFixed(0)} requests/s answered: ${statuses.join(', ')}`,
      },
    ];
  },
};

const rtp: ConnectorSuite = {
  name: 'rtp',
  what: '200 calls that nobody speaks on: the media plane alone',
  environment: { BOT_PROFILE: 'silent' },
  limitMs: 3 * 60_000,
  async run(options) {
    const count = options.calls ?? 200;
    const { connector } = options;
    const idleBytes = await connector.residentBytes();
    let percents: number[] = [];
    let carryingBytes = idleBytes;
    const calls = await crowd(options, count, 15_000, async () => {
      percents = await cpuPerCall(() => connector.cpuSeconds(), { calls: count, rounds: 4, roundMs: 3000 });
      carryingBytes = await connector.residentBytes();
    });
    const f = gather('rtp', calls, options);
    return [
      {
        suite: 'rtp',
        name: `CPU per call, ${count} calls`,
        unit: '%',
        values: percents,
        target: '<= 0.3 % of a core',
        limits: { p50: 0.3 },
        note: 'BOT_PROFILE=silent; each value is the whole process (signalling and media) over 3 s',
      },
      { suite: 'rtp', name: 'memory per call', unit: 'kB', values: [(carryingBytes - idleBytes) / count / 1024] },
      { suite: 'rtp', name: 'between packets', unit: 'ms', values: f.pacingMs },
      gaps('rtp', f.sequenceGaps),
    ];
  },
};

const memory: ConnectorSuite = {
  name: 'memory',
  what: 'resident memory over short calls, one batch after the other',
  environment: { BOT_PROFILE: 'silent' },
  limitMs: 3 * 60_000,
  async run(options) {
    const batch = options.calls ?? 40;
    const rounds = 12;
    const residents: number[] = [];
    for (let round = 0; round < rounds && !options.signal.aborted; round++) {
      options.progress(`batch ${round + 1} of ${rounds}`);
      gather('memory', await crowd(options, batch, 1000), options);
      await sleep(1500);
      residents.push((await options.connector.residentBytes()) / 1024);
    }
    // The first batches fill caches and pools.
    const settled = residents.slice(4);
    return [
      { suite: 'memory', name: 'resident after each batch', unit: 'kB', values: residents },
      {
        suite: 'memory',
        name: 'growth per call',
        unit: 'kB',
        values: [slope(settled) / batch],
        note: `least squares over ${settled.length} batches of ${batch} calls; garbage not yet collected is part of it`,
      },
    ];
  },
};

export const CALL_SUITES: readonly ConnectorSuite[] = [conversation, bargeIn, concurrent, pacing, rtp, memory];

/** `count` calls up at the same time for `holdMs`; `during` runs once all are up. */
async function crowd(
  options: SuiteOptions,
  count: number,
  holdMs: number,
  during: () => Promise<void> = async () => {},
): Promise<BenchCall[]> {
  let up = 0;
  let allUp = () => {};
  const everybody = new Promise<void>((resolve) => {
    allUp = resolve;
  });
  const joined = () => {
    up++;
    if (up === count) allUp();
  };
  const measured = everybody.then(during);
  measured.catch(() => {});
  const calls = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await sleep(i * 15);
      let counted = false;
      const call = await withCall(options, i, async (phone) => {
        counted = true;
        joined();
        await everybody;
        await Promise.all([phone.pause(holdMs), measured]);
      });
      // A call that did not come up must not keep the others waiting.
      if (!counted) joined();
      return call;
    }),
  );
  await measured;
  return calls;
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(1);
}
