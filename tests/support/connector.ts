import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endsWithUs } from './children.ts';
import { putDatabase } from './postgres.ts';
import { RUN_FOLDER } from './run-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TOKEN = 'a-token-for-tests-only';
const START_WITHIN_MS = 120_000;
/** Compiled modules, kept as `npm start` keeps them. */
const COMPILED = process.env.NODE_COMPILE_CACHE;
/** Prompts that one of them has synthesized are there for all. */
const RUN = process.env[RUN_FOLDER];

export interface Connector {
  readonly process: ChildProcess;
  /** UDP. */
  readonly sipPort: number;
  readonly sipTcpPort: number;
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  /** Every log line so far. */
  readonly logs: Record<string, unknown>[];
  /** Everything it ever wrote, logs and errors: secrets are searched for here. */
  output(): string;
  api<T = unknown>(path: string): Promise<T>;
  /** Any request of the API, whatever becomes of it. */
  send(method: string, path: string, body?: object): Promise<Response>;
  /** SIGTERM and an orderly end; resolves with the exit code. Removes the data unless told to keep it. */
  stop(options?: { keepData?: boolean; signal?: NodeJS.Signals }): Promise<number | null>;
}

/**
 * The whole connector as its user runs it: a process of its own, on free ports of the loopback, with a database, a demo
 * bank and a data folder of its own. In `dataDir` it starts from what is there, from nothing in an empty one; in a folder
 * of its own from a copy of what a first start leaves (postgres.ts). `onSpawn` sees the process before it is ready.
 */
export async function startConnector(
  env: Record<string, string> = {},
  dataDir?: string,
  onSpawn?: (child: ChildProcess) => void,
): Promise<Connector> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'connector-')));
  if (dataDir === undefined && env.DATABASE_URL === undefined) await putDatabase(join(folder, 'postgres'));
  const spawned = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...(COMPILED && { NODE_COMPILE_CACHE: COMPILED }),
      ...(RUN && { CACHE_DIR: join(RUN, 'cache') }),
      SIP_HOST: '127.0.0.1',
      SIP_PORT: '0',
      RTP_PORT_MIN: '0',
      RTP_PORT_MAX: '0',
      HTTP_PORT: '0',
      DATA_DIR: folder,
      ADMIN_TOKEN: TOKEN,
      DRAIN_SECONDS: '0',
      // Other tests may keep this machine busy: that is no reason to refuse calls.
      MAX_LOOP_DELAY_MS: '10000',
      MAX_SETUP_MS: '60000',
      MAX_MEMORY_PERCENT: '100',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const child = endsWithUs(spawned);
  onSpawn?.(child);
  const logs: Record<string, unknown>[] = [];
  const lines: string[] = [];
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  child.stderr!.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(line);
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line) as Record<string, unknown>;
      logs.push(entry);
      if (entry.message === 'ready') resolve(entry);
    });
    void exited.then(([code]) => reject(new Error(`the connector ended with ${code}:\n${lines.join('\n')}`)));
    setTimeout(() => reject(new Error(`the connector did not start:\n${lines.join('\n')}`)), START_WITHIN_MS).unref();
  });
  const entry = await ready.catch(async (error: unknown) => {
    child.kill('SIGKILL');
    if (!dataDir) await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const bound = entry.sip as { protocol: string; port: number }[];
  const url = String(entry.http);
  return {
    process: child,
    sipPort: bound.find(({ protocol }) => protocol === 'udp')!.port,
    sipTcpPort: bound.find(({ protocol }) => protocol === 'tcp')!.port,
    url,
    token: TOKEN,
    dataDir: folder,
    logs,
    output: () => lines.join('\n'),
    async api<T>(path: string) {
      const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    send: (method, path, body) =>
      fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      }),
    async stop({ keepData = false, signal = 'SIGTERM' } = {}) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = await exited;
      if (!keepData) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      return code;
    },
  };
}
