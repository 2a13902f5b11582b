import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openTestDatabase } from './support/database.ts';
import { aLedgerRow, aSession, ended, posted } from './support/rows.ts';

const db = openTestDatabase();

afterEach(() => db.postgres.start());

const transactions = (tenant: string) =>
  db.app<{ transaction_id: string; outcome: string; customer_id: string | null; idempotency_key: string }>(
    tenant,
    'SELECT transaction_id, outcome, customer_id, idempotency_key FROM banking_transactions ORDER BY created_at',
  );

async function withCall(tenant: string) {
  const store = await db.store(tenant);
  const session = aSession();
  store.journal.append({ kind: 'session', row: session });
  return { store, session };
}

describe('the ledger', () => {
  it('has committed the row of a change when it says so, also for a call that has only just begun', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    const row = aLedgerRow(session);
    await store.ledger.begin(row, 'change');
    expect(await transactions(tenant)).toMatchObject([{ transaction_id: row.transactionId, outcome: 'PENDING' }]);
    await store.ledger.complete(row.transactionId, posted());
    expect(await transactions(tenant)).toMatchObject([{ outcome: 'POSTED', customer_id: '471920' }]);
    await store.stored();
    const call = await store.archive.get(session.sessionId);
    expect(call?.transactions).toEqual([{ ...row, ...posted() }]);
  });

  it('lets a key be used once, by whomever', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    const row = aLedgerRow(session);
    const attempts = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        store.ledger.begin(aLedgerRow(session, { idempotencyKey: row.idempotencyKey }), 'change'),
      ),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected')
        expect(attempt.reason).toMatchObject({ code: 'duplicate-transaction', retryable: false });
    }
    expect(await transactions(tenant)).toHaveLength(1);
    const other = await withCall(db.tenant());
    await other.store.ledger.begin(aLedgerRow(other.session, { idempotencyKey: row.idempotencyKey }), 'change');
  });

  it('keeps an outcome once it is known', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    const row = aLedgerRow(session);
    await store.ledger.begin(row, 'change');
    await store.ledger.complete(row.transactionId, posted());
    await store.ledger.complete(row.transactionId, posted({ outcome: 'FAILED' }));
    await store.ledger.complete(row.transactionId, posted());
    expect(await transactions(tenant)).toMatchObject([{ outcome: 'POSTED' }]);
  });

  it('takes a row for a call that has ended in the meantime', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    store.journal.append({ kind: 'session', row: ended(session) });
    await store.ledger.begin(aLedgerRow(session), 'change');
    await store.stored();
    expect((await store.archive.get(session.sessionId))?.session.status).toBe('COMPLETED');
    expect(await transactions(tenant)).toHaveLength(1);
  });

  it('refuses a change for a call that nobody knows', async () => {
    const store = await db.store(db.tenant());
    await expect(store.ledger.begin(aLedgerRow(aSession()), 'change')).rejects.toMatchObject({
      code: 'ledger-unavailable',
    });
  });
});

describe('while the database is away, the ledger', () => {
  it('refuses changes in time, and has no trace of them when it is back', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    await store.stored();
    await db.kill();
    const began = performance.now();
    await expect(store.ledger.begin(aLedgerRow(session), 'change')).rejects.toMatchObject({
      code: 'ledger-unavailable',
      blame: 'us',
      retryable: true,
    });
    // 1.5 s by contract; the rest is for a busy machine.
    expect(performance.now() - began).toBeLessThan(6000);
    await db.postgres.start();
    await store.stored();
    expect(await transactions(tenant)).toEqual([]);
  });

  it('takes a change when the database comes back within the deadline', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    await db.kill();
    const row = aLedgerRow(session);
    const begun = store.ledger.begin(row, 'change').catch(() => 'refused');
    await db.postgres.start();
    // On a slow machine the database may come too late; then it must have refused, and nothing may stand.
    const outcome = await begun;
    await store.stored();
    expect(await transactions(tenant)).toHaveLength(outcome === 'refused' ? 0 : 1);
  });

  it('takes reads to the spool, and their ends after them', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    await db.kill();
    const read = aLedgerRow(session, { transactionType: 'BALANCE_CHECK' });
    await store.ledger.begin(read, 'read');
    await expect(
      store.ledger.begin(aLedgerRow(session, { idempotencyKey: read.idempotencyKey }), 'read'),
    ).rejects.toMatchObject({ code: 'duplicate-transaction' });
    await store.ledger.complete(read.transactionId, posted());
    const half = aLedgerRow(session, { transactionType: 'BALANCE_CHECK', createdAt: new Date() });
    await store.ledger.begin(half, 'read');
    await db.postgres.start();
    await store.ledger.complete(half.transactionId, posted({ outcome: 'FAILED' }));
    await store.stored();
    expect(await transactions(tenant)).toMatchObject([
      { transaction_id: read.transactionId, outcome: 'POSTED' },
      { transaction_id: half.transactionId, outcome: 'FAILED' },
    ]);
  });

  it('keeps the end of a change that was begun before', async () => {
    const tenant = db.tenant();
    const { store, session } = await withCall(tenant);
    const row = aLedgerRow(session);
    await store.ledger.begin(row, 'change');
    await db.kill();
    await store.ledger.complete(row.transactionId, posted());
    await store.close();
    await db.postgres.start();
    const next = await db.store(tenant);
    await next.stored();
    await expect.poll(() => transactions(tenant)).toMatchObject([{ outcome: 'POSTED' }]);
  });
});

