import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Spool } from '../../src/store/spool.ts';
import { temporaryFolder } from './support/database.ts';
import { anEvent, aSession } from './support/rows.ts';
import { writeBehind } from './support/write-behind.ts';

const ROWS = 6000;
/** Fewer than come while the database takes its first batch. */
const ROOM = 2000;

it('a database that takes rows slower than they come loses none: they wait on disk, and arrive in their order', async () => {
  const dir = temporaryFolder();
  const arrived: string[] = [];
  const { store, said } = writeBehind({
    writer: {
      write: async (batch) => {
        await sleep(20);
        arrived.push(...batch.map(({ id }) => id));
        return { written: batch.length, dead: 0 };
      },
    },
    spool: await Spool.open({ dir }),
    maxEntries: ROOM,
  });
  const session = aSession();
  const sent: string[] = [];
  for (let i = 0; i < ROWS; i++) {
    const row = anEvent(session, {});
    sent.push(row.eventId);
    expect(store.append({ kind: 'event', row })).toBe(true);
    // as fast as the disk takes them, which is much faster than this database
    if (store.queued >= ROOM / 2) await store.durable();
  }
  expect(arrived.length).toBeLessThan(ROWS);
  await store.stored();
  expect(arrived).toEqual(sent);
  expect(store.counters()).toMatchObject({ appended: ROWS, written: ROWS, lost: 0, dead: 0 });
  expect(store.counters().spooled).toBeGreaterThan(0);
  // No outage, and nobody is told that there is one.
  expect(new Set(said)).toEqual(new Set(['rows come faster than the database takes them: to the spool']));
  expect(store.awaySince).toBeUndefined();
  await store.close(1_000);
  await rm(dir, { recursive: true });
});
