import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { asFailure } from '../src/core/errors.ts';
import { summarize } from '../tests/support/phone/measures.ts';
import { sharedPacer } from '../tests/support/phone/pacer.ts';
import { findSources, Studio } from './eval/audio/studio.ts';
import { buildCorpus } from './eval/corpus/build.ts';
import { type EvalOptions, HELP, readOptions } from './eval/options.ts';
import { Connectors } from './eval/play/variants.ts';
import { aggregate } from './eval/report/figures.ts';
import { htmlReport } from './eval/report/html.ts';
import { RecordingShelf } from './eval/report/recordings.ts';
import { findEarlier, type Report, readEarlier } from './eval/report/report.ts';
import { terminalReport } from './eval/report/table.ts';
import { runCorpus } from './eval/run.ts';
import type { ScoredCall } from './eval/score/score-call.ts';

/** npm run eval: the corpus against the connector, judged; see docs/eval.md. */
async function evaluate(options: EvalOptions, signal: AbortSignal): Promise<void> {
  const startedAt = new Date();
  const out = resolve(options.out ?? join('eval-results', startedAt.toISOString().replaceAll(':', '-').slice(0, 19)));
  await mkdir(out, { recursive: true });
  const sources = await findSources();
  const note = (text: string) => process.stderr.write(`${text}\n`);
  if (!sources.espeak) note('espeak-ng is not installed: its voices are left out');
  if (!sources.human) note('asterisk-core-sounds-en-wav is not installed: human recordings are left out');
  const corpus = buildCorpus({ ...options, sources }).filter(({ id, tags }) => {
    const named = [id, ...Object.values(tags).map(String)];
    return options.having.length === 0 || options.having.some((text) => named.some((name) => name.includes(text)));
  });
  const studio = new Studio(resolve(options.cache));
  const connectors = new Connectors();
  const shelf = new RecordingShelf(out, options.audio);
  const calls: ScoredCall[] = [];
  let leftOut = 0;
  try {
    leftOut = await runCorpus(corpus, {
      ...options,
      connectors,
      studio,
      signal,
      onCall: (call, recording) => {
        calls.push(call);
        shelf.keep(call, recording);
      },
      onNote: note,
    });
  } finally {
    await Promise.all([connectors.stop(), studio.close(), shelf.flush()]);
  }
  if (leftOut > 0) note(`${leftOut} conversations were left out: the time was up`);
  const report: Report = {
    format: 1,
    startedAt: startedAt.toISOString(),
    tookMs: Date.now() - startedAt.getTime(),
    options: {
      ...{ quick: options.quick, sections: options.sections, having: options.having },
      ...{ seed: options.seed, concurrency: options.concurrency },
    },
    machine: {
      cores: availableParallelism(),
      cpu: cpus()[0]?.model,
      loadAverage: loadavg(),
      node: process.version,
      sources,
      // How late the phone itself was in sending: what it measures cannot be better than this.
      phoneLatenessMs: summarize(sharedPacer.lateness),
    },
    leftOut,
    aggregate: aggregate(calls),
    calls,
  };
  await writeFile(join(out, 'report.json'), JSON.stringify(report, null, 1));
  const same = (other: Record<string, unknown>) =>
    other.quick === options.quick &&
    String(other.sections) === String(options.sections) &&
    String(other.having ?? '') === String(options.having);
  const earlier = await (options.against ? readEarlier(resolve(options.against)) : findEarlier(out, same));
  await writeFile(join(out, 'report.html'), htmlReport(report, earlier, shelf.paths));
  process.stdout.write(`${terminalReport(report.aggregate, earlier)}\n\n`);
  if (earlier) note(`compared with ${earlier.path}`);
  note(`raw numbers ${join(out, 'report.json')}\npage        ${join(out, 'report.html')}`);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  // Ctrl-C: the running conversations end, what was measured so far is reported, the children are stopped.
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  await evaluate(options, stop.signal);
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    const failure = asFailure(error);
    process.stderr.write(`eval: ${failure.message}\n`);
    if (failure.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(failure.code === 'usage' ? 2 : 1);
  },
);
