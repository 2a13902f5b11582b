import { randomUUID } from 'node:crypto';
import type { CallToCount, DialCounter, GatewayCount } from '../../call/dial-counter.ts';
import { type Ceiling, ceilingsOf, type DialLimit, prefixesOf } from '../../call/dial-limits.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { rateOf } from '../../core/token-bucket.ts';
import { CommitUncertain, type Database, type Transaction } from './database.ts';
import { OF_A_DEAD_RUN, STALE_HEARTBEAT } from './maintenance.ts';
import { awayFailure, describeSqlError, troubleOf } from './sql-errors.ts';

export interface PostgresDialCounterOptions {
  /** Where calls are counted: of its own, so that none waits behind what is written of others. */
  counting: Database;
  /** For the rest, which nobody waits for. */
  database: Database;
  instanceId: string;
  run: string;
  log: Logger;
  /** Between tries to write down what could not be. Default 1 s. */
  againMs?: Ms;
  /** How long somebody waits for a call to be counted, before it cannot be. Default 1.5 s. */
  beginMs?: Ms | undefined;
}

const BEGIN_TIMEOUT_MS: Ms = 1500;
const TIMEOUT_MS: Ms = 4000;
/**
 * How often the connection that counts is used, so that it is there, and knows what to do, when a call comes: sooner than the
 * pool gives up an idle one, or somebody on the way forgets it.
 */
const WARM_MS: Ms = 15_000;
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
  #warming: NodeJS.Timeout | undefined;

  constructor(options: PostgresDialCounterOptions) {
    this.#o = options;
  }

  prepare(): void {
    if (this.#closed || this.#warming !== undefined) return;
    this.#warming = setInterval(() => void this.#rehearse(), WARM_MS);
    this.#warming.unref();
    void this.#rehearse();
  }

  async begin(call: CallToCount): Promise<(() => void) | DialLimit> {
    const dialId = randomUUID();
    const end = () => this.#owe((tx) => tx.query('DELETE FROM dials_under_way WHERE dial_id = $1', [dialId]));
    try {
      const { counting } = this.#o;
      const { rows } = await counting.call<{ stands: DialLimit | null }>(BEGIN, this.#facts(dialId, call), this.#terms);
      return rows[0]?.stands ?? end;
    } catch (error) {
      // It may stand, and nothing is dialled for it.
      if (error instanceof CommitUncertain) end();
      throw away(error);
    }
  }

  /** Limits bear it to miss the calls of half a second in which the server crashed; who waits for each call does not. */
  get #terms() {
    return { timeoutMs: this.#o.beginMs ?? BEGIN_TIMEOUT_MS, unflushed: true };
  }

  /** What begin_dial asks for. */
  #facts(dialId: string, call: CallToCount): unknown[] {
    const { instanceId, run } = this.#o;
    const { gateway, number, limits } = call;
    const ceilings = ceilingsOf(limits, number);
    const { burst } = rateOf(limits.callsPerSecond, limits.burst);
    return [
      ...[instanceId, run, STALE_HEARTBEAT, dialId, gateway, number, keysToCount(call)],
      ...[ceilings.map(({ limit }) => limit), ceilings.map(({ counts }) => counts)],
      ...[ceilings.map(countedBy), ceilings.map(({ most }) => most), burst, limits.callsPerSecond],
    ];
  }

  /** A call by a gateway that nobody has, taken back. Quiet while the database is away: then there is nothing to prepare. */
  async #rehearse(): Promise<void> {
    const limits = { calls: 1, callsPerSecond: 1, callsPerDay: 1, callsPerNumberPerDay: 1, prefixes: [] };
    const nobody = { gateway: `rehearsal ${this.#o.run}`, number: '0', limits };
    await this.#o.counting
      .rehearse(BEGIN, this.#facts(randomUUID(), nobody), this.#terms)
      .catch((error) => this.#o.log.debug(describeSqlError(error), 'counting of calls out is not prepared'));
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
    clearInterval(this.#warming);
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

/** migrations/0012_begin-dial.sql */
const BEGIN = 'begin_dial($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS stands';

/** $1 gateway, $2 keys */
const COUNT = `INSERT INTO dial_counts AS c (gateway, counted, hour, calls)
  SELECT $1, k.counted, date_trunc('hour', now(), 'UTC'), 1 FROM unnest($2::text[]) AS k(counted)
  ON CONFLICT (tenant_id, gateway, counted, hour) DO UPDATE SET calls = c.calls + 1`;

/** What stands in the rows that a ceiling looks at. */
function countedBy({ counts, to }: Ceiling): string {
  if ('number' in to) return numberKey(to.number);
  if (counts === 'under way') return to.prefix;
  return to.prefix === '' ? ALL : prefixKey(to.prefix);
}

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
