import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Counter } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { ReadinessChecks } from '../../src/http/health.ts';
import { bearer, startServer, type TestServer, TOKEN } from './fixtures.ts';

let it: TestServer | undefined;
afterEach(async () => {
  await it?.close();
  it = undefined;
});

const up = async () => ({ ok: true });
const down = async () => ({ ok: false, detail: 'connection refused' });
const proxied = { 'x-forwarded-for': '203.0.113.7' };

describe('/ready', () => {
  test('tells state and latency of each dependency', async () => {
    it = await startServer({ checks: [{ name: 'postgres', required: true, check: up }] });
    const response = await fetch(`${it.url}/ready`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ready',
      dependencies: [{ name: 'postgres', required: true, state: 'up', latencyMs: expect.any(Number) }],
    });
  });

  test('an optional part that is down does not fail it; a required one does, also when it throws', async () => {
    it = await startServer({ checks: [{ name: 'llm', required: false, check: down }] });
    const degraded = await fetch(`${it.url}/ready`);
    expect(degraded.status).toBe(200);
    expect(await degraded.json()).toMatchObject({
      status: 'degraded',
      dependencies: [{ detail: 'connection refused' }],
    });
    await it.close();
    const check = async () => {
      throw new Error('boom');
    };
    it = await startServer({ checks: [{ name: 'sip', required: true, check }] });
    const failed = await fetch(`${it.url}/ready`);
    expect(failed.status).toBe(503);
    expect(await failed.json()).toMatchObject({ status: 'down', dependencies: [{ state: 'down', detail: 'boom' }] });
  });

  test('does not tell strangers why', async () => {
    it = await startServer({ checks: [{ name: 'llm', required: false, check: down }] });
    expect(await (await fetch(`${it.url}/ready`, { headers: proxied })).text()).not.toContain('refused');
    expect(await (await fetch(`${it.url}/ready`, { headers: { ...proxied, ...bearer } })).text()).toContain('refused');
  });

  test('a connector that drains is not ready but alive', async () => {
    it = await startServer({ draining: () => true });
    expect((await fetch(`${it.url}/ready`)).status).toBe(503);
    expect(await (await fetch(`${it.url}/health`)).json()).toMatchObject({ status: 'alive' });
  });

  test('a check that hangs is down within its limit, and is not started again meanwhile', async () => {
    let started = 0;
    const checks = new ReadinessChecks(
      [
        {
          name: 'hung',
          required: true,
          check: () => {
            started++;
            return new Promise(() => undefined);
          },
        },
      ],
      20,
    );
    expect(await checks.run(false)).toMatchObject({
      status: 'down',
      dependencies: [{ detail: expect.stringMatching(/no answer/) }],
    });
    await checks.run(false);
    expect(started).toBe(1);
  });
});

describe('/metrics', () => {
  test('shows every metric to this machine and, with the token, to others', async () => {
    it = await startServer();
    new Counter({ name: 'calls_total', help: 'calls', registers: [it.metrics] }).inc(3);
    await fetch(`${it.url}/api/v1/calls`, { headers: bearer });
    const response = await fetch(`${it.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await response.text();
    expect(text).toContain('calls_total 3');
    expect(text).toContain('http_request_duration_seconds_count{method="GET",route="/api/v1/calls",status="200"} 1');
    expect(text).not.toContain(TOKEN);
    expect((await fetch(`${it.url}/metrics`, { headers: proxied })).status).toBe(401);
    expect((await fetch(`${it.url}/metrics`, { headers: { ...proxied, ...bearer } })).status).toBe(200);
  });
});

describe('the page', () => {
  test('is served under a policy that runs only its own files', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'svc-page-'));
    try {
      await mkdir(join(dir, 'assets'));
      await writeFile(join(dir, 'index.html'), '<!doctype html><title>page</title>');
      await writeFile(join(dir, 'assets', 'a-1234.js'), '1;');
      await writeFile(join(dir, '.env'), 'SECRET=1');
      it = await startServer({ consoleDir: dir });
      const page = await fetch(`${it.url}/`);
      expect(page.status).toBe(200);
      const policy = page.headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(page.headers.get('x-content-type-options')).toBe('nosniff');
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('permissions-policy')).toBe('camera=(), geolocation=(), microphone=(self)');
      const asset = await fetch(`${it.url}/assets/a-1234.js`);
      expect(asset.headers.get('cache-control')).toContain('immutable');
      const deep = await fetch(`${it.url}/calls/5f5d`, { headers: { accept: 'text/html' } });
      expect(await deep.text()).toContain('<title>page</title>');
      for (const path of [
        '/.env',
        '/..%2f..%2fetc%2fpasswd',
        '/assets/..%2f..%2f.env',
        '/%2e%2e/%2e%2e/etc/passwd',
        '/nothing',
      ]) {
        const response = await fetch(it.url + path, { headers: { accept: 'text/html' } });
        expect([400, 403, 404], path).toContain(response.status);
        expect(await response.text()).not.toMatch(/SECRET|root:/);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('that is not built says so', async () => {
    it = await startServer();
    const response = await fetch(`${it.url}/`, { headers: { accept: 'text/html' } });
    expect(response.status).toBe(404);
    expect((await response.json()).detail).toContain('npm run build');
  });
});

describe('requests that are wrong', () => {
  test.each([
    ['GET', '/api/v1/nothing', undefined, 404],
    ['POST', '/api/v1/login', '{"token":', 400],
    ['POST', '/api/v1/login', '{}', 400],
    ['POST', '/api/v1/login', JSON.stringify({ token: 'x'.repeat(10_000) }), 413],
    ['DELETE', '/api/v1/calls', undefined, 404],
    ['GET', `/api/v1/calls/${'a'.repeat(300)}`, undefined, 414],
    ['GET', '/api/v1/calls/%zz', undefined, 400],
  ])('%s %s %s is refused clearly as problem+json', async (method, path, body, status) => {
    it = await startServer();
    const headers: Record<string, string> = { ...bearer };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(it.url + path, { method, headers, body });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const problem = await response.json();
    expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
    expect(problem.correlationId).toBe(response.headers.get('x-correlation-id'));
    expect(problem).not.toHaveProperty('stack');
  });

  test.each([
    {
      status: 431,
      what: 'too many headers',
      bytes: `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    },
    { status: 400, what: 'another protocol', bytes: 'INVITE sip:bank@127.0.0.1 SIP/2.0\r\n\r\n' },
    {
      status: 400,
      what: 'two lengths',
      bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    },
  ])(
    'of $what are no requests: told so in the same form ($status), and the connection ends',
    async ({ status, bytes }) => {
      it = await startServer();
      const socket = connect(Number(new URL(it.url).port), '127.0.0.1');
      socket.end(bytes);
      const [head, body] = (await text(socket)).split('\r\n\r\n') as [string, string];
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\ncontent-type: application/problem\\+json`));
      const problem = JSON.parse(body);
      expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
      expect(head).toContain(`x-correlation-id: ${problem.correlationId}`);
    },
  );
});

test('a port in use stops the start with one clear line', async () => {
  it = await startServer();
  const port = Number(new URL(it.url).port);
  await expect(startServer({ port })).rejects.toThrow(new RegExp(`cannot serve HTTP on 127.0.0.1:${port}`));
});
