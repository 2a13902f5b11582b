import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddedPostgres } from '../../src/store/postgres/embedded.ts';
import type { Connector } from '../support/connector.ts';
import type { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { openPostgres } from '../support/postgres.ts';
import { isOver, type Order, order, orderOnce, request, Town } from './town.ts';

const ORDERS = 200;
const town = new Town();
const folder = mkdtempSync(join(tmpdir(), 'outbound-db-'));
let postgres: EmbeddedPostgres;
let busy: AnsweringPhone;
let ringing: AnsweringPhone;
let scarce: AnsweringPhone;
let env: Record<string, string>;
let first: Connector;
let second: Connector;

beforeAll(async () => {
  postgres = await openPostgres(join(folder, 'postgres'));
  busy = await town.exchange('+4920', { refuse: { status: 486, reason: 'Busy Here' } });
  ringing = await town.phone('+49300', { ringMs: Number.POSITIVE_INFINITY });
  scarce = await town.exchange('+4977', { refuse: { status: 486, reason: 'Busy Here' } }, 'callsPerDay: 6');
  env = { DATABASE_URL: postgres.connectionString, OUTBOUND_CALLS_PER_SECOND: '60', BOT_PROFILE: 'silent' };
  [first, second] = await Promise.all([
    town.connector({ ...env, INSTANCE_ID: 'first' }),
    town.connector({ ...env, INSTANCE_ID: 'second' }),
  ]);
});
afterAll(async () => {
  await town.close();
  await postgres.close();
  await rm(folder, { recursive: true, force: true });
});

/** How often each number was dialled, by the phone that was. */
function dialled(): Map<string, number> {
  const times = new Map<string, number>();
  for (const { invite } of busy.calls) {
    const number = /^sip:([^@]+)@/.exec(invite.uri)?.[1] ?? invite.uri;
    times.set(number, (times.get(number) ?? 0) + 1);
  }
  return times;
}

async function all(connector: Connector): Promise<Order[]> {
  const orders: Order[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page: { orders: Order[]; nextCursor: string | null } = await connector.api(
      `/api/v1/orders?limit=200${query}`,
    );
    orders.push(...page.orders);
    cursor = page.nextCursor;
  }
  return orders;
}

describe('nobody is called twice for one order', () => {
  it('by two connectors that are told of each of 200 orders, while the database dies under them', async () => {
    const numbers = Array.from({ length: ORDERS }, (_, i) => `+4920${String(i).padStart(4, '0')}`);
    /** Until it is taken: a client repeats what was not answered, with the same key, here or there. */
    const place = async (to: string, index: number) => {
      for (let tries = 0; tries < 100; tries++) {
        const connector = (index + tries) % 2 === 0 ? first : second;
        const body = { to, bot: 'caller', variables: { name: 'Anna' }, retry: { maxAttempts: 1, afterMinutes: {} } };
        const answer = await request(connector, 'POST', '/calls', body, { 'idempotency-key': to }).catch(
          () => undefined,
        );
        if (answer?.status === 202) return;
        await sleep(200);
      }
      throw new Error(`${to} was never taken`);
    };
    let killed = false;
    for (let at = 0; at < ORDERS; at += 20) {
      await Promise.all(numbers.slice(at, at + 20).flatMap((to, i) => [place(to, at + i), place(to, at + i + 1)]));
      if (at >= ORDERS / 2 && !killed) {
        killed = true;
        process.kill(postgres.pid!, 'SIGKILL');
      }
    }
    await expect
      .poll(async () => (await all(first).catch(() => [])).filter(isOver).length, { timeout: 60_000, interval: 500 })
      .toBe(ORDERS);
    const orders = await all(second);
    expect(orders).toHaveLength(ORDERS);
    expect(new Set(orders.map(({ outcome }) => outcome))).toEqual(new Set(['busy']));
    const times = dialled();
    expect([...times.keys()].sort()).toEqual(numbers);
    expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
  }, 150_000);

  it('when the connector that was dialling dies: the order is settled, the phone does not ring again', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'outbound-data-'));
    const mortal = await town.connector({ ...env, INSTANCE_ID: 'mortal', OUTBOUND_MAX_CALLS: '1' }, dataDir);
    // The others have no room, so that it is this one that dials.
    for (const connector of [first, second]) {
      await request(connector, 'POST', '/admission', { stop: true });
    }
    const placed = await order(mortal, {
      to: '+49300',
      bot: 'caller',
      variables: { name: 'A' },
      ringSeconds: 60,
      retry: { maxAttempts: 3, afterMinutes: { 'no-answer': 1 } },
    });
    await expect.poll(() => ringing.calls.length).toBe(1);
    mortal.process.kill('SIGKILL');
    await mortal.stop({ keepData: true });
    const again = await town.connector({ ...env, INSTANCE_ID: 'mortal' }, dataDir);
    const over = await orderOnce(again, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'FAILED', outcome: 'process-crashed' });
    await sleep(1500);
    expect(ringing.calls.length).toBe(1);
    await rm(dataDir, { recursive: true, force: true });
  });
});

describe('a limit of a gateway', () => {
  it('holds for two connectors together, and for the one that is started anew in the middle', async () => {
    for (const connector of [first, second]) await request(connector, 'POST', '/admission', { stop: false });
    const call = (connector: Connector, to: string) =>
      order(connector, { to, bot: 'caller', variables: { name: 'A' }, retry: { maxAttempts: 1, afterMinutes: {} } });
    for (let i = 0; i < 4; i++) await call(i % 2 === 0 ? first : second, `+49770${i}`);
    await expect.poll(() => scarce.calls.length).toBe(4);
    const third = await town.connector({ ...env, INSTANCE_ID: 'third' });
    for (const connector of [first, second]) await request(connector, 'POST', '/admission', { stop: true });
    const placed = await Promise.all(Array.from({ length: 5 }, (_, i) => call(third, `+49771${i}`)));
    await expect.poll(() => scarce.calls.length).toBe(6);
    // What is left waits for the next day; nothing of it is lost, or dialled.
    await expect
      .poll(async () => {
        const now = await Promise.all(placed.map(({ orderId }) => third.api<Order>(`/api/v1/orders/${orderId}`)));
        return now.filter(({ state, nextAttemptAt }) => state === 'QUEUED' && nextAttemptAt !== null).length;
      })
      .toBe(3);
    expect(scarce.calls.length).toBe(6);
    const { body } = await request(third, 'GET', '/gateways');
    expect(body).toMatchObject({ counted: 'everywhere' });
    expect((body as { gateways: { callsToday: number }[] }).gateways.map(({ callsToday }) => callsToday)).toContain(6);
  });
});
