import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HttpBankClient } from '../../src/banking/bank-client.ts';
import { silentLogger } from '../../src/core/log.ts';
import { Authority } from '../support/certificates.ts';
import { API_KEY, BankProcess } from './bank-process.ts';
import { CallAtTheDesk, questionOf, resultOf } from './caller.ts';

/** What stands between us and the bank: passes everything on, but for answers to requests that `strange` takes. */
let bank: BankProcess;
let front: Server;
let authority: Authority;
let url: string;
let asked: string[] = [];
/** Answers in the bank's place; `pass` lets the bank do its work first. Undefined: the bank's own answer. */
let strange: ((response: ServerResponse, pass: () => Promise<Buffer>, attempt: number) => unknown) | undefined;

const passOn: RequestListener = (request, response) => {
  const what = `${request.method} ${request.url}`;
  asked.push(what);
  const pass = async () => {
    const sent = await buffer(request);
    const headers = new Headers({ authorization: `Bearer ${API_KEY}` });
    for (const name of ['content-type', 'idempotency-key']) {
      const value = request.headers[name];
      if (typeof value === 'string') headers.set(name, value);
    }
    const body = sent.length > 0 ? { body: sent } : {};
    const answer = await fetch(`${bank.url}${request.url}`, { method: request.method ?? 'GET', headers, ...body });
    response.statusCode = answer.status;
    response.setHeader('content-type', answer.headers.get('content-type') ?? '');
    return Buffer.from(await answer.arrayBuffer());
  };
  const trouble = request.method === 'POST' && what.endsWith('/block') ? strange : undefined;
  const done = async () => {
    if (trouble === undefined) response.end(await pass());
    else await trouble(response, pass, asked.filter((one) => one === what).length);
  };
  done().catch(() => response.destroy());
};

const listening = async (server: Server, scheme: string) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  [bank, authority] = await Promise.all([BankProcess.start(), Authority.create()]);
  front = createServer(passOn);
  url = await listening(front, 'http');
});
afterAll(async () => {
  front.closeAllConnections();
  await new Promise((resolve) => front.close(resolve));
  await Promise.all([bank.stop(), authority.remove()]);
});
beforeEach(async () => {
  strange = undefined;
  asked = [];
  await bank.reset();
});

/** A call of customer 471920, verified, with the question open whether to block the card. */
async function aboutToBlock(timeoutMs = 1500): Promise<CallAtTheDesk> {
  const call = new CallAtTheDesk(url, { phone: '+15550100', timeoutMs });
  expect(questionOf(await call.ask('block_card', {}, ['2580'])).slot).toBe('confirmation');
  asked = [];
  return call;
}

const blockings = () => bank.changes('card-blocked');
const say = (response: ServerResponse, status: number, headers: Record<string, string>, body: string | Buffer = '') =>
  response.writeHead(status, headers).end(body);

const HTML = { 'content-type': 'text/html' };
const JSON_TYPE = { 'content-type': 'application/json' };
const PAGE = '<!doctype html><title>We are back soon</title>';

describe('a caller whose card is to be blocked is never told that it is done when', () => {
  test.each<[string, NonNullable<typeof strange>]>([
    ['a page of maintenance answers 200', (response) => say(response, 200, HTML, PAGE)],
    ['it is sent elsewhere', (response) => say(response, 303, { location: `${url}/v1/accounts` })],
    ['the answer has ten megabytes', (response) => say(response, 200, JSON_TYPE, `"${'x'.repeat(10_000_000)}"`)],
    ['the answer never ends', (response) => response.writeHead(200, JSON_TYPE).write('{"card":')],
    ['the answer is cut off', (response) => response.writeHead(200, JSON_TYPE).write('{"ca', () => response.destroy())],
  ])('%s: it is not known, and asking again does it once', async (_what, answer) => {
    const call = await aboutToBlock();
    strange = answer;
    expect(resultOf(await call.answer('yes'))).toMatchObject({ ok: false, code: 'unknown-outcome' });
    expect(await blockings()).toHaveLength(0);
    expect(new Set(asked)).toHaveLength(1);
    strange = undefined;
    expect(resultOf(await call.ask('block_card', {}, ['yes']))).toMatchObject({ ok: true, code: 'posted' });
    expect(await blockings()).toHaveLength(1);
    expect(call.ledger.ofType('CARD_BLOCK').map(({ outcome }) => outcome)).toEqual(['UNKNOWN', 'POSTED']);
  });
});

