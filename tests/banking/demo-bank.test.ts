import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BankProcess } from './bank-process.ts';

const MAIN = fileURLToPath(new URL('../../src/demo-bank/main.ts', import.meta.url));

let bank: BankProcess;
beforeAll(async () => {
  bank = await BankProcess.start(['--today', '2026-03-01', '--lock-seconds', '1']);
});
afterAll(() => bank.stop());
beforeEach(() => bank.reset());

async function json(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

describe('the API', () => {
  test('describes itself in OpenAPI 3.1, every operation of it', async () => {
    const document = await json(await fetch(`${bank.url}/openapi.json`));
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths as object).sort()).toEqual([
      '/v1/callback-requests',
      '/v1/customers',
      '/v1/customers/{number}/accounts',
      '/v1/customers/{number}/cards',
      '/v1/customers/{number}/cards/{card}/block',
      '/v1/customers/{number}/cards/{card}/delivery',
      '/v1/customers/{number}/transactions',
      '/v1/customers/{number}/verification',
    ]);
  });

  test('needs the key', async () => {
    const without = await fetch(`${bank.url}/v1/customers/471920/cards`);
    expect(without.status).toBe(401);
    expect(without.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await json(without)).toMatchObject({ type: expect.stringMatching(/unauthorized$/), status: 401 });
    expect((await bank.request('/v1/customers/471920/cards', { headers: { authorization: 'Bearer x' } })).status).toBe(
      401,
    );
  });

  test('knows dates from its own today, money as decimal strings', async () => {
    const delivery = await json(await bank.request('/v1/customers/471920/cards/card-471920-1/delivery'));
    expect(delivery).toMatchObject({ status: 'shipped', shippedOn: '2026-02-28', trackingNumber: '12345' });
    const accounts = await json(await bank.request('/v1/customers/471920/accounts?kind=current'));
    expect(accounts).toEqual({
      accounts: [{ id: 'acc-471920-1', kind: 'current', balance: { amount: '1204.50', currency: 'USD' } }],
    });
    const { transactions } = await json(await bank.request('/v1/customers/471920/transactions?limit=2'));
    expect(transactions).toMatchObject([{ bookedOn: '2026-02-28' }, { bookedOn: '2026-02-27' }]);
  });

  test('never shows a full card number or a PIN', async () => {
    for (const number of ['471920', '830465', '205118', '318274']) {
      const cards = await (await bank.request(`/v1/customers/${number}/cards`)).text();
      expect(cards).toMatch(/"last4":"\d{4}"/);
      expect(cards).not.toMatch(/\d{12}/);
      expect(cards).not.toMatch(/pin"/);
    }
  });

  test('finds a customer by telephone number', async () => {
    expect(await json(await bank.request('/v1/customers?phone=%2B15550100'))).toEqual({
      customers: [{ number: '471920', name: 'Alex Morgan' }],
    });
    expect(await json(await bank.request('/v1/customers?phone=%2B4930'))).toEqual({ customers: [] });
  });

  test.each([
    ['/v1/customers/999999/cards', 404, 'not-found'],
    ['/v1/customers/47192/cards', 400, 'invalid-request'],
    ['/v1/customers/471920/transactions?limit=0', 400, 'invalid-request'],
    ['/v1/nothing', 404, 'not-found'],
  ])('answers %s with a problem', async (path, status, type) => {
    const response = await bank.request(path);
    expect(response.status).toBe(status);
    expect(await json(response)).toMatchObject({ type: `https://demo-bank.example/problems/${type}`, status });
  });

  test('takes a correlation id into answer and log, unless it could do harm there', async () => {
    const response = await bank.request('/v1/customers/471920/cards', { headers: { 'x-correlation-id': 'call-42' } });
    expect(response.headers.get('x-correlation-id')).toBe('call-42');
    await expect.poll(() => bank.log.includes('"correlation_id":"call-42"')).toBe(true);
    const odd = await bank.request('/v1/customers/471920/cards', { headers: { 'x-correlation-id': 'a"b c' } });
    expect(odd.headers.get('x-correlation-id')).not.toBe('a"b c');
  });
});

