import { parseArgs } from 'node:util';
import { VoiceBox } from '../tests/support/phone/voice.ts';
import { rehearse } from './bench/callers.ts';
import { BenchConnector } from './bench/connector.ts';
import { FAR_ENDS, type FarEndKind } from './bench/far-end.ts';
import { type BenchPeer, peerIn } from './bench/peer.ts';
import { lastResults, type Measure, resultTable, storeResults } from './bench/report.ts';
import type { Suite } from './bench/suite.ts';
import { SUITES } from './bench/suites.ts';

const HELP = `npm run bench [-- name... --calls N --turns N --minutes N]     measures a connector of its own, from the caller's side

${SUITES.map((suite) => `  ${suite.name.padEnd(14)} ${suite.what}`).join('\n')}

  --calls N    calls at once in concurrent, pacing, rtp, memory, media-500 and flood, calls a second in sip, churn and whole,
               instead of their own numbers
  --turns N    spoken turns in conversation and barge-in, default 20
  --minutes N  how long churn goes on, default 2
  --far-end X  who calls in media-500 and flood: node (default), callers that speak by a clock of their own and read and send
               hundreds of packets by one call, echo, the same sending back what they hear, or sipp, which echoes too
  --peer 127.0.0.1:PORT --peer-pids N,N
               a SIP server of somebody else's, already running, that answers calls on UDP (with RTP of its own for
               media-500), and its processes: sip, sip-traced, torture and media-500 measure it after ours
Raw numbers go to bench-results/. Exit code 0: everything was measured, whatever it came to.
`;

/** Suites whose callers speak. */
const SPOKEN = new Set(['conversation', 'barge-in', 'concurrent']);

const say = (text: string) => process.stderr.write(`${text}\n`);

/** `npm run bench`: prints and stores figures; it asserts nothing. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      calls: { type: 'string' },
      turns: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '2' },
      peer: { type: 'string' },
      'far-end': { type: 'string' },
      'peer-pids': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) throw new Error(`no such suite: ${unknown.join(', ')}\n\n${HELP}`);
  const chosen = SUITES.filter((suite) => positionals.length === 0 || positionals.includes(suite.name));
  const counts = {
    calls: count('calls', values.calls),
    turns: count('turns', values.turns) ?? 20,
    minutes: count('minutes', values.minutes) ?? 2,
    farEnd: farEndOf(values['far-end']),
    peer: peerIn(values.peer, values['peer-pids']),
  };
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));
  const voiceBox = new VoiceBox();
  const measures: Measure[] = [];
  const problems: string[] = [];
  let failed = 0;
  try {
    if (chosen.some((suite) => SPOKEN.has(suite.name))) await rehearse(voiceBox);
    for (const suite of chosen) {
      if (stop.signal.aborted) break;
      try {
        measures.push(...(await runSuite(suite, { ...counts, voiceBox, problems, stop: stop.signal })));
      } catch (error) {
        failed++;
        const why = error instanceof Error ? error.message : String(error);
        problems.push(`${suite.name}: ${stop.signal.aborted ? `cut off by ${stop.signal.reason}: ` : ''}${why}`);
      }
    }
  } finally {
    await voiceBox.close();
  }
  process.stdout.write(`\n${resultTable(measures, await lastResults())}\n`);
  for (const [text, times] of tally(problems))
    process.stdout.write(`problem: ${text}${times > 1 ? ` (${times} times)` : ''}\n`);
  process.stdout.write(`raw numbers: ${await storeResults(measures, problems)}\n`);
  return failed > 0 || stop.signal.aborted ? 1 : 0;
}

interface RunOptions {
  readonly calls: number | undefined;
  readonly turns: number;
  readonly minutes: number;
  readonly peer: BenchPeer | undefined;
  readonly farEnd: FarEndKind | undefined;
  readonly voiceBox: VoiceBox;
  readonly problems: string[];
  readonly stop: AbortSignal;
}

/** Each suite has a connector of its own, so that none inherits the state of the one before. */
async function runSuite(suite: Suite, options: RunOptions): Promise<Measure[]> {
  say(`${suite.name}: ${suite.what}`);
  const limitMs = suite.limitMs || (options.minutes + 1) * 60_000;
  const signal = AbortSignal.any([options.stop, AbortSignal.timeout(limitMs)]);
  const progress = (text: string) => say(`  ${text}`);
  if (suite.environment === undefined) return suite.run({ ...options, signal, progress });
  const connector = await BenchConnector.start(suite.environment, { inspected: suite.inspected ?? false });
  try {
    const measures = await suite.run({
      ...options,
      connector,
      signal,
      progress,
    });
    if (signal.aborted) {
      const by = options.stop.aborted ? `by ${options.stop.reason}` : `after ${limitMs / 1000} s`;
      options.problems.push(`${suite.name}: cut off ${by}`);
    }
    const complaints = connector.output.filter((line) => /"level":"(warn|error|fatal)"/.test(line));
    if (complaints.length > 0)
      options.problems.push(
        `${suite.name}: the connector logged ${complaints.length} warnings, last: ${complaints.at(-1)}`,
      );
    return measures;
  } finally {
    await connector.stop();
  }
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: a whole number from 1`);
  return value;
}

function farEndOf(text: string | undefined): FarEndKind | undefined {
  const kind = FAR_ENDS.find((one) => one === text);
  if (text !== undefined && kind === undefined) throw new Error(`--far-end: one of ${FAR_ENDS.join(', ')}`);
  return kind;
}

function tally(texts: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  return times;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
