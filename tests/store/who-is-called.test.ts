import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { NO_RETRY, type OrderRequest } from '../../src/call/orders/order.ts';
import { openTestDatabase } from './support/database.ts';

const db = openTestDatabase();
const HOUR = 3_600_000;

const orderFor = (to: string) => {
  const request: OrderRequest = {
    to,
    bot: 'caller',
    purpose: undefined,
    variables: {},
    gateway: undefined,
    ringMs: undefined,
    onMachine: undefined,
    retry: NO_RETRY,
  };
  const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + HOUR)];
  return { orderId: randomUUID(), idempotencyKey: randomUUID(), fingerprint: 'f', request, notBefore, notAfter };
};

it.each([
  ['+4940888', '+4940888', true],
  ['+4940888', '004940888', true],
  ['004940888', '+4940888', true],
  ['+4940888', '4940888', true],
  ['+14155550100', '01114155550100', true],
  ['+4940888', 'sip:+4940888@gateway.example', true],
  ['+4940888', 'sips:+49-40%2D888;ext=1@gateway.example:5061', true],
  ['+4940888', '+4940889', false],
  ['+4940888', 'sip:anna@gateway.example', false],
  ['+4940888', 'sip:%zz@[nowhere', false],
])('who must not be called as %s is not called as %s: %s', async (barred, to, refused) => {
  const store = await db.store(db.tenant());
  await store.campaigns.bar(barred, 'asked us');
  await store.orders.place(orderFor(to));
  expect(await store.orders.claim()).toMatchObject({ request: { to }, barred: refused });
});

it('a campaign calls though more than are looked at in one go wait for their hours or for their last answers', async () => {
  const store = await db.store(db.tenant());
  const settings = {
    bot: 'caller',
    retry: NO_RETRY,
    callsPerMinute: 6000,
    concurrent: 1,
    latest: new Date(Date.now() + HOUR).toISOString(),
    rejected: [],
    duplicates: [],
  };
  const create = (hours: string, number: string) =>
    store.campaigns.create(
      {
        campaignId: randomUUID(),
        name: hours,
        settings: { ...settings, hours },
        idempotencyKey: randomUUID(),
        fingerprint: 'f',
      },
      [{ line: 2, number, variables: {} }],
    );
  const until = ({ hours }: { hours?: string | undefined }) =>
    hours === 'open' ? new Date(Date.now() + HOUR) : undefined;
  for (let i = 0; i < 45; i++) await create('closed', `+49409${i}`);
  await create('open', '+4940777');
  let made = 0;
  for (let look = 0; look < 5; look++) made += await store.campaigns.feed(new Date(), until);
  expect(made).toBe(1);
  expect(await store.orders.claim()).toMatchObject({ request: { to: '+4940777' }, barred: false });
});
