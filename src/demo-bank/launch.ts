import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';

export interface LaunchedBank {
  readonly url: string;
  close(): Promise<void>;
}

export interface LaunchOptions {
  apiKey: string;
  log: Logger;
  /** More command line options of main.ts. */
  options?: readonly string[];
}

/** Behind a busy machine's calls; one that cannot start says so at once. */
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 3000;
const RESTART_AFTER_MS = 1000;

/** Runs the demo bank as a process of its own; started again, at the same address, when it dies. */
export async function launchDemoBank({ apiKey, log, options = [] }: LaunchOptions): Promise<LaunchedBank> {
  let closed = false;
  let child: ChildProcess;
  let restart: NodeJS.Timeout | undefined;

  const start = async (port: string): Promise<URL> => {
    child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('./main.ts', import.meta.url)),
        '--port',
        port,
        '--api-key',
        apiKey,
        '--exit-with-parent',
        ...options,
      ],
      // In a process group of its own: Ctrl-C in a terminal is for us, and calls that go on meanwhile need their bank.
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
    );
    const started = child;
    started.once('exit', (code, signal) => {
      if (closed) return;
      log.error({ code, signal }, 'demo bank died; starting it again');
      restart = setTimeout(
        () => void start(url?.port ?? port).catch((error) => log.error({ err: error }, 'demo bank does not start')),
        RESTART_AFTER_MS,
      );
    });
    // Its log lines are JSON already; they go where ours go.
    started.stderr!.on('data', (chunk: Buffer) => process.stdout.write(chunk));
    for await (const line of createInterface({
      input: started.stdout!,
      signal: AbortSignal.timeout(START_WITHIN_MS),
    })) {
      const ready = JSON.parse(line) as { listening?: string };
      if (ready.listening) return new URL(ready.listening);
    }
    throw new Error('the demo bank did not start');
  };

  let url: URL | undefined;
  url = await start('0');
  return {
    url: url.origin,
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(restart);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await gone;
      clearTimeout(force);
    },
  };
}
