import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { END_CAUSES } from '../../src/call/record/outcome.ts';
import { silentLogger } from '../../src/core/log.ts';
import { ensureSchema } from '../../src/store/postgres/migrate.ts';
import { PostgresStore } from '../../src/store/postgres/store.ts';
import { openTestDatabase } from './support/database.ts';
import { aLedgerRow, anUtterance, aSession, ended } from './support/rows.ts';

const db = openTestDatabase();

const TABLES = [
  'banking_transactions',
  'call_events',
  'call_orders',
  'call_sessions',
  'campaign_numbers',
  'campaigns',
  'connector_instances',
  'conversation_contexts',
  'deletions',
  'dial_counts',
  'dial_rates',
  'dials_under_way',
  'do_not_call',
  'recordings',
  'sip_ladders',
  'utterances',
];

const SESSION = `INSERT INTO call_sessions (session_id, caller_phone, caller_identity, called_number, direction,
    call_start_time, call_end_time, sip_call_id, correlation_id, status, end_cause, bot_profile, bot_profile_version,
    instance_id, run_id)
  VALUES (gen_random_uuid(), '+15550100', 'sip:x', 'bank', 'INBOUND', now(), $1, 'c', 'c', $2, $3, 'bank', '1', 'i',
    gen_random_uuid()) RETURNING session_id`;

