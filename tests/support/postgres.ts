import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { silentLogger } from '../../src/core/log.ts';
import { EmbeddedPostgres } from '../../src/store/postgres/embedded.ts';
import { ensureSchema } from '../../src/store/postgres/migrate.ts';
import { RUN_FOLDER } from './run-folder.ts';

const MADE_WITHIN_MS = 60_000;

/** A real PostgreSQL with the schema in it, in `dataDir`, which must not exist. `restart`: when it dies. */
export async function openPostgres(dataDir: string, { restart = true } = {}): Promise<EmbeddedPostgres> {
  await putDatabase(dataDir);
  return start(dataDir, restart);
}

/**
 * Puts what a connector's first start leaves into `dataDir`, which must not exist: a database with the schema in it,
 * shut down in good order. Made by the first test of a run that asks; the others get copies of that, which saves each of
 * them two seconds of processor time. Outside a run nothing is put there, and a connector starts from nothing.
 */
export async function putDatabase(dataDir: string): Promise<void> {
  const run = process.env[RUN_FOLDER];
  if (run === undefined) return;
  await promisify(execFile)('cp', ['-a', await original(run), dataDir]);
}

/** Test files are processes of their own: whoever makes the folder makes the database, the others wait for its name. */
async function original(run: string): Promise<string> {
  const made = join(run, 'database');
  const making = join(run, 'database-in-the-making');
  for (let waited = 0; !existsSync(made); waited += 50) {
    if (waited > MADE_WITHIN_MS) throw new Error(`nobody finished ${making}`);
    const ours = await mkdir(making).then(
      () => true,
      () => false,
    );
    if (!ours) {
      await sleep(50);
      continue;
    }
    try {
      await make(making);
      await rename(making, made);
    } catch (error) {
      await rm(making, { recursive: true, force: true });
      throw error;
    }
  }
  return made;
}

async function make(dataDir: string): Promise<void> {
  const postgres = await start(dataDir, false);
  await postgres.close();
  // Tests kill the server, never the machine: what it has written stands, whether on the disk or on its way there.
  await appendFile(join(dataDir, 'cluster', 'postgresql.conf'), '\nfsync = off\n');
}

async function start(dataDir: string, restart: boolean): Promise<EmbeddedPostgres> {
  const postgres = await EmbeddedPostgres.open({ dataDir, log: silentLogger, restart });
  try {
    const { connectionString, adminConnectionString } = postgres;
    await ensureSchema({ connectionString, adminConnectionString, log: silentLogger });
    return postgres;
  } catch (error) {
    await postgres.close();
    throw error;
  }
}
