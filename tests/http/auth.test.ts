import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/core/log.ts';
import { LoginSessions, sameSecret } from '../../src/http/login-sessions.ts';
import { bearer, liveSession, session, startServer, type TestServer, TOKEN } from './fixtures.ts';

let it: TestServer | undefined;
afterEach(async () => {
  await it?.close();
  it = undefined;
});

const login = (url: string, token: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token }),
  });
const cookieOf = (response: Response) => response.headers.get('set-cookie')!.split(';', 1)[0]!;

describe('the API opens', () => {
  test('to the bearer token and to nothing else', async () => {
    it = await startServer();
    const calls = `${it.url}/api/v1/calls`;
    expect((await fetch(calls, { headers: bearer })).status).toBe(200);
    for (const authorization of ['Bearer wrong', `Bearer ${TOKEN}x`, `Basic ${btoa(`x:${TOKEN}`)}`, 'Bearer', TOKEN]) {
      const response = await fetch(calls, { headers: { authorization } });
      expect(response.status, authorization).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
    expect((await fetch(calls)).status).toBe(401);
    expect((await fetch(`${calls}?token=${TOKEN}`)).status).toBe(401);
    const { sessionId } = session();
    for (const path of [
      `/calls/${sessionId}`,
      `/calls/${sessionId}/recording`,
      '/events',
      `/calls/${sessionId}/events`,
    ]) {
      expect((await fetch(`${it.url}/api/v1${path}`)).status, path).toBe(401);
    }
  });

  test('to a signed-in page by its cookie, until it signs out', async () => {
    it = await startServer();
    const response = await login(it.url, TOKEN);
    expect(response.status).toBe(204);
    const attributes = response.headers.get('set-cookie')!;
    expect(attributes).toMatch(/; HttpOnly/);
    expect(attributes).toMatch(/; SameSite=Strict/);
    expect(attributes).not.toContain(TOKEN);
    const cookie = cookieOf(response);
    expect((await fetch(`${it.url}/api/v1/calls`, { headers: { cookie } })).status).toBe(200);
    const state = await (await fetch(`${it.url}/api/v1/login`, { headers: { cookie } })).json();
    expect(state.signedIn).toBe(true);
    expect(new Date(state.expiresAt).getTime()).toBeGreaterThan(Date.now());
    expect((await fetch(`${it.url}/api/v1/logout`, { method: 'POST', headers: { cookie } })).status).toBe(204);
    expect((await fetch(`${it.url}/api/v1/calls`, { headers: { cookie } })).status).toBe(401);
    const after = await fetch(`${it.url}/api/v1/login`, { headers: { cookie } });
    expect(await after.json()).toEqual({ signedIn: false, expiresAt: null });
  });

  test('not to another site that borrows the cookie', async () => {
    const hungUp: string[] = [];
    it = await startServer({ live: { hangup: async (id) => hungUp.push(id) > 0 } });
    const cookie = cookieOf(await login(it.url, TOKEN));
    const call = liveSession();
    it.registry.update(call);
    const from = (origin: string) =>
      fetch(`${it!.url}/api/v1/calls/${call.sessionId}/hangup`, { method: 'POST', headers: { cookie, origin } });
    expect((await from('http://evil.example')).status).toBe(403);
    expect((await login(it.url, TOKEN, { origin: 'http://evil.example' })).status).toBe(403);
    expect(hungUp).toEqual([]);
    expect((await from(it.url)).status).toBe(202);
  });
});

describe('guessing the token', () => {
  test('ends with 429 for every token from that address, while signed-in people work on', async () => {
    it = await startServer({ failedSignInsPerMinute: 3 });
    const cookie = cookieOf(await login(it.url, TOKEN));
    expect((await login(it.url, 'guess-1')).status).toBe(401);
    expect((await fetch(`${it.url}/api/v1/calls`, { headers: { authorization: 'Bearer guess-2' } })).status).toBe(401);
    expect((await login(it.url, 'guess-3')).status).toBe(401);
    const refused = await login(it.url, TOKEN);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await fetch(`${it.url}/api/v1/calls`, { headers: bearer })).status).toBe(429);
    expect((await fetch(`${it.url}/api/v1/calls`, { headers: { cookie } })).status).toBe(200);
  });

  test('a page that has not signed in yet is not a guess', async () => {
    it = await startServer({ failedSignInsPerMinute: 2 });
    for (let i = 0; i < 5; i++) expect((await fetch(`${it.url}/api/v1/calls`)).status).toBe(401);
    expect((await login(it.url, TOKEN)).status).toBe(204);
  });
});

test('more requests than allowed are answered 429 with Retry-After as a problem', async () => {
  it = await startServer({ requestsPerSecond: 5 });
  const responses = await Promise.all(
    Array.from({ length: 30 }, () => fetch(`${it!.url}/api/v1/calls`, { headers: bearer })),
  );
  const refused = responses.find((response) => response.status === 429);
  expect(refused).toBeDefined();
  expect(refused!.headers.get('retry-after')).toBe('1');
  expect(refused!.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect((await fetch(`${it.url}/health`)).status).toBe(200);
});

test('neither token nor cookie nor what was searched reaches the log; the correlation id does', async () => {
  const sink = new PassThrough();
  let log = '';
  sink.on('data', (chunk) => {
    log += chunk;
  });
  it = await startServer({ log: createLogger({ level: 'trace', destination: sink }) });
  const cookie = cookieOf(await login(it.url, TOKEN));
  await login(it.url, 'a-wrong-token-of-mine');
  await fetch(`${it.url}/api/v1/calls?text=my+secret+words&caller=5550123`, { headers: bearer });
  const response = await fetch(`${it.url}/api/v1/calls`, { headers: { cookie, 'x-correlation-id': 'corr-77' } });
  expect(response.headers.get('x-correlation-id')).toBe('corr-77');
  await expect.poll(() => log).toContain('"correlation_id":"corr-77"');
  for (const secret of [TOKEN, cookie.split('=')[1]!, 'a-wrong-token-of-mine', 'secret', '5550123']) {
    expect(log).not.toContain(secret);
  }
});

describe('sign-ins', () => {
  test('end after their lifetime', () => {
    const sessions = new LoginSessions(10, 1000);
    const id = sessions.open(0);
    expect(sessions.remaining(id, 999)).toBe(1);
    expect(sessions.remaining(id, 1000)).toBeUndefined();
    expect(sessions.size).toBe(0);
  });

  test('are bounded, the oldest goes first', () => {
    const sessions = new LoginSessions(2, 1000);
    const [first, second, third] = [sessions.open(0), sessions.open(1), sessions.open(2)];
    expect(sessions.remaining(first, 3)).toBeUndefined();
    expect(sessions.remaining(second, 3)).toBe(998);
    expect(sessions.remaining(third, 3)).toBe(999);
  });

  test('secrets of different lengths compare without an error', () => {
    expect(sameSecret('', 'secret')).toBe(false);
    expect(sameSecret('secret', 'secret')).toBe(true);
  });
});
