import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { isAlive } from '../../src/store/owner-lock.ts';
import { EmbeddedPostgres } from '../../src/store/postgres/embedded.ts';
import { eventually, temporaryFolder } from './support/database.ts';

// mktemp's folders are private: as root this walks the way in which the postgres user could not enter by itself.
const folder = temporaryFolder();
const open = (restart = true) => EmbeddedPostgres.open({ dataDir: folder, log: silentLogger, restart });

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

/** Another process of ours with a database in `folder`; resolves when that is up. */
async function otherProcess(): Promise<{ child: ChildProcess; server: number }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./support/embedded-process.ts', import.meta.url)), folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const server = await new Promise<number>((resolve, reject) => {
    child.stdout?.once('data', (line: Buffer) => resolve(Number(line.toString())));
    child.once('exit', () => reject(new Error('the other process ended')));
  });
  return { child, server };
}

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the embedded database', () => {
  it('is made at the first start, with passwords that only we can read, and listens on loopback alone', async () => {
    const handlers = () => ['SIGINT', 'SIGTERM', 'exit', 'beforeExit'].map((event) => process.listenerCount(event));
    const before = handlers();
    const postgres = await open();
    expect(handlers()).toEqual(before);
    expect(statSync(join(folder, 'credentials.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'cluster')).mode & 0o077).toBe(0);
    expect(await ask(postgres.connectionString, 'SELECT current_user')).toBe('connector');
    expect(String(await ask(postgres.connectionString, 'SELECT version()'))).toContain('PostgreSQL 18');
    await ask(postgres.adminConnectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const wrong = new URL(postgres.connectionString);
    wrong.password = 'guess';
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    for (const { address } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
      if (address.startsWith('127.') || address.includes(':')) continue;
      const refused = await new Promise<boolean>((resolve) => {
        const socket = connect(postgres.port, address, () => resolve(false)).once('error', () => resolve(true));
        socket.once('connect', () => socket.destroy());
      });
      expect(refused, address).toBe(true);
    }
    const { pid } = postgres;
    await Promise.all([postgres.close(), postgres.close()]);
    expect(isAlive(pid!)).toBe(false);
  });

  it('keeps what it holds from start to start', async () => {
    const began = performance.now();
    const postgres = await open();
    process.stdout.write(`second start of the embedded database: ${Math.round(performance.now() - began)} ms\n`);
    expect(await ask(postgres.adminConnectionString, 'SELECT answer FROM kept')).toBe(42);
    await postgres.close();
  });

  it('belongs to one connector at a time', async () => {
    const postgres = await open();
    await expect(open()).rejects.toMatchObject({ code: 'in-use' });
    const { child } = await otherProcess().catch(() => ({ child: undefined }));
    expect(child).toBeUndefined();
    expect(await ask(postgres.adminConnectionString, 'SELECT answer FROM kept')).toBe(42);
    await postgres.close();
  });

  it('comes back at the same port when the server dies', async () => {
    const postgres = await open();
    const { pid, port } = postgres;
    process.kill(pid!, 'SIGKILL');
    await eventually('a new server', () => postgres.pid !== undefined && postgres.pid !== pid);
    expect(postgres.port).toBe(port);
    expect(await ask(postgres.adminConnectionString, 'SELECT answer FROM kept')).toBe(42);
    await postgres.close();
  });

  it('is shut down when our process is killed, and starts again after that', async () => {
    const { child, server } = await otherProcess();
    child.kill('SIGKILL');
    await eventually('the orphan is gone', () => !isAlive(server));
    const postgres = await open();
    expect(await ask(postgres.adminConnectionString, 'SELECT answer FROM kept')).toBe(42);
    await postgres.close();
  });

  it('replaces a server that an earlier run has left behind', async () => {
    const { child, server } = await otherProcess();
    // Everything that would have ended it is killed, too; asleep, it cannot end by itself.
    process.kill(server, 'SIGSTOP');
    child.kill('SIGKILL');
    await eventually('our process is gone', () => !isAlive(child.pid!));
    setTimeout(() => process.kill(server, 'SIGCONT'), 300);
    const postgres = await open();
    expect(postgres.pid).not.toBe(server);
    expect(isAlive(server)).toBe(false);
    expect(await ask(postgres.adminConnectionString, 'SELECT answer FROM kept')).toBe(42);
    await postgres.close();
  });

  it('is not kept from starting by a stale postmaster.pid, even if its pid is another process by now', async () => {
    const postgres = await open(false);
    const pidFile = join(folder, 'cluster', 'postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    await postgres.close();
    writeFileSync(pidFile, content.replace(/^\d+/, String(process.pid)));
    const again = await open();
    expect(await ask(again.adminConnectionString, 'SELECT answer FROM kept')).toBe(42);
    await again.close();
  });

  it('of another major version is left alone', async () => {
    const version = join(folder, 'cluster', 'PG_VERSION');
    writeFileSync(version, '15\n');
    await expect(open()).rejects.toMatchObject({ code: 'postgres-version' });
    writeFileSync(version, '18\n');
  });
});