describe('migrations', () => {
  it('change nothing when they run again, several at once', async () => {
    const options = {
      connectionString: db.postgres.connectionString,
      adminConnectionString: db.postgres.adminConnectionString,
      log: silentLogger,
    };
    const names = () => db.admin('SELECT name, run_on FROM connector_meta.migrations ORDER BY id');
    const before = await names();
    await Promise.all([1, 2, 3].map(() => ensureSchema(options)));
    expect(await names()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });

  it('run once when instances start together on an empty database', async () => {
    await db.admin('CREATE DATABASE together');
    const url = db.postgres.adminConnectionString.replace(/[^/]*$/, 'together');
    await Promise.all([1, 2, 3].map(() => ensureSchema({ connectionString: url, log: silentLogger })));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('SELECT count(*)::int AS n FROM connector_meta.migrations');
    await client.end();
    const files = readdirSync(new URL('../../src/store/postgres/migrations/', import.meta.url));
    expect(rows[0]).toEqual({ n: files.filter((file) => file.endsWith('.sql')).length });
  });
});

describe('a session', () => {
  const insert = (status: string, cause: string | null, endTime: string | null) =>
    db.app('checks', SESSION, [endTime, status, cause]);

  it('ends for every cause that the call knows, with the status that goes with it', async () => {
    for (const [cause, status] of Object.entries(END_CAUSES)) {
      await expect(insert(status, cause, '2027-01-01'), cause).resolves.toHaveLength(1);
      for (const other of ['COMPLETED', 'FAILED', 'INTERRUPTED'].filter((one) => one !== status)) {
        await expect(insert(other, cause, '2027-01-01'), `${other} ${cause}`).rejects.toThrow('call_sessions_outcome');
      }
    }
  });

  it('is either in progress without an end, or ended with a time and a cause', async () => {
    await expect(insert('ACTIVE', null, null)).resolves.toHaveLength(1);
    await expect(insert('ACTIVE', null, '2027-01-01')).rejects.toThrow('call_sessions_outcome');
    await expect(insert('ACTIVE', 'caller-hangup', null)).rejects.toThrow('call_sessions_outcome');
    await expect(insert('COMPLETED', null, '2027-01-01')).rejects.toThrow('call_sessions_outcome');
    await expect(insert('COMPLETED', 'caller-hangup', null)).rejects.toThrow('call_sessions_outcome');
    await expect(insert('FAILED', 'bored', '2027-01-01')).rejects.toThrow('call_sessions_outcome');
    await expect(insert('LOST', null, null)).rejects.toThrow(/call_sessions_(status|outcome)/);
  });

  it('shows when it was changed last', async () => {
    const [row] = await db.app<{ session_id: string }>('checks', SESSION, [null, 'ACTIVE', null]);
    const [times] = await db.app<{ later: boolean }>(
      'checks',
      `UPDATE call_sessions SET summary = 'x', updated_at = '2000-01-01' WHERE session_id = $1
       RETURNING updated_at > created_at AS later`,
      [row?.session_id],
    );
    expect(times).toEqual({ later: true });
  });
});

describe('tenants', () => {
  it('are kept apart by forced row-level security on every table', async () => {
    const tables = await db.admin(
      `SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
         (SELECT count(*)::int FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
         EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull) AS tenant,
         EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = CASE c.relname WHEN 'deletions' THEN 'append_only' ELSE 'set_updated_at' END) AS trigger
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
       WHERE c.relkind = 'r' ORDER BY c.relname`,
    );
    expect(tables).toEqual(TABLES.map((name) => ({ name, forced: true, policies: 1, tenant: true, trigger: true })));
  });

  it('connect as a role that can neither bypass the policies nor change the schema', async () => {
    const [role] = await db.app(
      'a',
      'SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user',
    );
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false, rolcreaterole: false });
    await expect(db.app('a', 'ALTER TABLE call_sessions DISABLE ROW LEVEL SECURITY')).rejects.toThrow('must be owner');
    await expect(db.app('a', 'CREATE TABLE mine (x int)')).rejects.toThrow('permission denied');
  });

  it('neither see nor change nor add to what is another’s', async () => {
    const ours = db.tenant();
    const theirs = db.tenant();
    const store = await db.store(ours);
    const session = ended(aSession());
    store.journal.append({ kind: 'session', row: session });
    store.journal.append({ kind: 'utterance', row: anUtterance(session, { text: 'zanzibar' }) });
    await store.stored();
    const stranger = await db.store(theirs);
    expect(await stranger.archive.get(session.sessionId)).toBeUndefined();
    expect((await stranger.archive.list({ limit: 10, text: 'zanzibar' })).calls).toEqual([]);
    expect((await store.archive.list({ limit: 10, text: 'zanzibar' })).calls).toHaveLength(1);
    for (const table of TABLES)
      expect(await db.app(theirs, `SELECT 1 FROM ${table} WHERE tenant_id = '${ours}'`)).toEqual([]);
    expect(await db.app(theirs, `UPDATE call_sessions SET summary = 'x' RETURNING 1`)).toEqual([]);
    expect(await db.app(theirs, `DELETE FROM call_sessions RETURNING 1`)).toEqual([]);
    await expect(
      db.app(
        theirs,
        `INSERT INTO connector_instances (tenant_id, instance_id, run_id) VALUES ('${ours}', 'x', gen_random_uuid())`,
      ),
    ).rejects.toThrow('row-level security');
    // Nor hang rows on another's session, nor take it over by its id.
    stranger.journal.append({ kind: 'utterance', row: anUtterance(session) });
    stranger.journal.append({ kind: 'session', row: { ...session, summary: 'taken over' } });
    await stranger.stored();
    expect(stranger.metrics()).toMatchObject({ dead: 2, written: 0 });
    expect((await store.archive.get(session.sessionId))?.session.summary).toBeUndefined();
    await expect(stranger.ledger.begin(aLedgerRow(session), 'change')).rejects.toMatchObject({
      code: 'ledger-unavailable',
    });
  });

  it('see nothing at all when none is named', async () => {
    await db.app('named', SESSION, [null, 'ACTIVE', null]);
    expect(await db.app('', 'SELECT 1 FROM call_sessions')).toEqual([]);
    await expect(db.app('', SESSION, [null, 'ACTIVE', null])).rejects.toThrow();
    const client = new pg.Client({ connectionString: db.postgres.connectionString });
    await client.connect();
    expect((await client.query('SELECT 1 FROM call_sessions')).rows).toEqual([]);
    await client.end();
  });

  it('stay apart when DATABASE_URL names a superuser', async () => {
    const url = db.postgres.adminConnectionString;
    const tenant = db.tenant();
    const store = await db.store(tenant, { connectionString: url, adminConnectionString: undefined });
    const session = ended(aSession());
    store.journal.append({ kind: 'session', row: session });
    store.journal.append({ kind: 'utterance', row: anUtterance(session) });
    await store.stored();
    const other = await db.store(db.tenant(), { connectionString: url, adminConnectionString: undefined });
    expect(await store.archive.get(session.sessionId)).toBeDefined();
    expect((await store.archive.list({ limit: 5, text: 'card' })).calls).toHaveLength(1);
    expect(await other.archive.get(session.sessionId)).toBeUndefined();
    expect((await other.archive.list({ limit: 5 })).calls).toEqual([]);
  });
});

