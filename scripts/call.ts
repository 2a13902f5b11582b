import { asFailure } from '../src/core/errors.ts';
import { readEnvFile } from '../src/env-file.ts';
import { summarize } from '../tests/support/phone/measures.ts';
import { findToken } from './call/api.ts';
import { LiveView } from './call/live-view.ts';
import { HELP, readOptions } from './call/options.ts';
import { type CallResult, placeCall } from './call/place-call.ts';
import { figuresOf, summaryTable } from './call/summary.ts';

/** `npm run call`: one phone call to the connector, live in the terminal. */
async function main(): Promise<number> {
  const directory = process.cwd();
  const environment = { ...readEnvFile(directory), ...process.env };
  const options = await readOptions(process.argv.slice(2), environment, directory);
  if (!options) {
    process.stdout.write(HELP);
    return 0;
  }
  const token = options.token ?? (await findToken(environment, directory));
  const colour = process.stdout.isTTY && !process.env.NO_COLOR;
  const view = options.json ? undefined : new LiveView((line) => process.stdout.write(`${line}\n`), colour);
  if (view && options.script.name) process.stdout.write(`${options.script.name}\n`);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const result = await placeCall({ ...options, token }, view, stop.signal);
  if (options.json) printJson(result);
  else print(result, options.save, options.trace);
  if (result.failure === undefined) return 0;
  return result.connected ? 1 : 3;
}

function print(result: CallResult, save: string | undefined, trace: boolean): void {
  const out: string[] = [''];
  if (result.connected) out.push(summaryTable(figuresOf([result.report])));
  for (const row of result.transactions) {
    out.push(`transaction ${row.transactionType}: ${row.outcome ?? ''}, caller ${row.authenticationStatus}`);
  }
  if (result.session) out.push(`session ${result.session.sessionId}${sessionEnd(result)}`);
  if (save !== undefined && result.connected) out.push(`recording ${save}`);
  if (trace) out.push('', ...result.trace);
  out.push(result.failure === undefined ? 'ok' : `FAILED: ${result.failure}`, '');
  process.stdout.write(out.join('\n'));
}

function sessionEnd({ session }: CallResult): string {
  return session?.status ? ` ${session.status}${session.endCause ? ` (${session.endCause})` : ''}` : '';
}

function printJson(result: CallResult): void {
  const { trace: _, report, ...rest } = result;
  const { pacingMs, ...figures } = figuresOf([report]);
  const { pacing, ...call } = report;
  const { intervals: __, ...counts } = pacing;
  const document = {
    ok: result.failure === undefined,
    ...rest,
    figures: { ...figures, pacing: summarize(pacingMs) },
    call: { ...call, ...counts },
  };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    const failure = asFailure(error);
    process.stderr.write(`${failure.message}\n`);
    if (failure.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = ['bad-use', 'bad-script', 'bad-setting'].includes(failure.code) ? 2 : 3;
  },
);
