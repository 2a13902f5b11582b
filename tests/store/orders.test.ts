import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NewCampaign } from '../../src/call/campaigns/campaign.ts';
import { type ClaimedOrder, NO_RETRY, type RetryRule } from '../../src/call/orders/order.ts';
import type { NewOrder } from '../../src/call/orders/order-book.ts';
import { putBack, settle } from '../../src/call/orders/settle.ts';
import { openTestDatabase } from './support/database.ts';

const db = openTestDatabase();
const HOUR = 3_600_000;

async function connector(tenant: string, instanceId = 'one') {
  return db.store(tenant, { instanceId, spoolDir: `${db.spoolDir(tenant)}-${instanceId}` });
}

const AT_ONCE: RetryRule = { maxAttempts: 3, afterMinutes: { busy: 0, 'answering-machine': 0 } };

function newOrder(to: string, retry = NO_RETRY, idempotencyKey: string = randomUUID()): NewOrder {
  const now = Date.now();
  return {
    orderId: randomUUID(),
    idempotencyKey,
    fingerprint: `a call to ${to}`,
    request: { to, bot: 'reminder', variables: {}, retry },
    notBefore: new Date(now - 1000),
    notAfter: new Date(now + HOUR),
  };
}

function newCampaign(retry: RetryRule, fingerprint = 'new cards', idempotencyKey: string = randomUUID()): NewCampaign {
  const latest = new Date(Date.now() + HOUR).toISOString();
  return {
    campaignId: randomUUID(),
    name: 'New cards',
    settings: {
      bot: 'reminder',
      retry,
      callsPerMinute: 6000,
      concurrent: 10,
      latest,
      rejected: [],
      duplicates: [],
    },
    idempotencyKey,
    fingerprint,
  };
}

const busy = (order: ClaimedOrder) => settle(order, { outcome: 'busy', answered: false }, new Date(Date.now() - 1000));

describe('an order that somebody asks for back while it rings', () => {
  it.each([
    ['turns out busy in the same moment', busy, 'busy'],
    ['finds no room after all', (order: ClaimedOrder) => putBack(order, new Date(Date.now() - 1000), 0), 'cancelled'],
  ] as const)('and that %s is not dialled again, whatever its rule says', async (_what, become, outcome) => {
    const { orders } = await connector(db.tenant());
    const { orderId } = newOrder('+4930');
    const wanted = { ...newOrder('+4930', AT_ONCE), orderId };
    await orders.place(wanted);
    const claimed = (await orders.claim())!;
    expect((await orders.cancel(orderId))?.outcome).toBe('asked');
    expect(await orders.settle(claimed, become)).toMatchObject({ state: 'CANCELLED' });
    expect(await orders.get(orderId)).toMatchObject({ state: 'CANCELLED', outcome, nextAttemptAt: undefined });
    expect(await orders.claim()).toBeUndefined();
  });

  it('and that has been answered just before, by a machine, is over with that call', async () => {
    const { orders } = await connector(db.tenant());
    const { order } = await orders.place(newOrder('+4930', AT_ONCE));
    const claimed = (await orders.claim())!;
    await orders.cancel(order.orderId);
    await orders.answered(claimed);
    const machine = { outcome: 'answering-machine', answered: true, answeredBy: 'machine' } as const;
    await orders.settle(claimed, (one) => settle(one, machine, new Date()));
    expect(await orders.get(order.orderId)).toMatchObject({ state: 'DONE', outcome: 'answering-machine' });
    expect(await orders.claim()).toBeUndefined();
  });

  it('is dialled again by its rule where nobody asks for it back', async () => {
    const { orders } = await connector(db.tenant());
    await orders.place(newOrder('+4930', AT_ONCE));
    expect(await orders.settle((await orders.claim())!, busy)).toMatchObject({ state: 'QUEUED' });
    expect((await orders.claim())?.attempts).toHaveLength(2);
  });
});

