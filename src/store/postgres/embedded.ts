import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { acquireOwnerLock, type OwnerLock } from '../owner-lock.ts';
import { findBinaries, type PostgresBinaries } from './embedded/binaries.ts';
import { type Credentials, loadCredentials, makeCredentials } from './embedded/credentials.ts';
import { freePort, type RunningServer, startServer } from './embedded/server.ts';
import { choosePostgresUser, type RunAs } from './embedded/system-user.ts';

const MAJOR = '18';
const DATABASE = 'connector';
const ADMIN_ROLE = 'postgres';
const EMBEDDED_APP_ROLE = 'connector';

export interface EmbeddedOptions {
  /** A folder for the database alone: the cluster, its passwords, its lock. */
  dataDir: string;
  log: Logger;
  /** Restart the server when it dies while we run (default true). */
  restart?: boolean;
}

async function initialise(
  folder: string,
  cluster: string,
  binaries: PostgresBinaries,
  runAs: RunAs,
  password: string,
): Promise<void> {
  // Into a folder beside, renamed when complete: an interrupted first start leaves nothing that looks like a cluster.
  const unfinished = `${cluster}.new`;
  const passwordFile = join(folder, 'initdb-password');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  try {
    if (runAs.uid !== undefined && runAs.gid !== undefined) {
      await chown(unfinished, runAs.uid, runAs.gid);
      await chown(passwordFile, runAs.uid, runAs.gid);
    }
    const [command, args] = runAs.wrap(binaries.initdb, [
      `--pgdata=${unfinished}`,
      `--username=${ADMIN_ROLE}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
    ]);
    const output = await new Promise<string | undefined>((settle, reject) => {
      const child = spawn(command, args, {
        ...runAs.spawnOptions,
        cwd: '/',
        env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.once('error', reject);
      child.once('close', (code) => settle(code === 0 ? undefined : stderr));
    });
    if (output !== undefined) {
      throw new Failure(`initdb failed: ${output.trim().split('\n').slice(-3).join(' ')}`, {
        code: 'initdb',
        blame: 'us',
      });
    }
    await rename(unfinished, cluster);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function versionOf(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch {
    return undefined;
  }
}

/** Makes the database and the role the application connects as: no superuser, no BYPASSRLS, owner of nothing. */
async function bootstrap(adminUrl: string, appPassword: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    const role = pg.escapeIdentifier(EMBEDDED_APP_ROLE);
    const existing = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [EMBEDDED_APP_ROLE]);
    const verb = existing.rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(
      `${verb} ROLE ${role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD ${pg.escapeLiteral(appPassword)}`,
    );
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (database.rowCount === 0) {
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(DATABASE)}`);
      await client.query(`REVOKE ALL ON DATABASE ${pg.escapeIdentifier(DATABASE)} FROM PUBLIC`);
    }
    await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(DATABASE)} TO ${role}`);
  } finally {
    await client.end();
  }
}

/**
 * PostgreSQL out of npm, as a child process under `dataDir`: made on first start (about 1 s), listening on
 * loopback at a port chosen at each start. While we live it is restarted, at the same port, when it dies; when we die
 * it is shut down by its watcher; what is left all the same is replaced by the next start.
 */
export class EmbeddedPostgres {
  readonly #cluster: string;
  readonly #binaries: PostgresBinaries;
  readonly #runAs: RunAs;
  readonly #credentials: Credentials;
  readonly #lock: OwnerLock;
  readonly #log: Logger;
  readonly #restart: boolean;
  #port = 0;
  #server: RunningServer | undefined;
  #wanted = false;
  #moving: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(
    options: EmbeddedOptions,
    parts: { cluster: string; binaries: PostgresBinaries; runAs: RunAs; credentials: Credentials; lock: OwnerLock },
  ) {
    this.#cluster = parts.cluster;
    this.#binaries = parts.binaries;
    this.#runAs = parts.runAs;
    this.#credentials = parts.credentials;
    this.#lock = parts.lock;
    this.#log = options.log;
    this.#restart = options.restart ?? true;
  }

  /**
   * Prepares the cluster and starts the server. Rejects with Failure code in-use (another connector owns the folder),
   * postgres-version, no-postgres-user, data-dir-unreachable, initdb or postgres-start.
   */
  static async open(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
    const folder = resolve(options.dataDir);
    const cluster = join(folder, 'cluster');
    const lock = await acquireOwnerLock(join(folder, 'owner.json'), 'the embedded database');
    try {
      const binaries = await findBinaries();
      // Others may pass through, to the cluster that only its owner can enter; the password file is 0600.
      if (process.getuid?.() === 0) await chmod(folder, 0o711);
      const runAs = await choosePostgresUser(binaries.postgres, folder);
      const version = await versionOf(cluster);
      if (version !== undefined && version !== MAJOR) {
        throw new Failure(`${cluster} is of PostgreSQL ${version}, this is ${MAJOR}: dump it and start afresh`, {
          code: 'postgres-version',
          blame: 'us',
        });
      }
      const passwordPath = join(folder, 'credentials.json');
      let credentials = await loadCredentials(passwordPath);
      if (version === undefined) {
        credentials ??= await makeCredentials(passwordPath);
        await initialise(folder, cluster, binaries, runAs, credentials.admin);
      } else if (!credentials) {
        throw new Failure(`the passwords of the embedded database are missing (${passwordPath})`, {
          code: 'postgres-credentials',
          blame: 'us',
        });
      }
      const embedded = new EmbeddedPostgres(options, { cluster, binaries, runAs, credentials, lock });
      await embedded.start();
      try {
        await bootstrap(embedded.#url(ADMIN_ROLE, credentials.admin, 'postgres'), credentials.app);
      } catch (error) {
        await embedded.stop();
        throw error;
      }
      return embedded;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Process id of the running server. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  get port(): number {
    return this.#port;
  }

  /** For the application: its role is subject to row-level security. */
  get connectionString(): string {
    return this.#url(EMBEDDED_APP_ROLE, this.#credentials.app, DATABASE);
  }

  /** For migrations. */
  get adminConnectionString(): string {
    return this.#url(ADMIN_ROLE, this.#credentials.admin, DATABASE);
  }

  /** Starts the server; nothing when it runs. */
  start(): Promise<void> {
    this.#wanted = true;
    return this.#inTurn(() => this.#start());
  }

  /** Stops the server within about 11 s at worst; nothing when it is stopped. `start` may follow. */
  stop(): Promise<void> {
    this.#wanted = false;
    return this.#inTurn(async () => {
      await this.#server?.stop();
      this.#server = undefined;
    });
  }

  /** Stops the server and gives the folder up. */
  close(): Promise<void> {
    this.#closed ??= this.stop().finally(() => this.#lock.release());
    return this.#closed;
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#moving.then(step);
    this.#moving = done.catch(() => undefined);
    return done;
  }

  async #start(): Promise<void> {
    if (this.#server || !this.#wanted) return;
    for (let attempt = 1; ; attempt++) {
      // The first port is kept, since connection strings hold it; before that, somebody may have taken it just now.
      const port = this.#port || (await freePort());
      try {
        const server = await startServer({
          postgres: this.#binaries.postgres,
          cluster: this.#cluster,
          port,
          runAs: this.#runAs,
          log: this.#log,
        });
        this.#port = port;
        this.#server = server;
        void server.gone.then(() => this.#lost(server));
        return;
      } catch (error) {
        // After a SIGKILL of the server its last backends hold the shared memory for a moment.
        if (attempt >= 5 || !this.#wanted) throw error;
        await sleep(200 * attempt);
      }
    }
  }

  #lost(server: RunningServer): void {
    if (this.#server !== server) return;
    this.#server = undefined;
    if (!this.#wanted) return;
    this.#log.error({ pid: server.pid }, 'the embedded database server died');
    if (this.#restart) void this.#revive();
  }

  async #revive(): Promise<void> {
    for (let pause = 200; this.#wanted && !this.#server; pause = Math.min(pause * 2, 10_000)) {
      try {
        await this.#inTurn(() => this.#start());
      } catch (error) {
        this.#log.error({ err: error }, 'the embedded database server does not come back');
      }
      if (this.#server) this.#log.info({ pid: this.pid }, 'the embedded database server is back');
      else await sleep(pause, undefined, { ref: false });
    }
  }

  #url(role: string, password: string, database: string): string {
    return `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${this.#port}/${database}`;
  }
}
