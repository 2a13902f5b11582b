import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { describeSqlError, troubleOf } from './sql-errors.ts';

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));
/** Not among the tables with row-level security: it has no tenant. */
const META_SCHEMA = 'connector_meta';
const META_TABLE = 'migrations';
/** Taken on where the login role would bypass row-level security. */
const FALLBACK_ROLE = 'sip_voice_connector';

const TABLES = [
  'connector_instances',
  'call_sessions',
  'conversation_contexts',
  'banking_transactions',
  'utterances',
  'call_events',
  'recordings',
  'call_orders',
  'do_not_call',
  'campaigns',
  'campaign_numbers',
  'dial_rates',
  'dial_counts',
  'dials_under_way',
  'sip_ladders',
  'deletions',
];

export interface MigrateOptions {
  /** Of the application. */
  connectionString: string;
  /** Of a role that may create tables; the application's own when left out. */
  adminConnectionString?: string;
  log: Logger;
}

export interface SchemaState {
  /** Role to take on in every transaction, because the login role is not subject to row-level security. */
  assumeRole: string | undefined;
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: 2000,
    query_timeout: 60_000,
    application_name: 'sip-voice-connector migrations',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function migrationNames(): Promise<string[]> {
  const files = await readdir(FOLDER);
  return files
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -'.sql'.length))
    .sort();
}

/** Names of our migrations that this database lacks; rejects when it has some that we do not know. */
async function missing(client: pg.Client): Promise<string[]> {
  const wanted = await migrationNames();
  const table = await client.query<{ known: boolean }>('SELECT to_regclass($1) IS NOT NULL AS known', [
    `${META_SCHEMA}.${META_TABLE}`,
  ]);
  if (!table.rows[0]?.known) return wanted;
  const done = await client.query<{ name: string }>(`SELECT name FROM ${META_SCHEMA}.${META_TABLE}`);
  const names = new Set(done.rows.map(({ name }) => name));
  const foreign = [...names].filter((name) => !wanted.includes(name));
  if (foreign.length > 0) {
    throw new Failure(`the database schema is newer than this program (${foreign.join(', ')})`, {
      code: 'schema-newer',
      blame: 'us',
    });
  }
  return wanted.filter((name) => !names.has(name));
}

async function runMigrations(client: pg.Client, log: Logger): Promise<void> {
  // The runner waits for its advisory lock, so instances that start together migrate once.
  await client.query(`SET lock_timeout = '30s'`);
  const { runner } = await import('node-pg-migrate');
  const done = await runner({
    dbClient: client,
    dir: FOLDER,
    direction: 'up',
    count: Number.POSITIVE_INFINITY,
    schema: 'public',
    migrationsSchema: META_SCHEMA,
    createMigrationsSchema: true,
    migrationsTable: META_TABLE,
    advisoryLockMode: 'wait',
    singleTransaction: true,
    verbose: false,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => log.warn({ reason: String(message) }, 'migrations'),
      error: (message) => log.debug({ reason: String(message) }, 'migrations'),
    },
  });
  for (const { name } of done) log.info({ migration: name }, 'database migrated');
}

/** Two GRANTs on one object at the same time fail with "tuple concurrently updated": instances take turns. */
const GRANTS_LOCK = 4_711_002;

async function oneAtATime(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [GRANTS_LOCK]);
  try {
    await work();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [GRANTS_LOCK]).catch(() => undefined);
  }
}

/** What the application may do: rows of its tenant, nothing about the schema. */
async function grantTo(client: pg.Client, role: string): Promise<void> {
  const name = pg.escapeIdentifier(role);
  await client.query(`
    GRANT USAGE ON SCHEMA public, ${META_SCHEMA} TO ${name};
    GRANT SELECT ON ${META_SCHEMA}.${META_TABLE} TO ${name};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ${TABLES.join(', ')} TO ${name};
    GRANT EXECUTE ON FUNCTION search_calls TO ${name};`);
}

interface RoleFacts {
  role: string;
  bypasses: boolean;
}

async function roleFacts(client: pg.Client): Promise<RoleFacts> {
  const result = await client.query<RoleFacts>(
    'SELECT rolname AS role, rolsuper OR rolbypassrls AS bypasses FROM pg_roles WHERE rolname = current_user',
  );
  return result.rows[0]!;
}

async function ensureFallbackRole(client: pg.Client): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [FALLBACK_ROLE]);
  if (found.rowCount === 0) {
    try {
      await client.query(`CREATE ROLE ${FALLBACK_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS`);
    } catch (error) {
      // Roles belong to the cluster: another instance may have made it just now.
      if (!(error instanceof Error && 'code' in error && ['42710', '23505'].includes(String(error.code)))) throw error;
    }
  }
  await grantTo(client, FALLBACK_ROLE);
  // No member of a role may take it on unless granted; a superuser may.
  await client.query(`GRANT ${FALLBACK_ROLE} TO CURRENT_USER`);
}

/** Can the application, as it will connect, use the tables and is it bound by their policies? */
async function checkAccess(client: pg.Client): Promise<void> {
  const result = await client.query<{ name: string; allowed: boolean; forced: boolean }>(
    `SELECT name, has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
         AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') AS allowed,
       c.relrowsecurity AND c.relforcerowsecurity AS forced
     FROM unnest($1::text[]) AS name LEFT JOIN pg_class c ON c.oid = to_regclass('public.' || name)`,
    [TABLES],
  );
  const wrong = result.rows.filter(({ allowed, forced }) => !allowed || !forced).map(({ name }) => name);
  if (wrong.length > 0) {
    throw new Failure(`the database role may not use these tables as it must: ${wrong.join(', ')} (docs/data.md)`, {
      code: 'schema-permission',
      blame: 'us',
    });
  }
}

/**
 * Brings the schema up to date and makes sure that the application can use it and is bound by row-level security.
 * Rejects with the driver's error while the database is away, and with one clear Failure (schema-newer,
 * schema-permission, schema-missing) when somebody has to act. Running it again changes nothing.
 */
export async function ensureSchema(options: MigrateOptions): Promise<SchemaState> {
  const { connectionString, adminConnectionString = connectionString, log } = options;
  try {
    const before = await withClient(connectionString, async (client) => ({
      ...(await roleFacts(client)),
      missing: await missing(client).catch((error: unknown) => {
        // A role without rights on the bookkeeping: let the admin look.
        if (error instanceof Failure || adminConnectionString === connectionString) throw error;
        return undefined;
      }),
    }));
    if (before.missing === undefined || before.missing.length > 0 || before.bypasses) {
      await withClient(adminConnectionString, async (client) => {
        if ((await missing(client)).length > 0) await runMigrations(client, log);
        await oneAtATime(client, async () => {
          if (before.bypasses) await ensureFallbackRole(client);
          else if (adminConnectionString !== connectionString) await grantTo(client, before.role);
        });
      });
    }
    await withClient(connectionString, async (client) => {
      if (before.bypasses) await client.query(`SET ROLE ${FALLBACK_ROLE}`);
      await checkAccess(client);
    });
    return { assumeRole: before.bypasses ? FALLBACK_ROLE : undefined };
  } catch (error) {
    if (error instanceof Failure || troubleOf(error) === 'away') throw error;
    const facts = describeSqlError(error);
    throw new Failure(
      `the database schema cannot be set up or used: ${facts.reason ?? facts.sqlstate} (see docs/data.md, DATABASE_URL)`,
      { code: 'schema-permission', blame: 'us', cause: error },
    );
  }
}
