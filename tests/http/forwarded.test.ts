import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { parseBlock } from '../../src/core/address-set.ts';
import { type ForwardedStep, readForwarded } from '../../src/http/forwarded.ts';
import { startServer, type TestServer, TOKEN } from './fixtures.ts';

let it: TestServer | undefined;
afterEach(async () => {
  await it?.close();
  it = undefined;
});

const LOOPBACK = [parseBlock('127.0.0.0/8')!, parseBlock('10.1.2.3')!];

/** Signs in with these headers: is the cookie one for HTTPS only? */
async function signIn(headers: Record<string, string>): Promise<{ status: number; secure: boolean }> {
  const response = await fetch(`${it!.url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token: TOKEN }),
  });
  return { status: response.status, secure: /; Secure/.test(response.headers.get('set-cookie') ?? '') };
}

describe('a connector behind a proxy that adds TLS', () => {
  test('believes no header unless it is told whose', async () => {
    it = await startServer();
    expect(await signIn({ 'x-forwarded-proto': 'https' })).toEqual({ status: 204, secure: false });
    expect(await signIn({ forwarded: 'proto=https' })).toEqual({ status: 204, secure: false });
    // Nor is a page of that other host ours.
    const elsewhere = { origin: 'https://bank.example', 'x-forwarded-host': 'bank.example' };
    expect((await signIn(elsewhere)).status).toBe(403);
  });

  test('gives its cookie for HTTPS only, whichever way the proxy says so', async () => {
    it = await startServer({ proxies: LOOPBACK });
    for (const [headers, secure] of [
      [{ 'x-forwarded-proto': 'https' }, true],
      [{ 'x-forwarded-proto': 'http, https' }, true],
      [{ 'x-forwarded-proto': 'https, http' }, false],
      [{ forwarded: 'for=192.0.2.60;proto=https;by=203.0.113.43' }, true],
      [{ forwarded: 'for=192.0.2.60;proto=http, for="[2001:db8::1]:47011";Proto="https"' }, true],
      [{ forwarded: 'proto=https', 'x-forwarded-for': '192.0.2.60' }, false],
      [{ forwarded: 'proto="https' }, false],
      [{}, false],
    ] as [Record<string, string>, boolean][]) {
      expect([headers, await signIn(headers)]).toEqual([headers, { status: 204, secure }]);
    }
  });

  test('knows its own page by the name the browser knows it by', async () => {
    it = await startServer({ proxies: LOOPBACK });
    const origin = 'https://bank.example';
    expect((await signIn({ origin })).status).toBe(403);
    expect((await signIn({ origin, 'x-forwarded-host': 'bank.example' })).status).toBe(204);
    expect((await signIn({ origin, forwarded: 'host=bank.example;proto=https' })).status).toBe(204);
    expect((await signIn({ origin, forwarded: 'host=evil.example' })).status).toBe(403);
  });

  test('counts wrong tokens by who sent them to the proxy', async () => {
    it = await startServer({ proxies: LOOPBACK, failedSignInsPerMinute: 1 });
    const guess = async (headers: Record<string, string>) => {
      const authorization = 'Bearer wrong';
      return (await fetch(`${it!.url}/api/v1/calls`, { headers: { authorization, ...headers } })).status;
    };
    expect([await guess({ 'x-forwarded-for': '192.0.2.1' }), await guess({ 'x-forwarded-for': '192.0.2.1' })]).toEqual([
      401, 429,
    ]);
    expect(await guess({ 'x-forwarded-for': '192.0.2.2' })).toBe(401);
    expect([
      await guess({ forwarded: 'for="[2001:db8::7]:4711"' }),
      await guess({ forwarded: 'for="[2001:db8::7]:1"' }),
    ]).toEqual([401, 429]);
    // What stands before the proxy's own entry was written by the client.
    expect(await guess({ 'x-forwarded-for': '198.51.100.9, 192.0.2.1' })).toBe(429);
  });
});

describe('a Forwarded header', () => {
  const word = fc.string({ unit: fc.constantFrom(...'aZ09.-_:[]"\\;, ='), maxLength: 12 });
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

  test('is read as it was written, however odd its values', () => {
    const step = fc.record({ for: word, host: word, proto: word }, { requiredKeys: ['for'] });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
        const written = steps.map((one) =>
          Object.entries(one)
            .map(([name, value]) => `${name}=${quoted(value)}`)
            .join(' ; '),
        );
        expect(readForwarded(written.join(' , '))).toEqual(steps as ForwardedStep[]);
      }),
    );
  });

  test('that is none is none, and never more than that', () => {
    expect(readForwarded('for=192.0.2.1:80;;proto=https,')).toEqual([{ for: '192.0.2.1:80', proto: 'https' }, {}]);
    for (const bad of ['for', '"for"=x', 'for="x', 'for=a b', '=x'])
      expect([bad, readForwarded(bad)]).toEqual([bad, undefined]);
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => void readForwarded(text)));
  });
});