describe('a bank that has done what it was asked for is understood when', () => {
  test.each<[string, NonNullable<typeof strange>]>([
    [
      'it says so without a word (204)',
      async (response, pass) => {
        await pass();
        say(response, 204, {});
      },
    ],
    [
      'it packs its answer',
      async (response, pass) => {
        const plain = await pass();
        say(response, 200, { 'content-encoding': 'gzip' }, gzipSync(plain));
      },
    ],
    [
      'a page stands in the way of its first answer',
      async (response, pass, attempt) => {
        const plain = await pass();
        if (attempt === 1) say(response, 200, HTML, PAGE);
        else response.end(plain);
      },
    ],
    [
      'its first answer is cut off in the middle',
      async (response, pass, attempt) => {
        const plain = await pass();
        if (attempt === 1) response.write(plain.subarray(0, 10), () => response.destroy());
        else response.end(plain);
      },
    ],
  ])('%s', async (_what, answer) => {
    const call = await aboutToBlock();
    strange = answer;
    expect(resultOf(await call.answer('yes'))).toMatchObject({ ok: true, code: 'posted' });
    expect(await blockings()).toHaveLength(1);
    expect(call.ledger.ofType('CARD_BLOCK')).toMatchObject([{ outcome: 'POSTED' }]);
  });
});

describe('a bank that has no time now (429)', () => {
  test('is asked again when it wants to be, while the caller waits', async () => {
    const call = await aboutToBlock(4000);
    const times: number[] = [];
    strange = async (response, pass, attempt) => {
      times.push(performance.now());
      if (attempt === 1) say(response, 429, { 'retry-after': '1' });
      else response.end(await pass());
    };
    expect(resultOf(await call.answer('yes')).code).toBe('posted');
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
  });

  test.each([
    ['in a minute', () => '60'],
    ['at a time of day', () => new Date(Date.now() + 60_000).toUTCString()],
  ])(
    'and wants to be asked %s is not asked again: nothing was done, and the caller is told so',
    async (_when, after) => {
      const call = await aboutToBlock();
      strange = (response) => say(response, 429, { 'retry-after': after() });
      expect(resultOf(await call.answer('yes')).code).toBe('bank-unavailable');
      expect(asked).toHaveLength(1);
      expect(call.ledger.ofType('CARD_BLOCK')).toMatchObject([{ outcome: 'FAILED' }]);
    },
  );
});

test('a name in an older character set is said as it is written', async () => {
  strange = (response) => {
    const body = Buffer.from('{"verified":true,"customer":{"id":"c1","number":"471920","name":"M\xfcller"}}', 'latin1');
    say(response, 200, { 'content-type': 'application/json; charset=ISO-8859-1' }, body);
  };
  const client = new HttpBankClient({ baseUrl: url, apiKey: API_KEY, log: silentLogger });
  const request = { method: 'POST' as const, path: '/block', route: '/block', query: {}, body: undefined };
  const { data } = await client.send({ ...request, correlationId: 'c', idempotencyKey: 'k', timeoutMs: 2000 });
  expect(data).toMatchObject({ customer: { name: 'Müller' } });
});

test('a bank whose certificate is another’s was never asked: nothing of it is in doubt', async () => {
  const { cert, key } = await authority.issue('other', 'other.example', 'DNS:other.example');
  const secure = createSecure({ cert: readFileSync(cert), key: readFileSync(key) }, passOn);
  const secureUrl = await listening(secure, 'https');
  try {
    const call = new CallAtTheDesk(secureUrl, { phone: '+15550100', timeoutMs: 1500 });
    expect(resultOf(await call.ask('speak_to_agent'))).toMatchObject({ ok: false, code: 'bank-unavailable' });
    expect(asked).toEqual([]);
    expect(call.ledger.ofType('AGENT_CALLBACK')).toMatchObject([{ outcome: 'FAILED' }]);
    expect(call.log.text).toMatch(/cannot be reached \((?!ECONN)[A-Z_]+\)/);
  } finally {
    secure.closeAllConnections();
    await new Promise((resolve) => secure.close(resolve));
  }
});
