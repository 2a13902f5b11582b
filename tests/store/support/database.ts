import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { isAlive } from '../../../src/store/owner-lock.ts';
import type { EmbeddedPostgres } from '../../../src/store/postgres/embedded.ts';
import { PostgresStore, type StoreOptions } from '../../../src/store/postgres/store.ts';
import { openPostgres } from '../../support/postgres.ts';

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'svc-store-'));
}

/** A real PostgreSQL for one test file. Tests keep apart by tenant. */
export class TestDatabase {
  readonly folder = temporaryFolder();
  postgres!: EmbeddedPostgres;
  #stores: PostgresStore[] = [];
  #tenants = 0;

  async begin(): Promise<void> {
    // A folder the postgres user can enter: the plain way; embedded.test.ts walks the other.
    chmodSync(this.folder, 0o755);
    this.postgres = await openPostgres(join(this.folder, 'postgres'), { restart: false });
  }

  async end(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.postgres.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  tenant(): string {
    return `tenant-${++this.#tenants}`;
  }

  spoolDir(tenantId: string): string {
    return join(this.folder, 'spools', tenantId);
  }

  async store(tenantId: string, options: Partial<StoreOptions> = {}): Promise<PostgresStore> {
    const store = await PostgresStore.open({
      connectionString: this.postgres.connectionString,
      adminConnectionString: this.postgres.adminConnectionString,
      tenantId,
      spoolDir: this.spoolDir(tenantId),
      instanceId: 'test',
      log: silentLogger,
      ...options,
    });
    this.#stores.push(store);
    return store;
  }

  /** Takes the database away at once, without a word; its backends may commit for a moment after their parent's end. */
  async kill(): Promise<void> {
    const { pid } = this.postgres;
    if (pid === undefined) return;
    const backends = childrenOf(pid);
    process.kill(pid, 'SIGKILL');
    while (this.postgres.pid !== undefined || backends.some(isAlive)) await sleep(5);
  }

  async admin<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.#run<Row>(this.postgres.adminConnectionString, sql, values);
  }

  /** As the application's role, for a tenant. */
  async app<Row extends object>(tenantId: string, sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.#run<Row>(this.postgres.connectionString, sql, values, tenantId);
  }

  async #run<Row extends object>(url: string, sql: string, values: unknown[], tenantId?: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      if (tenantId !== undefined) await client.query(`SELECT set_config('app.tenant_id', $1, false)`, [tenantId]);
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }
}

export function openTestDatabase(): TestDatabase {
  const database = new TestDatabase();
  beforeAll(() => database.begin());
  afterAll(() => database.end());
  return database;
}

/** Waits for something that a process elsewhere brings about; fails after 15 s. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 20) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`never happened: ${what}`);
}
