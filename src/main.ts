import { type App, startApp } from './app.ts';
import { readConfig } from './config.ts';
import { asFailure } from './core/errors.ts';
import { createLogger } from './core/log.ts';

/** Signals in, exit code out. Everything else is app.ts. */
async function main(): Promise<number> {
  const config = readConfig(process.env, process.cwd());
  const log = createLogger({ level: config.logLevel });
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
  const unwanted = new AbortController();
  const stopping = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  void stopping.then(() => unwanted.abort());
  let app: App | undefined;
  // In a terminal it means that the terminal has gone, and ends us as it always did.
  if (!process.stdin.isTTY) {
    process.on('SIGHUP', () => {
      log.info({ signal: 'SIGHUP' }, 'reading sip-config again');
      app?.reload();
    });
  }
  app = await startApp(config, log, unwanted.signal);
  if (app === undefined) {
    log.info({ signal: await stopping }, 'stopped before it was ready');
    return 0;
  }
  const signal = await stopping;
  log.info({ signal, calls: app.calls() }, 'stopping: no new calls, waiting for running ones (again to stop at once)');
  // A second signal ends the waiting, not the orderly close.
  for (const again of ['SIGINT', 'SIGTERM'] as const) process.once(again, () => app?.hurry());
  await app.stop();
  log.info('stopped');
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    const failure = asFailure(error);
    process.stderr.write(`sip-voice-connector: ${failure.message}\n`);
    if (failure.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
