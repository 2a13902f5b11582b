import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeletionRecord } from '../../src/call/recording/retention.ts';
import { bearer, startServer, type TestServer } from './fixtures.ts';

const entry: DeletionRecord = {
  sequence: 7,
  deletedAt: new Date('2026-11-26T01:02:03.004Z'),
  sessionId: randomUUID(),
  what: 'recording',
  policy: 'recordings: 30 days',
  details: { path: 'recordings/x.wav', bytes: 44, sha256: 'ab' },
  previousHash: '0'.repeat(64),
  hash: 'f'.repeat(64),
};
const held: [string, boolean, string | undefined][] = [];
let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    retention: {
      async hold(sessionId, hold, reason) {
        if (sessionId !== entry.sessionId) return false;
        held.push([sessionId, hold, reason]);
        return true;
      },
      deletions: async (after, limit) => ({ deletions: after < 7 && limit > 0 ? [entry] : [], intact: true }),
    },
  });
});
afterAll(() => server.close());

const hold = (sessionId: string, body: unknown) =>
  fetch(`${server.url}/api/v1/calls/${sessionId}/legal-hold`, {
    method: 'PUT',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('an auditor', () => {
  it('reads the deletion log, page by page', async () => {
    const read = async (query: string) =>
      (await fetch(`${server.url}/api/v1/deletions${query}`, { headers: bearer })).json();
    expect(await read('')).toEqual({
      intact: true,
      deletions: [{ ...entry, deletedAt: '2026-11-26T01:02:03.004Z' }],
    });
    expect(await read('?after=7')).toEqual({ intact: true, deletions: [] });
    expect(await read('?limit=0')).toMatchObject({ status: 400 });
    expect((await fetch(`${server.url}/api/v1/deletions`)).status).toBe(401);
  });

  it('puts a call on legal hold, says why, and lets it go', async () => {
    const { sessionId } = entry;
    expect(await (await hold(sessionId, { hold: true, reason: 'court' })).json()).toEqual({ hold: true });
    expect((await hold(sessionId, { hold: false })).status).toBe(200);
    expect(held).toEqual([
      [sessionId, true, 'court'],
      [sessionId, false, undefined],
    ]);
    expect((await hold(randomUUID(), { hold: true })).status).toBe(404);
    expect((await hold(sessionId, { reason: 'court' })).status).toBe(400);
    expect((await hold(sessionId, { hold: true, until: 'x' })).status).toBe(400);
  });
});