/** A campaign of one number whose call is being dialled. */
async function dialling() {
  const store = await connector(db.tenant());
  const campaign = newCampaign(AT_ONCE);
  const { campaignId } = await store.campaigns.create(campaign, [{ line: 2, number: '+4940', variables: {} }]);
  expect(await store.campaigns.feed(new Date(), () => new Date(Date.now() + HOUR))).toBe(1);
  const claimed = (await store.orders.claim())!;
  return { orders: store.orders, campaigns: store.campaigns, campaignId, claimed };
}

describe('a campaign that is paused', () => {
  it('dials nobody again who was busy, until it goes on', async () => {
    const { orders, campaigns, campaignId, claimed } = await dialling();
    expect(await campaigns.move(campaignId, 'PAUSED')).toBe(true);
    expect(await orders.settle(claimed, busy)).toMatchObject({ state: 'QUEUED' });
    expect(await orders.claim()).toBeUndefined();
    // Who is not of it is called meanwhile, though they came later.
    await orders.place(newOrder('+4930'));
    expect((await orders.claim())?.request.to).toBe('+4930');
    expect(await campaigns.move(campaignId, 'RUNNING')).toBe(true);
    expect((await orders.claim())?.request.to).toBe('+4940');
  });

  it('in the second in which somebody picks up: they talk, and it is told what became of it', async () => {
    const { orders, campaigns, campaignId, claimed } = await dialling();
    const [paused, answered] = await Promise.all([campaigns.move(campaignId, 'PAUSED'), orders.answered(claimed)]);
    expect([paused, answered]).toEqual([true, true]);
    await orders.settle(claimed, (one) => settle(one, { outcome: 'callee-hangup', answered: true }, new Date()));
    expect(await campaigns.get(campaignId)).toMatchObject({ state: 'PAUSED', waiting: 0, orders: { DONE: 1 } });
    expect(await campaigns.results(campaignId)).toMatchObject([
      { state: 'DONE', outcome: 'callee-hangup', attempts: 1 },
    ]);
  });
});

describe('a campaign that is cancelled', () => {
  it('lets who talks talk on, and calls nobody again for whom a machine has answered', async () => {
    const { orders, campaigns, campaignId, claimed } = await dialling();
    await orders.answered(claimed);
    expect(await campaigns.move(campaignId, 'CANCELLED')).toBe(true);
    expect(await orders.cancelRequests()).toEqual([]);
    const machine = { outcome: 'answering-machine', answered: true, answeredBy: 'machine' } as const;
    await orders.settle(claimed, (one) => settle(one, machine, new Date(Date.now() - 1000)));
    expect(await orders.claim()).toBeUndefined();
    expect(await campaigns.get(campaignId)).toMatchObject({ state: 'CANCELLED', orders: { DONE: 1 } });
  });
});

describe('one key for two different things, sent to two connectors in the same moment', () => {
  it('stands for one of them, and the other is refused', async () => {
    const tenant = db.tenant();
    const [one, other] = await Promise.all([connector(tenant, 'one'), connector(tenant, 'other')]);
    for (let round = 0; round < 15; round++) {
      const key = `key-${round}`;
      const orders = await Promise.allSettled([
        one.orders.place(newOrder('+4930', NO_RETRY, key)),
        other.orders.place(newOrder('+4940', NO_RETRY, key)),
      ]);
      const campaigns = await Promise.allSettled([
        one.campaigns.create(newCampaign(NO_RETRY, 'these', key), [{ line: 2, number: '+4930', variables: {} }]),
        other.campaigns.create(newCampaign(NO_RETRY, 'those', key), [{ line: 2, number: '+4940', variables: {} }]),
      ]);
      for (const both of [orders, campaigns] as PromiseSettledResult<{ repeated: boolean }>[][]) {
        const made = both.flatMap((made) => (made.status === 'fulfilled' ? made.value.repeated : []));
        const refused = both.flatMap((made) => (made.status === 'rejected' ? made.reason : []));
        expect(made).toEqual([false]);
        expect(refused).toMatchObject([{ code: 'idempotency-key-reused', blame: 'caller' }]);
      }
    }
    expect((await one.orders.list({ limit: 100 })).orders).toHaveLength(15);
  });
});
