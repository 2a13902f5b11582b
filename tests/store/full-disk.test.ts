import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { writeBehind } from './support/write-behind.ts';

it('a disk that takes neither the database nor the spool is one outage, told once, and over when rows are written', async () => {
  const full = () => Promise.reject(Object.assign(new Error('No space left on device'), { code: '53100' }));
  let hasRoom = false;
  let triedDatabase = 0;
  const { store, said } = writeBehind({
    writer: {
      write: (batch) => {
        triedDatabase++;
        return hasRoom ? Promise.resolve({ written: batch.length, dead: 0 }) : full();
      },
    },
    spool: {
      isEmpty: true,
      newest: 0,
      oldest: 0,
      append: full,
      next: async () => undefined,
      close: async () => undefined,
    },
  });
  const event = { eventId: randomUUID(), sessionId: randomUUID(), at: new Date(), type: 'answered', data: {} };
  store.append({ kind: 'event', row: event });
  await expect.poll(() => triedDatabase).toBeGreaterThan(3);
  expect(said).toEqual(['the database is away: rows go to the spool', 'neither database nor spool can be written']);
  expect([store.queued, store.awaySince !== undefined, store.diskFailing]).toEqual([1, true, true]);
  hasRoom = true;
  await store.stored();
  expect([store.queued, store.awaySince, store.diskFailing]).toEqual([0, undefined, false]);
  expect(said.slice(2)).toEqual(['the database is back and has everything']);
  await store.close(1_000);
});
