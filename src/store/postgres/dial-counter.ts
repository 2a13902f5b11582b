import { randomUUID } from 'node:crypto';
import type { CallToCount, DialCounter, GatewayCount } from '../../call/dial-counter.ts';
import { type Ceiling, ceilingsOf, type DialLimit, prefixesOf } from '../../call/dial-limits.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { rateOf } from '../../core/token-bucket.ts';
import { CommitUncertain, type Database, statementName, type Transaction } from './database.ts';
import { OF_A_DEAD_RUN } from './maintenance.ts';
import { awayFailure, describeSqlError, troubleOf } from './sql-errors.ts';

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
    // One journey to the server, for somebody waits to be dialled: what it answers is known when all is committed.
    const work = async (tx: Transaction) => ({ answer: take(tx, call, dialId, [instanceId, run]) });
    // Limits bear it to miss the calls of half a second in which the server crashed; who waits for each call does not.
    const options = { timeoutMs: BEGIN_TIMEOUT_MS, unflushed: true };
    try {
      const { answer } = await this.#o.database.transaction(work, options);
      const { rows } = await answer;
      return rows[0]?.stands ?? end;
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
       r.tokens + $3::float8 * greatest(0, extract(epoch FROM clock_timestamp() - r.filled_at)))`);

/** `gateway`, `keys`: names of parameters. `may`: a table that is empty when it must not count. */
const counting = (
  gateway: string,
  keys: string,
  may = '(SELECT) AS ever',
) => `INSERT INTO dial_counts AS c (gateway, counted, hour, calls)
  SELECT ${gateway}, k.counted, date_trunc('hour', now(), 'UTC'), 1 FROM unnest(${keys}::text[]) AS k(counted), ${may}
  ON CONFLICT (tenant_id, gateway, counted, hour) DO UPDATE SET calls = c.calls + 1`;

/**
 * Nothing where a limit stands; else the call is under way, has its token, and counts. $1, $2 this run, $3 gateway, $4 keys,
 * $5 dial, $6 number; of each ceiling $7 its limit, $8 what it counts, $9 of which prefix or key, $10 the most
 */
const TAKE = kept(`WITH limits AS (SELECT coalesce(
         (SELECT c.name
            FROM unnest($7::text[], $8::text[], $9::text[], $10::bigint[]) WITH ORDINALITY AS c(name, counts, of, most, place)
            WHERE c.most <= CASE c.counts
              WHEN 'today' THEN (SELECT coalesce(sum(d.calls), 0) FROM dial_counts d
                WHERE d.tenant_id = ${TENANT} AND d.gateway = $3 AND d.counted = c.of AND ${LAST_DAY})
              ELSE (SELECT count(*) FROM dials_under_way x
                WHERE x.tenant_id = ${TENANT} AND x.gateway = $3 AND starts_with(x.number, c.of) AND NOT (${OF_A_DEAD_RUN})) END
            ORDER BY c.place LIMIT 1),
         (SELECT 'rate' FROM dial_rates WHERE tenant_id = ${TENANT} AND gateway = $3 AND tokens < 1)) AS stands),
       may AS (SELECT FROM limits WHERE stands IS NULL),
       call AS (INSERT INTO dials_under_way (dial_id, gateway, number, instance_id, run_id) SELECT $5, $3, $6, $1, $2 FROM may),
       token AS (UPDATE dial_rates SET tokens = tokens - 1 FROM may WHERE tenant_id = ${TENANT} AND gateway = $3),
       counted AS (${counting('$3', '$4', 'may')})
     SELECT stands FROM limits`);

/** Resolves with the limit that keeps this call from being dialled, which then counts nowhere; null: none does. */
function take(
  tx: Transaction,
  call: CallToCount,
  dialId: string,
  run: [instanceId: string, run: string],
): Promise<{ rows: { stands: DialLimit | null }[] }> {
  const { gateway, number, limits } = call;
  const { burst } = rateOf(limits.callsPerSecond, limits.burst);
  tx.send(TOKENS.text, [gateway, burst, limits.callsPerSecond], TOKENS.name);
  // Not in one statement with that: what this one sees has to be seen under the lock of the gateway.
  const ceilings = ceilingsOf(limits, number);
  const facts = [
    ceilings.map(({ limit }) => limit),
    ceilings.map(({ counts }) => counts),
    ceilings.map(countedBy),
    ceilings.map(({ most }) => most),
  ];
  return tx.send(TAKE.text, [...run, gateway, keysToCount(call), dialId, number, ...facts], TAKE.name);
}

/** What stands in the rows that a ceiling looks at. */
function countedBy({ counts, to }: Ceiling): string {
  if ('number' in to) return numberKey(to.number);
  if (counts === 'under way') return to.prefix;
  return to.prefix === '' ? ALL : prefixKey(to.prefix);
}

const COUNT = counting('$1', '$2');

async function count(tx: Transaction, call: CallToCount): Promise<void> {
  await tx.query(COUNT, [call.gateway, keysToCount(call)]);
}

function keysToCount({ number, limits }: CallToCount): string[] {
  const prefixes = prefixesOf(limits, number).map(({ prefix }) => prefixKey(prefix));
  return [ALL, numberKey(number), ...new Set(prefixes)];
}

const numberKey = (number: string) => `number:${number}`;
const prefixKey = (prefix: string) => `prefix:${prefix}`;

function away(error: unknown): unknown {
  if (troubleOf(error) === 'poison') return error;
  return awayFailure('calls out cannot be counted at the moment', 'dial-counter-away', error);
}
