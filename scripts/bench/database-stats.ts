import { join } from 'node:path';
import pg from 'pg';
import { loadCredentials } from '../../src/store/postgres/embedded/credentials.ts';
import { readPostmasterPid } from '../../src/store/postgres/embedded/leftover.ts';

/** What a connector's own database has done so far. */
export interface DatabaseStats {
  readonly transactions: number;
  readonly walBytes: number;
}

/** Asks the database that a connector with this data folder runs. */
export async function databaseStats(dataDir: string): Promise<DatabaseStats> {
  const folder = join(dataDir, 'postgres');
  const credentials = await loadCredentials(join(folder, 'credentials.json'));
  const server = await readPostmasterPid(join(folder, 'cluster'));
  if (credentials === undefined || server === undefined) throw new Error('the connector has no database of its own');
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: credentials.admin,
    database: 'connector',
  });
  await client.connect();
  try {
    // Backends report what they did once in a while only: whoever asks waits a second or two behind the last call.
    const { rows } = await client.query<{ transactions: string; wal: string }>(
      `SELECT xact_commit AS transactions, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS wal
       FROM pg_stat_database WHERE datname = current_database()`,
    );
    return { transactions: Number(rows[0]!.transactions), walBytes: Number(rows[0]!.wal) };
  } finally {
    await client.end();
  }
}
