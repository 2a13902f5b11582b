import { randomUUID } from 'node:crypto';
import type { CallToCount, DialCounter, GatewayCount } from '../../call/dial-counter.ts';
import { type DialLimit, prefixesOf, standingLimit } from '../../call/dial-limits.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { rateOf } from '../../core/token-bucket.ts';
import { CommitUncertain, type Database, statementName, type Transaction } from './database.ts';
import { OF_A_DEAD_RUN } from './maintenance.ts';
import { awayFailure, describeSqlError, isLostStatement, troubleOf } from './sql-errors.ts';

export interface PostgresDialCounterOptions {
  database: Database;
  instanceId: string;
  run: string;
  log: Logger;
  /** Between tries to write down what could not be. Default 1 s. */
  againMs?: Ms;
}

/** Somebody waits to be dialled. */
const BEGIN_TIMEOUT_MS: Ms = 1500;
const TIMEOUT_MS: Ms = 4000;
/** What waits to be written down. When full, the oldest is given up: a call counts for too long, or not in its day. */
const MAX_OWED = 2000;
const TENANT = `current_setting('app.tenant_id')`;
/** With the one that runs there are 24 of them. */
const LAST_DAY = `hour > date_trunc('hour', now(), 'UTC') - interval '24 hours'`;
const ALL = 'all';

type Debt = (tx: Transaction) => Promise<unknown>;

/** What all connectors of a tenant dial, in Postgres. Whoever counts a call of a gateway holds the row of its rate. */
export class PostgresDialCounter implements DialCounter {
  readonly #o: PostgresDialCounterOptions;
  #owed: Debt[] = [];
  #paying: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PostgresDialCounterOptions) {
    this.#o = options;
  }

  async begin(call: CallToCount): Promise<(() => void) | DialLimit> {
    const { instanceId, run } = this.#o;
    const dialId = randomUUID();
    const end = () => this.#owe((tx) => tx.query('DELETE FROM dials_under_way WHERE dial_id = $1', [dialId]));
    const work = async (tx: Transaction) => {
      const stands = await standing(tx, call, [instanceId, run]);
      if (stands !== undefined) return stands;
      await take(tx, call, [dialId, instanceId, run]);
      return undefined;
    };
    // Limits bear it to miss the calls of half a second in which the server crashed; who waits for each call does not.
    const options = { timeoutMs: BEGIN_TIMEOUT_MS, unflushed: true };
    const { database } = this.#o;
    try {
      const limit = await database.transaction(work, options).catch((error: unknown) => {
        // A pooler gave us a connection that does not know our statements; from now on they are sent whole.
        if (isLostStatement(error)) return database.transaction(work, options);
        throw error;
      });
      return limit ?? end;
    } catch (error) {
      // It may stand, and nothing is dialled for it.
      if (error instanceof CommitUncertain) end();
      throw away(error);
    }
  }

  late(call: CallToCount): void {
    this.#owe((tx) => count(tx, call));
  }

  async counts(): Promise<Map<string, GatewayCount>> {
    const { database, instanceId, run } = this.#o;
    try {
      const { rows } = await database.transaction(
        (tx) =>
          tx.query<{ gateway: string; calls: number; today: number }>(
            `SELECT gateway, sum(calls) AS calls, sum(today) AS today FROM (
               SELECT gateway, 0 AS calls, sum(calls) AS today FROM dial_counts
                 WHERE tenant_id = ${TENANT} AND counted = '${ALL}' AND ${LAST_DAY} GROUP BY gateway
               UNION ALL SELECT x.gateway, count(*), 0 FROM dials_under_way x
                 WHERE x.tenant_id = ${TENANT} AND NOT (${OF_A_DEAD_RUN}) GROUP BY x.gateway) AS both_of_them
             GROUP BY gateway`,
            [instanceId, run],
          ),
        { timeoutMs: BEGIN_TIMEOUT_MS, readOnly: true },
      );
      return new Map(
        rows.map(({ gateway, calls, today }) => [gateway, { calls: Number(calls), callsToday: Number(today) }]),
      );
    } catch (error) {
      throw away(error);
    }
  }

  /** Forgets days that are over, and calls of connectors that have died. */
  async cleanUp(): Promise<void> {
    const { database, instanceId, run } = this.#o;
    await database.transaction(
      async (tx) => {
        await tx.query(`DELETE FROM dial_counts WHERE tenant_id = ${TENANT} AND NOT (${LAST_DAY})`);
        await tx.query(
          `DELETE FROM dials_under_way WHERE dial_id IN (SELECT x.dial_id FROM dials_under_way x
             WHERE x.tenant_id = ${TENANT} AND (${OF_A_DEAD_RUN}) FOR UPDATE SKIP LOCKED)`,
          [instanceId, run],
        );
      },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Writes down what it can; what is left of this run counts no more when the next one is up. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#paying;
    await this.#pay();
  }

  #owe(debt: Debt): void {
    if (this.#owed.length >= MAX_OWED) {
      this.#owed.shift();
      this.#o.log.warn({ most: MAX_OWED }, 'a call out stays counted, or was never: too many wait to be written down');
    }
    this.#owed.push(debt);
    if (this.#timer === undefined && !this.#closed) this.#soon(0);
  }

  #soon(ms: Ms): void {
    this.#timer = setTimeout(() => {
      this.#paying = this.#pay().then((paid) => {
        this.#timer = undefined;
        this.#paying = undefined;
        // What has come meanwhile is not kept waiting: a call that is over must not take another's place.
        if (this.#owed.length > 0 && !this.#closed) this.#soon(paid ? 0 : (this.#o.againMs ?? 1000));
      });
    }, ms);
    this.#timer.unref();
  }

  /** False: the database did not take it, and it is owed still. */
  async #pay(): Promise<boolean> {
    const debts = this.#owed;
    if (debts.length === 0) return true;
    this.#owed = [];
    try {
      await this.#o.database.transaction(
        async (tx) => {
          for (const debt of debts) await debt(tx);
        },
        { timeoutMs: TIMEOUT_MS, unflushed: true },
      );
      return true;
    } catch (error) {
      this.#o.log.debug(describeSqlError(error), 'ends of calls out are not written down yet');
      // Counted twice, where only the confirmation was lost, is the safe side of limits.
      this.#owed = [...debts, ...this.#owed].slice(-MAX_OWED);
      return false;
    }
  }
}

