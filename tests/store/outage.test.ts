import { randomUUID } from 'node:crypto';
import { readFileSync, truncateSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionRecord } from '../../src/call/record/records.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createLogger, silentLogger } from '../../src/core/log.ts';
import { BatchWriter } from '../../src/store/postgres/batch-writer.ts';
import { Database } from '../../src/store/postgres/database.ts';
import { DeadLetters } from '../../src/store/postgres/dead-letters.ts';
import { pack } from '../../src/store/postgres/entries.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { eventually, openTestDatabase } from './support/database.ts';
import { aContext, anEvent, anUtterance, aRecording, aSession, ended, secondsIn } from './support/rows.ts';

const db = openTestDatabase();

afterEach(() => db.postgres.start());

/** What one tenant has in the database: every row once, or the primary keys would have refused. */
async function counts(tenant: string): Promise<Record<string, number>> {
  const [row] = await db.app<Record<string, number>>(
    tenant,
    `SELECT (SELECT count(*)::int FROM call_sessions) AS sessions, (SELECT count(*)::int FROM utterances) AS utterances,
       (SELECT count(*)::int FROM call_events) AS events`,
  );
  return row!;
}

/** A call's rows one after the other, as a call writes them: some of them more than once. */
function* callOf(session: SessionRecord, utterances: number) {
  yield { kind: 'session' as const, row: session };
  for (let n = 1; n <= utterances; n++) {
    const utterance = anUtterance(session, { sequence: n, text: `sentence ${n}` });
    yield { kind: 'utterance' as const, row: { ...utterance, text: 'sen' } };
    yield { kind: 'event' as const, row: anEvent(session, { data: { n } }) };
    yield { kind: 'utterance' as const, row: utterance };
  }
  yield { kind: 'session' as const, row: ended(session) };
}

async function expectWhole(store: PostgresStore, tenant: string, sessions: SessionRecord[], utterances: number) {
  expect(await counts(tenant)).toEqual({
    sessions: sessions.length,
    utterances: sessions.length * utterances,
    events: sessions.length * utterances,
  });
  for (const { sessionId } of sessions) {
    const call = await store.archive.get(sessionId);
    expect(call?.session.status).toBe('COMPLETED');
    expect(call?.utterances.map(({ text }) => text)).toEqual(
      Array.from({ length: utterances }, (_, n) => `sentence ${n + 1}`),
    );
  }
}

describe('the journal', () => {
  it('writes every kind of row, and writing twice is writing once', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const session = ended(aSession({ answerTime: secondsIn(1) }), { summary: 'asked for the card' });
    const rows = {
      utterance: anUtterance(session, { timings: { endpointMs: 210, firstPacketMs: 430 }, interrupted: true }),
      event: anEvent(session, { data: { key: '#' } }),
      context: aContext(session, { currentIntent: 'card' }),
      recording: aRecording(session, { durationMs: 61_234 }),
    };
    for (let twice = 0; twice < 2; twice++) {
      store.journal.append({ kind: 'session', row: session });
      store.journal.append({ kind: 'utterance', row: rows.utterance });
      store.journal.append({ kind: 'event', row: rows.event });
      store.journal.append({ kind: 'context', row: rows.context });
      store.journal.append({ kind: 'recording', row: rows.recording });
      await store.stored();
    }
    const call = await store.archive.get(session.sessionId);
    expect(call?.session).toEqual(session);
    expect(call?.utterances).toEqual([rows.utterance]);
    expect(call?.events).toEqual([rows.event]);
    expect(call?.recording).toEqual(rows.recording);
    const [context] = await db.app(tenant, 'SELECT conversation_history, current_intent FROM conversation_contexts');
    expect(context).toEqual({ conversation_history: rows.context.conversationHistory, current_intent: 'card' });
    expect(store.metrics()).toMatchObject({ appended: 10, written: 10, spooled: 0, dead: 0, lost: 0 });
  });

  it('takes a row as it is when it is appended, whatever becomes of the object after', async () => {
    const store = await db.store(db.tenant());
    const session = aSession();
    store.journal.append({ kind: 'session', row: session });
    session.callerPhone = '+15559999';
    await store.stored();
    expect((await store.archive.get(session.sessionId))?.session.callerPhone).toBe('+15550100');
  });

  it('sets a row aside that the database refuses, and goes on with the rest', async () => {
    const tenant = db.tenant();
    const lines: string[] = [];
    const log = createLogger({ level: 'error', destination: { write: (line) => void lines.push(line) } });
    const store = await db.store(tenant, { log });
    const session = aSession();
    const secret = 'a private sentence';
    store.journal.append({ kind: 'session', row: session });
    store.journal.append({ kind: 'utterance', row: anUtterance(session, { sequence: -1, text: secret }) });
    store.journal.append({ kind: 'utterance', row: anUtterance(aSession(), { text: secret }) });
    store.journal.append({ kind: 'event', row: anEvent(session) });
    store.journal.append({ kind: 'session', row: ended(session) });
    await store.stored();
    expect(await counts(tenant)).toEqual({ sessions: 1, utterances: 0, events: 1 });
    expect((await store.archive.get(session.sessionId))?.session.status).toBe('COMPLETED');
    expect(store.metrics()).toMatchObject({ dead: 2, lost: 0, away: 0 });
    const path = join(db.spoolDir(tenant), 'dead-letters.ndjson');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2);
    expect(lines.join('')).toContain('utterances_sequence');
    expect(lines.join('')).not.toContain(secret);
  });

  it('counts and reports what cannot be written down at all, without throwing', async () => {
    const store = await db.store(db.tenant());
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    store.journal.append({ kind: 'event', row: anEvent(aSession(), { data: cycle }) });
    expect(store.metrics()).toMatchObject({ appended: 1, lost: 1 });
  });
});