describe('verification', () => {
  const verify = (number: string, pin: string, headers: Record<string, string> = {}) =>
    bank.request(`/v1/customers/${number}/verification`, { method: 'POST', body: { pin }, headers });

  test('does not tell unknown numbers from wrong PINs', async () => {
    const [unknown, wrong] = [await verify('999999', '2580'), await verify('471920', '1111')];
    expect(unknown.status).toBe(401);
    expect(await unknown.text()).toBe(await wrong.text());
  });

  test('locks after three wrong PINs in a row, for a while', async () => {
    await verify('830465', '0000');
    await verify('830465', '0001');
    expect((await verify('830465', '1397')).status).toBe(200);
    // The right one has set the count back.
    expect((await verify('830465', '0000')).status).toBe(401);
    expect((await verify('830465', '0001')).status).toBe(401);
    const locked = await verify('830465', '0002');
    expect(locked.status).toBe(423);
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await verify('830465', '1397')).status).toBe(423);
    await expect.poll(async () => (await verify('830465', '1397')).status).toBe(200);
  });

  test('counts a repeated wrong PIN under one key once', async () => {
    for (let time = 0; time < 4; time++) {
      expect((await verify('205118', '0000', { 'idempotency-key': 'same' })).status).toBe(401);
    }
    expect(await bank.changes('pin-refused')).toHaveLength(1);
  });
});

describe('changes', () => {
  const block = (key: string | undefined, card = '318274/cards/card-318274-1') =>
    bank.request(`/v1/customers/${card}/block`, {
      method: 'POST',
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });

  test('with one key are made once and answered alike', async () => {
    const [first, second] = [await block('k1'), await block('k1')];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await first.text()).toBe(await second.text());
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await bank.changes('card-blocked')).toHaveLength(1);
    // Another key is another wish: the card is blocked already.
    expect((await block('k2')).status).toBe(409);
  });

  test('with the key of another request are refused', async () => {
    await block('k3');
    expect((await block('k3', '318274/cards/card-318274-2')).status).toBe(422);
    const callback = await bank.request('/v1/callback-requests', {
      method: 'POST',
      body: { phone: '+15550100' },
      headers: { 'idempotency-key': 'k3' },
    });
    expect(await json(callback)).toMatchObject({ type: expect.stringMatching(/idempotency-key-reused$/) });
  });
});

describe('troubles to order', () => {
  test('fail a share of requests, the same ones with the same seed', async () => {
    const pattern = async () => {
      await bank.faults({ failRate: 0.5, seed: 7, status: 500 });
      const statuses = [];
      for (let n = 0; n < 12; n++) statuses.push((await bank.request('/v1/customers/471920/cards')).status);
      return statuses;
    };
    const first = await pattern();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await pattern()).toEqual(first);
  });

  test('are not to be had without the flag', async () => {
    const child = spawn(process.execPath, [MAIN, '--port', '0', '--exit-with-parent'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const { listening } = JSON.parse(chunk.toString()) as { listening: string };
    expect((await fetch(`${listening}/_test/journal`)).status).toBe(404);
    const gone = once(child, 'exit');
    child.stdin.end();
    expect(await gone).toEqual([0, null]);
  });
});

describe('the process', () => {
  test('stops cleanly on SIGTERM, even while a request hangs', async () => {
    const own = await BankProcess.start();
    await own.faults({ hang: true });
    const hanging = own.request('/v1/customers/471920/cards').catch(() => 'cut off');
    await expect.poll(() => own.faults({ hang: true })).toBeDefined();
    expect(await own.stop()).toBe(0);
    expect(await hanging).toBe('cut off');
  });

  test('says in one line what is wrong with its options', async () => {
    const child = spawn(process.execPath, [MAIN, '--today', 'tomorrow'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said).toMatch(/^demo bank: --today tomorrow is not a date/);
  });
});

test('Ctrl-C in the terminal of a connector does not end the bank of the calls that still go on', async () => {
  const launch = new URL('../../src/demo-bank/launch.ts', import.meta.url);
  const program = `
    import { launchDemoBank } from '${launch}';
    process.on('SIGINT', () => undefined);
    const log = { error: (facts, message) => console.error(message) };
    const bank = await launchDemoBank({ apiKey: 'key', log });
    console.log(bank.url);
    process.stdin.resume().on('end', () => bank.close().then(() => process.exit(0)));
  `;
  const args = ['--input-type=module', '--eval', program];
  // A terminal's foreground process group.
  const child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
    process.kill(-child.pid!, 'SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(complaints).toBe('');
  } finally {
    const gone = once(child, 'exit');
    child.stdin.end();
    expect(await gone).toEqual([0, null]);
  }
});