describe('DATABASE_URL', () => {
  const as = (role: string, database: string) => {
    const url = new URL(db.postgres.adminConnectionString);
    url.username = role;
    url.password = 'secret-for-the-test';
    url.pathname = `/${database}`;
    return url.href;
  };
  const open = (connectionString: string) =>
    PostgresStore.open({ connectionString, spoolDir: db.spoolDir(db.tenant()), log: silentLogger });

  it('may name the owner of an empty database, who is bound by the policies too', async () => {
    await db.admin(`CREATE ROLE landlord LOGIN PASSWORD 'secret-for-the-test'`);
    await db.admin('CREATE DATABASE house OWNER landlord');
    const url = as('landlord', 'house');
    const store = await db.store('first', { connectionString: url, adminConnectionString: undefined });
    const session = ended(aSession());
    store.journal.append({ kind: 'session', row: session });
    store.journal.append({ kind: 'utterance', row: anUtterance(session, { text: 'zanzibar' }) });
    await store.stored();
    const second = await db.store('second', { connectionString: url, adminConnectionString: undefined });
    expect((await store.archive.list({ limit: 5, text: 'zanz' })).calls).toHaveLength(1);
    expect((await second.archive.list({ limit: 5 })).calls).toEqual([]);
    expect((await second.archive.list({ limit: 5, text: 'zanz' })).calls).toEqual([]);
  });

  it('may name a role with access to rows alone, once another has migrated, as docs/data.md says', async () => {
    await db.admin(`CREATE ROLE tenant_app LOGIN PASSWORD 'secret-for-the-test'`);
    await db.admin('CREATE DATABASE flats');
    const admin = db.postgres.adminConnectionString.replace(/[^/]*$/, 'flats');
    await ensureSchema({ connectionString: admin, log: silentLogger });
    const client = new pg.Client({ connectionString: admin });
    await client.connect();
    const docs = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8');
    const grants = docs.match(/^ +GRANT .*;$/gm) ?? [];
    expect(grants).toHaveLength(4);
    for (const grant of grants) await client.query(grant.replace(' TO app;', ' TO tenant_app;'));
    await client.end();
    const store = await db.store('x', {
      connectionString: as('tenant_app', 'flats'),
      adminConnectionString: undefined,
    });
    const session = ended(aSession());
    store.journal.append({ kind: 'session', row: session });
    store.journal.append({ kind: 'utterance', row: anUtterance(session) });
    await store.stored();
    expect((await store.archive.list({ limit: 5, text: 'card' })).calls).toHaveLength(1);
  });

  it('with a role that may do nothing is told in one line', async () => {
    await db.admin(`CREATE ROLE visitor LOGIN PASSWORD 'secret-for-the-test'`);
    await db.admin('CREATE DATABASE closed_house');
    const failure = await open(as('visitor', 'closed_house')).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'schema-permission' });
    expect(String(failure)).not.toContain('\n');
    expect(String(failure)).not.toContain('secret-for-the-test');
  });

  it('with a wrong password is told in one line', async () => {
    await expect(open(as('nobody-here', 'postgres'))).rejects.toMatchObject({ code: 'schema-permission' });
  });

  it('of a newer version of the schema is refused', async () => {
    await db.admin('CREATE DATABASE future');
    const url = db.postgres.adminConnectionString.replace(/[^/]*$/, 'future');
    await ensureSchema({ connectionString: url, log: silentLogger });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`INSERT INTO connector_meta.migrations (name, run_on) VALUES ('9999_later', now())`);
    await client.end();
    await expect(open(url)).rejects.toMatchObject({ code: 'schema-newer' });
  });
});