/** Between store and database: passes everything on until it is told to swallow the answer to a COMMIT and, maybe, to be cut then. */
async function forgetfulProxy(port: number) {
  const sockets = new Set<Socket>();
  let swallow = false;
  let cut = false;
  let cutNext = false;
  const server = createServer((client) => {
    if (cut) return void client.destroy();
    const upstream = createConnection(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    let deaf = false;
    client.on('data', (data) => {
      upstream.write(data);
      if (!swallow || !data.includes('COMMIT')) return;
      swallow = false;
      deaf = true;
      cut = cutNext;
      setTimeout(() => client.destroy(), 50);
    });
    upstream.on('data', (data) => deaf || client.write(data));
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    swallowNextCommit: (thenCut = false) => {
      swallow = true;
      cutNext = thenCut;
    },
    mend: () => {
      cut = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a commit that is never confirmed', () => {
  it('is tried again under the same key without refusing its own shadow', async () => {
    const tenant = db.tenant();
    const proxy = await forgetfulProxy(db.postgres.port);
    const url = new URL(db.postgres.connectionString);
    url.port = String(proxy.port);
    const store = await db.store(tenant, { connectionString: url.href });
    const session = aSession();
    store.journal.append({ kind: 'session', row: session });
    await store.stored();
    proxy.swallowNextCommit();
    const row = aLedgerRow(session);
    await store.ledger.begin(row, 'change');
    await store.ledger.complete(row.transactionId, posted());
    expect(await transactions(tenant)).toMatchObject([{ transaction_id: row.transactionId, outcome: 'POSTED' }]);
    await store.close();
    await proxy.close();
  });

  it('and then refused leaves nothing behind, so that the customer may try again', async () => {
    const tenant = db.tenant();
    const proxy = await forgetfulProxy(db.postgres.port);
    const url = new URL(db.postgres.connectionString);
    url.port = String(proxy.port);
    const store = await db.store(tenant, { connectionString: url.href });
    const session = aSession();
    store.journal.append({ kind: 'session', row: session });
    await store.stored();
    proxy.swallowNextCommit(true);
    const row = aLedgerRow(session);
    const refused = expect(store.ledger.begin(row, 'change')).rejects.toMatchObject({ code: 'ledger-unavailable' });
    await expect.poll(() => transactions(tenant)).toHaveLength(1);
    await refused;
    proxy.mend();
    await store.stored();
    expect(await transactions(tenant)).toEqual([]);
    await store.ledger.begin({ ...row, transactionId: crypto.randomUUID() }, 'change');
    await store.close();
    await proxy.close();
  });
});

it('a random history of beginnings, ends and outages adds up', async () => {
  const act = fc.record({
    what: fc.constantFrom('change' as const, 'read' as const, 'read' as const, 'kill' as const, 'start' as const),
    complete: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 8 }), async (plan) => {
      const tenant = db.tenant();
      const { store, session } = await withCall(tenant);
      const expected = new Map<string, string>();
      for (const { what, complete } of plan) {
        if (what === 'kill') await db.kill();
        else if (what === 'start') await db.postgres.start();
        else {
          const row = aLedgerRow(session);
          const begun = await store.ledger.begin(row, what).then(
            () => true,
            () => false,
          );
          if (begun) expected.set(row.transactionId, 'PENDING');
          if (begun && complete) {
            await store.ledger.complete(row.transactionId, posted());
            expected.set(row.transactionId, 'POSTED');
          }
        }
        await sleep(5);
      }
      await db.postgres.start();
      await store.stored();
      const rows = await transactions(tenant);
      expect(new Map(rows.map((row) => [row.transaction_id, row.outcome]))).toEqual(expected);
      await store.close();
    }),
    { numRuns: 5 },
  );
});