describe('behind a pooler that gives every transaction another connection', () => {
  it('rows are written all the same: statements that are not there any more are sent whole', async () => {
    const tenant = db.tenant();
    const log = silentLogger;
    const database = new Database({
      connectionString: db.postgres.connectionString,
      tenantId: tenant,
      maxConnections: 1,
      log,
    });
    const deadLetters = new DeadLetters(join(db.folder, 'pooled.ndjson'));
    const writer = new BatchWriter({
      database,
      instanceId: 'test',
      deadLetters,
      timeoutMs: 5000,
      log,
      clock: systemClock,
    });
    const session = aSession();
    const batch = () => [
      pack({ kind: 'session', row: session }, randomUUID()),
      pack({ kind: 'event', row: anEvent(session) }, randomUUID()),
    ];
    try {
      expect(await writer.write(batch())).toEqual({ written: 2, dead: 0 });
      await database.transaction((tx) => tx.query('DEALLOCATE ALL'), { timeoutMs: 5000 });
      for (let n = 0; n < 3; n++) expect(await writer.write(batch())).toEqual({ written: 2, dead: 0 });
    } finally {
      await database.close();
    }
    expect(await counts(tenant)).toEqual({ sessions: 1, utterances: 0, events: 4 });
  });

  it('a call is rehearsed all the same, with what was prepared gone', async () => {
    const database = new Database({
      connectionString: db.postgres.connectionString,
      tenantId: db.tenant(),
      maxConnections: 1,
      log: silentLogger,
    });
    const terms = { timeoutMs: 5000 };
    const rehearse = () => database.rehearse('abs($1::int)', [-1], terms);
    try {
      await rehearse();
      await database.transaction((tx) => tx.query('DEALLOCATE ALL'), terms);
      await rehearse();
      expect((await database.call('abs($1::int)', [-1], terms)).rows).toEqual([{ abs: 1 }]);
    } finally {
      await database.close();
    }
  });
});