/** Somebody waits for these: the server keeps them and their plans. */
const kept = (text: string) => ({ text, name: statementName(text) });

/** $1 gateway, $2 burst, $3 tokens a second */
const TOKENS = kept(`INSERT INTO dial_rates AS r (gateway, tokens, filled_at) VALUES ($1, $2, clock_timestamp())
     ON CONFLICT (tenant_id, gateway) DO UPDATE SET filled_at = clock_timestamp(), tokens = least($2::float8,
       r.tokens + $3::float8 * greatest(0, extract(epoch FROM clock_timestamp() - r.filled_at)))
     RETURNING tokens`);

/** $1, $2 this run, $3 prefixes, $4 gateway, $5 what is counted */
const STANDING = kept(`SELECT 'now' AS what, p.prefix AS key, count(x.dial_id) AS calls
       FROM unnest($3::text[]) AS p(prefix) LEFT JOIN dials_under_way x
       ON x.tenant_id = ${TENANT} AND x.gateway = $4 AND starts_with(x.number, p.prefix) AND NOT (${OF_A_DEAD_RUN})
       GROUP BY p.prefix
     UNION ALL SELECT 'today', counted, sum(calls)::bigint FROM dial_counts
       WHERE tenant_id = ${TENANT} AND gateway = $4 AND counted = ANY($5::text[]) AND ${LAST_DAY} GROUP BY counted`);

/** The limit that keeps this call from being dialled; takes no token. Locks the gateway. */
async function standing(
  tx: Transaction,
  { gateway, number, limits }: CallToCount,
  run: [instanceId: string, run: string],
): Promise<DialLimit | undefined> {
  const { burst } = rateOf(limits.callsPerSecond, limits.burst);
  const bucket = await tx.query<{ tokens: number }>(TOKENS.text, [gateway, burst, limits.callsPerSecond], TOKENS.name);
  const names = prefixesOf(limits, number).map(({ prefix }) => prefix);
  // Not with the one before: what this one sees has to be seen under the lock.
  const { rows } = await tx.query<{ what: 'now' | 'today'; key: string; calls: number }>(
    STANDING.text,
    [...run, ['', ...names], gateway, keysOf(number, names)],
    STANDING.name,
  );
  const callsOf = (what: 'now' | 'today', key: string) =>
    Number(rows.find((row) => row.what === what && row.key === key)?.calls ?? 0);
  const now = (prefix: string) => callsOf('now', prefix);
  const today = (key: string) => callsOf('today', key);
  const stands = standingLimit(limits, number, {
    calls: now(''),
    today: today(ALL),
    toNumberToday: today(numberKey(number)),
    toPrefix: (prefix) => ({ calls: now(prefix), today: today(prefixKey(prefix)) }),
  });
  return stands ?? (bucket.rows[0]!.tokens < 1 ? 'rate' : undefined);
}

/** $1 gateway, $2 keys */
const COUNT = `INSERT INTO dial_counts AS c (gateway, counted, hour, calls)
  SELECT $1, counted, date_trunc('hour', now(), 'UTC'), 1 FROM unnest($2::text[]) AS k(counted)
  ON CONFLICT (tenant_id, gateway, counted, hour) DO UPDATE SET calls = c.calls + 1`;

/** $1 gateway, $2 keys, $3 dial, $4 number, $5, $6 this run */
const TAKE = kept(`WITH call AS (INSERT INTO dials_under_way (dial_id, gateway, number, instance_id, run_id)
                   VALUES ($3, $1, $4, $5, $6)),
          token AS (UPDATE dial_rates SET tokens = tokens - 1 WHERE tenant_id = ${TENANT} AND gateway = $1)
     ${COUNT}`);

/** The call is under way, has its token, and counts; one statement, since somebody waits to be dialled. */
async function take(
  tx: Transaction,
  call: CallToCount,
  [dialId, instanceId, run]: [dialId: string, instanceId: string, run: string],
): Promise<void> {
  const { gateway, number } = call;
  await tx.query(TAKE.text, [gateway, keysToCount(call), dialId, number, instanceId, run], TAKE.name);
}

async function count(tx: Transaction, call: CallToCount): Promise<void> {
  await tx.query(COUNT, [call.gateway, keysToCount(call)]);
}

function keysToCount({ number, limits }: CallToCount): string[] {
  return keysOf(
    number,
    prefixesOf(limits, number).map(({ prefix }) => prefix),
  );
}

const numberKey = (number: string) => `number:${number}`;
const prefixKey = (prefix: string) => `prefix:${prefix}`;

function keysOf(number: string, prefixes: readonly string[]): string[] {
  return [ALL, numberKey(number), ...new Set(prefixes.map(prefixKey))];
}

function away(error: unknown): unknown {
  if (troubleOf(error) === 'poison') return error;
  return awayFailure('calls out cannot be counted at the moment', 'dial-counter-away', error);
}
