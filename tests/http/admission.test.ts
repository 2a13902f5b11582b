import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AdmissionDesk, AdmissionStatus } from '../../src/call/admission.ts';
import { bearer, startServer, type TestServer } from './fixtures.ts';

let it: TestServer;
let stopped = false;
let blocked = ['192.0.2.7'];
let reloads = 0;

const status = (): AdmissionStatus => ({
  state: stopped ? 'stopped' : 'open',
  overload: undefined,
  load: { cpu: 0.5, memory: 0.25, loopDelayMs: 1.5 },
  calls: 3,
  maxCalls: 200,
  blockedSources: blocked.length,
  accepted: 7,
  refused: { scanner: 2 },
});

const desk: AdmissionDesk = {
  status,
  stop: (stop) => {
    stopped = stop;
  },
  trunks: () => ({
    config: { version: 'abc', loadedAt: new Date('2026-11-25T12:00:00Z'), error: 'trunks.yaml:3:5: no' },
    trunks: [
      {
        name: 'carrier',
        calls: 3,
        accepted: 7,
        refused: 1,
        limits: { calls: 60 },
        knownBy: ['address'],
        trustIdentity: true,
      },
    ],
  }),
  reload: () => {
    reloads++;
    return false;
  },
  blocked: () =>
    blocked.map((source) => ({
      source,
      reason: 'scanner',
      since: new Date('2026-11-25T12:00:00Z'),
      until: new Date('2026-11-25T12:10:00Z'),
      dropped: 12,
    })),
  unblock: (source) => {
    const was = blocked.includes(source);
    blocked = blocked.filter((one) => one !== source);
    return was;
  },
};

beforeAll(async () => {
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
  expect(await ask('GET', '/admission')).toEqual({ status: 200, body: { ...status(), overload: null } });
  expect((await ask('POST', '/admission', { stop: true })).body).toMatchObject({ state: 'stopped' });
  expect(stopped).toBe(true);
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
  expect(reloads).toBe(1);
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
