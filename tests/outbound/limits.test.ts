import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { Gateway } from '../../src/frontends/outbound/gateway.ts';
import { GatewayDesk } from '../../src/frontends/outbound/gateway-desk.ts';
import { eventually, openTestDatabase } from '../store/support/database.ts';

const db = openTestDatabase();

/** A connector's desk over the database all share; `stop` as a process stops, `die` as one that is killed. */
async function connector(tenant: string, instanceId: string) {
  const spoolDir = `${db.spoolDir(tenant)}-${instanceId}`;
  // A machine that others keep busy is no database that is away.
  const store = await db.store(tenant, { instanceId, spoolDir, countWithinMs: 20_000 });
  const desk = new GatewayDesk({ counter: store.dials, clock: systemClock, log: silentLogger });
  return { store, desk, stop: () => store.close() };
}

const gateway = (limits: Partial<Gateway['limits']>) => ({
  name: 'carrier',
  limits: {
    calls: 1000,
    callsPerSecond: 1000,
    burst: undefined,
    callsPerDay: 1000,
    callsPerNumberPerDay: 1000,
    prefixes: [],
    ...limits,
  },
});

const NUMBER = '+4930123';
const begun = (outcome: unknown) => typeof outcome === 'function';

describe('what may be dialled by a gateway', () => {
  it('is counted for all connectors: who comes at the same moment does not get the last place twice', async () => {
    const tenant = db.tenant();
    const [one, other] = await Promise.all([connector(tenant, 'one'), connector(tenant, 'other')]);
    const carrier = gateway({ callsPerDay: 7 });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? one : other).desk.begin(carrier, `${NUMBER}${i}`)),
    );
    expect(outcomes.filter(begun)).toHaveLength(7);
    expect(new Set(outcomes.filter((outcome) => !begun(outcome)))).toEqual(new Set(['day']));
    expect([...(await one.store.dials.counts())]).toEqual([['carrier', { calls: 7, callsToday: 7 }]]);
  });

  it.each([
    ['at once', { calls: 1 }, 'calls'],
    ['in a day', { callsPerDay: 1 }, 'day'],
    ['to one number', { callsPerNumberPerDay: 1 }, 'number'],
    ['in a second', { callsPerSecond: 0.001, burst: 1 }, 'rate'],
    ['to a prefix at once', { prefixes: [{ prefix: '+49', calls: 1 }] }, 'prefix'],
    ['to a prefix in a day', { prefixes: [{ prefix: '+49', callsPerDay: 1 }] }, 'prefix'],
  ] as [string, Partial<Gateway['limits']>, string][])('%s has a limit', async (_what, limits, limit) => {
    const tenant = db.tenant();
    const one = await connector(tenant, 'one');
    expect(begun(await one.desk.begin(gateway(limits), NUMBER))).toBe(true);
    expect(await one.desk.begin(gateway(limits), NUMBER)).toBe(limit);
    const another = limits.prefixes ? '+33100' : `${NUMBER}4`;
    const other = await one.desk.begin(gateway(limits), another);
    expect(begun(other)).toBe(['number', 'prefix'].includes(limit));
  });

  it('stays counted when a connector is started anew, and calls that died with it are no longer under way', async () => {
    const tenant = db.tenant();
    const carrier = gateway({ calls: 3, callsPerDay: 5 });
    const one = await connector(tenant, 'one');
    for (let i = 0; i < 3; i++) await one.desk.begin(carrier, NUMBER);
    expect(await one.desk.begin(carrier, NUMBER)).toBe('calls');
    await one.stop();
    const again = await connector(tenant, 'one');
    for (let i = 0; i < 2; i++) expect(begun(await again.desk.begin(carrier, NUMBER))).toBe(true);
    expect(await again.desk.begin(carrier, NUMBER)).toBe('day');
    await again.store.cleanUp(new Date());
    expect([...(await again.store.dials.counts())]).toEqual([['carrier', { calls: 2, callsToday: 5 }]]);
  });

  it('is never more than a limit allows, whatever two connectors dial and end at the same time, and though one is killed', async () => {
    const most = { calls: 4, callsPerDay: 14, callsPerNumberPerDay: 6, prefixes: [{ prefix: '+491', calls: 2 }] };
    const carrier = gateway(most);
    const numbers = ['+4911', '+4912', '+493'];
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ does: fc.constant('dial'), who: fc.nat(1), number: fc.constantFrom(...numbers) }),
      },
      { weight: 4, arbitrary: fc.record({ does: fc.constant('end'), who: fc.nat(1), number: fc.constant('') }) },
    );
    const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 3, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(rounds, fc.nat(6), async (all, killedIn) => {
        const tenant = db.tenant();
        const two = await Promise.all([connector(tenant, 'one'), connector(tenant, 'other')]);
        /** What is really going on, by connector. */
        const live: { number: string; end: () => void }[][] = [[], []];
        const dialled: string[] = [];
        for (const [n, round] of all.entries()) {
          if (n === killedIn) {
            // Its calls die with it, and nobody has written down that they have.
            live[0] = [];
            await two[0]!.stop();
            two[0] = await connector(tenant, 'one');
          }
          await Promise.all(
            round.map(async ({ does, who, number }) => {
              if (does === 'end') {
                live[who]!.pop()?.end();
                return;
              }
              const outcome = await two[who]!.desk.begin(carrier, number);
              if (typeof outcome !== 'function') return;
              live[who]!.push({ number, end: outcome });
              dialled.push(number);
            }),
          );
          const up = live.flat();
          expect(up.length).toBeLessThanOrEqual(most.calls);
          expect(up.filter(({ number }) => number.startsWith('+491')).length).toBeLessThanOrEqual(2);
        }
        expect(dialled.length).toBeLessThanOrEqual(most.callsPerDay);
        for (const number of numbers) {
          expect(dialled.filter((one) => one === number).length).toBeLessThanOrEqual(most.callsPerNumberPerDay);
        }
        expect((await two[1]!.store.dials.counts()).get('carrier')?.callsToday ?? 0).toBe(dialled.length);
        for (const one of two) await one.stop();
      }),
      { numRuns: 8 },
    );
  });

  it('is free again when a call is over', async () => {
    const tenant = db.tenant();
    const [one, other] = await Promise.all([connector(tenant, 'one'), connector(tenant, 'other')]);
    const carrier = gateway({ calls: 1 });
    const end = await one.desk.begin(carrier, NUMBER);
    expect(await other.desk.begin(carrier, NUMBER)).toBe('calls');
    (end as () => void)();
    await eventually('the place is free', async () => begun(await other.desk.begin(carrier, NUMBER)));
  });

  it('cannot be known while the database is away: orders wait, a caller on the line is put through by own count', async () => {
    const tenant = db.tenant();
    const one = await connector(tenant, 'one');
    const carrier = gateway({ callsPerDay: 3 });
    expect(begun(await one.desk.begin(carrier, NUMBER))).toBe(true);
    // Counts are committed without waiting for the disk: a crash may cost those of the last half second.
    await db.admin('CHECKPOINT');
    await db.kill();
    expect(await one.desk.begin(carrier, NUMBER)).toBe('uncounted');
    expect(begun(await one.desk.begin(carrier, NUMBER, 'own-count'))).toBe(true);
    expect(begun(await one.desk.begin(carrier, NUMBER, 'own-count'))).toBe(true);
    expect(await one.desk.begin(carrier, NUMBER, 'own-count')).toBe('day');
    await db.postgres.start();
    // What was dialled meanwhile counts in the end, for all.
    await eventually('all are counted', async () => {
      const counts = await one.store.dials.counts().catch(() => undefined);
      return counts?.get('carrier')?.callsToday === 3;
    });
    expect(await one.desk.begin(carrier, NUMBER)).toBe('day');
  });

  it('when the database is restarted in the middle of counting a call, that call is not dialled and holds no place', async () => {
    const tenant = db.tenant();
    const one = await connector(tenant, 'one');
    const carrier = gateway({ calls: 1 });
    const first = (await one.desk.begin(carrier, NUMBER)) as () => void;
    first();
    await eventually('the place is free', async () => (await one.store.dials.counts()).get('carrier')?.calls === 0);
    // Somebody else counts a call of the gateway, and takes long.
    const slow = new pg.Client({ connectionString: db.postgres.adminConnectionString });
    slow.on('error', () => undefined);
    await slow.connect();
    await slow.query('BEGIN');
    await slow.query('SELECT 1 FROM dial_rates WHERE tenant_id = $1 FOR UPDATE', [tenant]);
    const counting = one.desk.begin(carrier, NUMBER);
    await eventually('it waits for the other', async () => {
      const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%begin_dial%'`;
      return (await db.admin(waits)).length === 1;
    });
    await db.admin('CHECKPOINT');
    await db.kill();
    expect(await counting).toBe('uncounted');
    await db.postgres.start();
    await eventually('the next is dialled', async () => begun(await one.desk.begin(carrier, NUMBER)));
    expect((await one.store.dials.counts()).get('carrier')).toEqual({ calls: 1, callsToday: 2 });
    await slow.end().catch(() => undefined);
  });
});
