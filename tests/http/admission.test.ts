import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, startServer, TestAdmission, type TestServer } from './fixtures.ts';

let it: TestServer;
let desk: TestAdmission;

beforeAll(async () => {
  desk = new TestAdmission();
  it = await startServer({ admission: desk });
});
afterAll(() => it.close());

const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = bearer) => {
  const response = await fetch(`${it.url}/api/v1${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};

test('an operator sees what the gate does, stops new calls and lets them in again', async () => {
  expect(await ask('GET', '/admission')).toEqual({
    status: 200,
    body: { ...desk.status(), overload: null, bounds: { perSecond: null, atOnce: null } },
  });
  expect((await ask('POST', '/admission', { stop: true })).body).toMatchObject({ state: 'stopped' });
  expect(desk.stopped).toBe(true);
  expect((await ask('POST', '/admission', { stop: 'perhaps' })).status).toBe(400);
  expect((await ask('POST', '/admission', {})).status).toBe(400);
  expect((await ask('POST', '/admission', { stop: false })).body).toMatchObject({ state: 'open' });
});

test('trunks are shown with their calls and limits, and why the newest edit is not in force', async () => {
  const trunks = {
    config: { version: 'abc', loadedAt: '2026-11-25T12:00:00.000Z', error: 'trunks.yaml:3:5: no' },
    trunks: [
      {
        name: 'carrier',
        calls: 3,
        accepted: 7,
        refused: 1,
        limits: { calls: 60, callsPerSecond: null },
        knownBy: ['address'],
        trustIdentity: true,
      },
    ],
  };
  expect((await ask('GET', '/trunks')).body).toEqual(trunks);
  expect((await ask('POST', '/trunks/reload')).body).toEqual(trunks);
  expect(desk.reloads).toBe(1);
});

test('blocked sources are listed and can be unblocked', async () => {
  expect((await ask('GET', '/blocked-sources')).body.sources).toMatchObject([{ source: '192.0.2.7', dropped: 12 }]);
  expect((await ask('DELETE', '/blocked-sources?source=192.0.2.7')).status).toBe(204);
  expect((await ask('DELETE', '/blocked-sources?source=192.0.2.7')).status).toBe(404);
  expect((await ask('GET', '/blocked-sources')).body).toEqual({ sources: [] });
});

test.each([
  ['GET', '/admission'],
  ['POST', '/admission'],
  ['GET', '/trunks'],
  ['POST', '/trunks/reload'],
  ['GET', '/blocked-sources'],
  ['DELETE', '/blocked-sources?source=192.0.2.7'],
])('%s %s needs the token', async (method, path) => {
  expect((await ask(method, path, method === 'POST' ? { stop: true } : undefined, {})).status).toBe(401);
});
