import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../../../core/clock.ts';
import { Failure } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { clearLeftover, readPostmasterPid, stopServer } from './leftover.ts';
import type { RunAs } from './system-user.ts';
import { type Watcher, watchOver } from './watcher.ts';

const READY_WITHIN_MS = 60_000;

/** Server settings given on the command line: they hold whatever postgresql.conf says. */
const SETTINGS: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  password_encryption: 'scram-sha-256',
  // Neither statements nor their parameters belong in a log.
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
  log_error_verbosity: 'terse',
};

/** What the server tells clients while it starts and stops. */
const ORDINARY = /due to administrator command|the database system is (starting up|shutting down|not yet accepting)/;

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** One running postmaster. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process has gone, for whatever reason. */
  readonly gone: Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  postgres: string;
  cluster: string;
  port: number;
  runAs: RunAs;
  log: Logger;
}

function logLines(child: ChildProcess, log: Logger, tail: string[]): void {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (tail.push(line) > 20) tail.shift();
      if (/ (FATAL|PANIC): /.test(line) && !ORDINARY.test(line)) log.warn({ postgres: line }, 'database server');
      else log.debug({ postgres: line }, 'database server');
    }
  });
}

/**
 * Starts postgres and resolves when it accepts connections. It runs in a session of its own, so that Ctrl-C on the
 * terminal reaches us and not the database we still need for draining.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { postgres, cluster, port, runAs, log } = options;
  await clearLeftover(cluster, log);
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command, args] = runAs.wrap(postgres, ['-D', cluster, '-p', String(port), ...settings]);
  const child = spawn(command, args, {
    ...runAs.spawnOptions,
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const tail: string[] = [];
  logLines(child, log, tail);
  let exited = false;
  let failure: unknown;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      exited = true;
      resolve();
    });
    child.once('error', (error) => {
      failure = error;
      exited = true;
      resolve();
    });
  });
  const pid = child.pid;
  let watcher: Watcher | undefined;
  if (pid !== undefined) {
    watcher = watchOver(pid, runAs.uid === undefined ? {} : { uid: runAs.uid, gid: runAs.gid });
    void gone.then(() => watcher?.dismiss());
    const deadline = monotonicNow() + READY_WITHIN_MS;
    while (!exited && monotonicNow() < deadline) {
      const state = await readPostmasterPid(cluster);
      if (state?.pid === pid && state.ready) {
        child.unref();
        if (child.stderr instanceof Socket) child.stderr.unref();
        return { pid, port, gone, stop: async () => void (await stopServer(pid, () => exited)) };
      }
      await sleep(15);
    }
    if (!exited) await stopServer(pid, () => exited, 0);
  }
  throw new Failure(`the embedded database did not start: ${tail.at(-1) ?? String(failure ?? 'no output')}`, {
    code: 'postgres-start',
    blame: 'us',
    retryable: true,
    cause: failure,
  });
}