describe('while the database is away', () => {
  it('nothing is lost and nothing is doubled, whenever it is killed and comes back', async () => {
    // Steps between which the database is killed or started, at random places in the stream of rows.
    const moments = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 12 }), pauseMs: fc.integer({ min: 0, max: 40 }) }),
      {
        minLength: 2,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(moments, async (plan) => {
        const tenant = db.tenant();
        const store = await db.store(tenant);
        const sessions = Array.from({ length: 4 }, () => aSession());
        const streams = sessions.map((session) => callOf(session, 4));
        let up = true;
        for (const { after: rows, pauseMs } of plan) {
          for (let n = 0; n < rows; n++) {
            const next = streams[n % streams.length]!.next();
            if (!next.done) store.journal.append(next.value);
            if (n % 3 === 0) await sleep(1);
          }
          await sleep(pauseMs);
          if (up) await db.kill();
          else await db.postgres.start();
          up = !up;
        }
        for (const stream of streams) for (const entry of stream) store.journal.append(entry);
        await store.journal.flush();
        await db.postgres.start();
        await store.stored();
        await expectWhole(store, tenant, sessions, 4);
        expect(store.metrics()).toMatchObject({ dead: 0, lost: 0, away: 0, spoolBytes: 0, queued: 0 });
        await store.close();
      }),
      { numRuns: 5 },
    );
  });

  it('what is on disk survives our own end, torn at the tail or not, and is written by the next run', async () => {
    const tenant = db.tenant();
    const first = await db.store(tenant);
    const sessions = [aSession(), aSession()];
    await db.kill();
    for (const session of sessions) for (const entry of callOf(session, 3)) first.journal.append(entry);
    await first.journal.flush();
    expect(first.metrics()).toMatchObject({ spooled: 22, written: 0, lost: 0, away: 1 });
    expect(await first.health()).toMatchObject({ ok: false });
    await first.close();
    const [segment] = (await readdir(db.spoolDir(tenant))).filter((name) => name.startsWith('spool-'));
    const path = join(db.spoolDir(tenant), segment!);
    truncateSync(path, (await stat(path)).size - 10);

    // Opened while the database is still away, and taking more calls.
    const second = await db.store(tenant);
    for (const entry of callOf(sessions[1]!, 0)) second.journal.append(entry);
    await second.journal.flush();
    await second.close();
    await db.postgres.start();
    const third = await db.store(tenant);
    await third.stored();
    await eventually('the spool is written', () => third.metrics().spoolBytes === 0);
    await eventually('straight to the database again', () => third.metrics().away === 0);
    await expectWhole(third, tenant, sessions, 3);
  });

  it('opening succeeds on a database that has never been there, and sets it up when it is', async () => {
    const tenant = db.tenant();
    await db.admin('CREATE DATABASE later');
    const url = db.postgres.adminConnectionString.replace(/[^/]*$/, 'later');
    await db.kill();
    const store = await db.store(tenant, { connectionString: url, adminConnectionString: undefined });
    const session = aSession();
    for (const entry of callOf(session, 2)) store.journal.append(entry);
    await store.journal.flush();
    await expect(store.archive.list({ limit: 5 })).rejects.toMatchObject({ code: 'database-away', sipStatus: 503 });
    await db.postgres.start();
    await store.stored();
    expect((await store.archive.get(session.sessionId))?.utterances).toHaveLength(2);
  });

  it('a server that hangs counts as away', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const session = aSession();
    store.journal.append({ kind: 'session', row: session });
    await store.stored();
    // The process of our connection, and the one that would make new ones, stand still.
    const backends = await db.admin<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE usename = 'connector' AND backend_type = 'client backend'`,
    );
    const frozen = [db.postgres.pid!, ...backends.map(({ pid }) => pid)];
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    try {
      for (const entry of callOf(session, 3)) store.journal.append(entry);
      await store.journal.flush();
      expect(store.metrics()).toMatchObject({ spooled: 11, away: 1 });
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
    }
    await store.stored();
    await expectWhole(store, tenant, [session], 3);
  });

  it('a database that has turned read-only counts as away', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    await db.admin('ALTER ROLE connector SET default_transaction_read_only = on');
    await db.admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'connector'`);
    const session = aSession();
    for (const entry of callOf(session, 1)) store.journal.append(entry);
    await store.journal.flush();
    expect(store.metrics().spooled).toBeGreaterThan(0);
    await db.admin('ALTER ROLE connector RESET default_transaction_read_only');
    await db.admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'connector'`);
    await store.stored();
    await expectWhole(store, tenant, [session], 1);
  });

  it('rows wait in memory while the disk fails too, and what does not fit is counted', async () => {
    const tenant = db.tenant();
    const lines: string[] = [];
    const log = createLogger({ level: 'fatal', destination: { write: (line) => void lines.push(line) } });
    const store = await db.store(tenant, { log, spoolMaxBytes: 0 });
    await db.kill();
    const session = aSession();
    for (const entry of callOf(session, 3)) store.journal.append(entry);
    await eventually('a loud line', () => lines.length > 0);
    expect(store.metrics()).toMatchObject({ spooled: 0, queued: 11 });
    for (let n = 0; n < 20_000; n++) store.journal.append({ kind: 'event', row: anEvent(session) });
    expect(store.metrics().lost).toBeGreaterThan(0);
    // Money and sessions still find room.
    store.journal.append({ kind: 'session', row: ended(session, { summary: 'late' }) });
    await db.postgres.start();
    await store.stored();
    const { utterances } = await counts(tenant);
    expect(utterances).toBe(3);
    expect((await store.archive.get(session.sessionId))?.session.summary).toBe('late');
    expect(lines.length).toBeLessThan(20);
  });

  it('rows refused by the database on their way out of the spool do not block the rest', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    await db.kill();
    const session = aSession();
    store.journal.append({ kind: 'utterance', row: anUtterance(aSession()) });
    for (const entry of callOf(session, 2)) store.journal.append(entry);
    await store.journal.flush();
    await db.postgres.start();
    await store.stored();
    await expectWhole(store, tenant, [session], 2);
    expect(store.metrics()).toMatchObject({ dead: 1, lost: 0 });
  });
});

describe('closing', () => {
  it('writes what is still queued, and is done once however often it is asked for', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const session = aSession();
    for (const entry of callOf(session, 20)) store.journal.append(entry);
    await Promise.all([store.close(), store.close()]);
    expect(await counts(tenant)).toEqual({ sessions: 1, utterances: 20, events: 20 });
    store.journal.append({ kind: 'session', row: session });
    expect(store.metrics().lost).toBe(1);
  });

  it('gives the folders up, so that the next run can open them', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    await expect(db.store(tenant)).rejects.toMatchObject({ code: 'in-use' });
    await store.close();
    await (await db.store(tenant)).close();
  });
});
