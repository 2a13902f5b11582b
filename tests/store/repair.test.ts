import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRecording, type RecordedCall, Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import { wavHeader } from '../../src/media/wav.ts';
import { eventually, openTestDatabase, temporaryFolder } from './support/database.ts';
import { aContext, aLedgerRow, anEvent, anUtterance, aSession, ended, posted, secondsIn } from './support/rows.ts';

const db = openTestDatabase();

describe('after a crash', () => {
  it('open sessions are closed at the last moment that is known of, and open transactions are unknown', async () => {
    const tenant = db.tenant();
    const crashed = await db.store(tenant);
    const session = aSession();
    const done = ended(aSession());
    crashed.journal.append({ kind: 'session', row: session });
    crashed.journal.append({ kind: 'session', row: done });
    crashed.journal.append({
      kind: 'utterance',
      row: anUtterance(session, { startedAt: secondsIn(30), endedAt: secondsIn(33) }),
    });
    crashed.journal.append({ kind: 'event', row: anEvent(session, { at: secondsIn(31) }) });
    const row = aLedgerRow(session);
    await crashed.ledger.begin(row, 'change');
    await crashed.close();

    const next = await db.store(tenant);
    const call = await next.archive.get(session.sessionId);
    expect(call?.session).toMatchObject({
      status: 'INTERRUPTED',
      endCause: 'process-crashed',
      callEndTime: secondsIn(33),
    });
    expect(call?.events.map(({ type }) => type)).toEqual(['answered', 'closed-after-crash']);
    expect(call?.transactions).toMatchObject([{ outcome: 'UNKNOWN', responseData: { reason: 'process-crashed' } }]);
    expect((await next.archive.get(done.sessionId))?.session).toMatchObject({ status: 'COMPLETED' });
    // Better knowledge may still come.
    await next.ledger.complete(row.transactionId, posted());
    expect((await next.archive.get(session.sessionId))?.transactions).toMatchObject([{ outcome: 'POSTED' }]);
  });

  it('a recording whose call had no time to end gets its row, once, and is found as any other', async () => {
    const tenant = db.tenant();
    const dataDir = temporaryFolder();
    const crashed = await db.store(tenant);
    const [recorded, unrecorded] = [aSession(), aSession()].map((one) => ({ ...one, callStartTime: new Date() }));
    for (const row of [recorded!, unrecorded!]) crashed.journal.append({ kind: 'session', row });
    const recordings = new Recordings({ dataDir, keys: undefined, delaySeconds: 0, log: silentLogger });
    const { file } = recordings.begin(recordings.pathOf(recorded!));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.concat([wavHeader(2, 64_000), Buffer.alloc(64_000)]));
    await crashed.close();

    const options = {
      recordings: {
        dataDir,
        companions: () => [],
        find: (call: RecordedCall) => findRecording({ dataDir, keys: undefined, log: silentLogger }, call),
      },
    };
    for (let start = 0; start < 2; start++) {
      const next = await db.store(tenant, options);
      await next.stored();
      const call = await next.archive.get(recorded!.sessionId);
      expect(call?.session.endCause).toBe('process-crashed');
      expect(call?.recording).toMatchObject({ durationMs: 2000, bytes: 64_044, path: recordings.pathOf(recorded!) });
      expect((await next.archive.get(unrecorded!.sessionId))?.recording).toBeUndefined();
      await next.close();
    }
  });

  it('what the spool knows goes before what the repair assumes', async () => {
    const tenant = db.tenant();
    const crashed = await db.store(tenant);
    const session = aSession();
    crashed.journal.append({ kind: 'session', row: session });
    const row = aLedgerRow(session);
    await crashed.ledger.begin(row, 'change');
    await db.kill();
    crashed.journal.append({ kind: 'session', row: ended(session) });
    await crashed.ledger.complete(row.transactionId, posted());
    const open = aSession();
    crashed.journal.append({ kind: 'session', row: open });
    await crashed.close();
    const next = await db.store(tenant);
    await db.postgres.start();
    await eventually('the repair', async () => {
      const call = await next.archive.get(open.sessionId).catch(() => undefined);
      return call?.session.status === 'INTERRUPTED';
    });
    const call = await next.archive.get(session.sessionId);
    expect(call?.session).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
    expect(call?.transactions).toMatchObject([{ outcome: 'POSTED' }]);
  });

  it('calls of this run and of other living instances are left alone; those of a silent instance are not', async () => {
    const tenant = db.tenant();
    const spool = () => db.spoolDir(`${tenant}-${randomUUID()}`);
    const one = await db.store(tenant, { instanceId: 'one', spoolDir: spool() });
    const two = await db.store(tenant, { instanceId: 'two', spoolDir: spool() });
    const sessions = [aSession(), aSession()];
    one.journal.append({ kind: 'session', row: sessions[0]! });
    two.journal.append({ kind: 'session', row: sessions[1]! });
    await Promise.all([one.stored(), two.stored()]);
    expect(await two.cleanUp(new Date())).toMatchObject({ sessions: 0 });
    expect((await two.archive.list({ limit: 5, status: 'ACTIVE' })).calls).toHaveLength(2);
    await db.app(
      tenant,
      `UPDATE connector_instances SET heartbeat_at = now() - interval '10 minutes' WHERE instance_id = 'one'`,
    );
    expect(await two.cleanUp(new Date())).toMatchObject({ sessions: 1 });
    // It was only cut off: what it says itself stands.
    one.journal.append({ kind: 'session', row: ended(sessions[0]!) });
    await one.stored();
    expect((await one.archive.get(sessions[0]!.sessionId))?.session).toMatchObject({ status: 'COMPLETED' });
  });
});

describe('the clean-up', () => {
  it('deletes expired contexts, many at a time, and no others', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const session = aSession();
    store.journal.append({ kind: 'session', row: session });
    for (let n = 0; n < 1200; n++)
      store.journal.append({ kind: 'context', row: aContext(session, { expiresAt: secondsIn(n) }) });
    await store.stored();
    expect(await store.cleanUp(secondsIn(1100))).toMatchObject({ contexts: 1101 });
    const [left] = await db.app(tenant, 'SELECT count(*)::int AS n FROM conversation_contexts');
    expect(left).toEqual({ n: 99 });
  });

  it('is quiet while the database is away', async () => {
    const store = await db.store(db.tenant());
    await db.kill();
    expect(await store.cleanUp(new Date())).toEqual({ contexts: 0, sessions: 0, transactions: 0 });
    await db.postgres.start();
  });
});
