import { randomUUID } from 'node:crypto';
import type {
  CallOrder,
  ClaimedOrder,
  OrderAttempt,
  OrderOutcome,
  OrderRequest,
  OrderState,
} from '../../call/orders/order.ts';
import type { CancelOutcome, NewOrder, OrderBook, OrderQuery } from '../../call/orders/order-book.ts';
import { type Settlement, settle } from '../../call/orders/settle.ts';
import { spellingsOf } from '../../call/orders/spellings.ts';
import type { EndCause } from '../../call/record/outcome.ts';
import type { Clock, Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { fromCursor, MAX_PAGE, POSITION_TIME, toCursor, UUID } from './call-query.ts';
import { CommitUncertain, type Database, type Transaction } from './database.ts';
import { keyReused } from './idempotency.ts';
import { OF_A_DEAD_RUN } from './maintenance.ts';
import { awayFailure, troubleOf } from './sql-errors.ts';

export interface PostgresOrdersOptions {
  database: Database;
  instanceId: string;
  run: string;
  clock: Clock;
}

interface OrderRow {
  order_id: string;
  idempotency_key: string;
  fingerprint: string;
  request: OrderRequest;
  not_after: Date;
  state: OrderState;
  outcome: OrderOutcome | null;
  attempts: OrderAttempt[];
  next_attempt_at: Date | null;
  cancel_requested: boolean;
  claim_id: string | null;
  created_at: Date;
  ended_at: Date | null;
}

const TIMEOUT_MS: Ms = 4000;
const COLUMNS = `o.order_id, o.idempotency_key, o.fingerprint, o.request, o.not_after, o.state, o.outcome, o.attempts,
  o.next_attempt_at, o.cancel_requested, o.claim_id, o.created_at, o.ended_at`;
/** Claims whose commit was never confirmed; more than a few would mean that nothing is confirmed at all. */
const MAX_UNCERTAIN = 100;

/** The order book in Postgres. */
export class PostgresOrders implements OrderBook {
  readonly #o: PostgresOrdersOptions;
  /** Claims that may stand though nothing was dialled for them: taken back before the next one. */
  readonly #uncertain = new Set<string>();

  constructor(options: PostgresOrdersOptions) {
    this.#o = options;
  }

  async place({ orderId, idempotencyKey, fingerprint, request, notBefore, notAfter }: NewOrder) {
    return this.#write(async (tx) => {
      const added = await tx.query<OrderRow>(
        `INSERT INTO call_orders AS o (order_id, idempotency_key, fingerprint, destination, bot, request, not_after, state,
           next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'QUEUED', $8)
         ON CONFLICT (tenant_id, idempotency_key) DO NOTHING RETURNING ${COLUMNS}`,
        [orderId, idempotencyKey, fingerprint, request.to, request.bot, JSON.stringify(request), notAfter, notBefore],
      );
      if (added.rows[0]) return { order: toOrder(added.rows[0]), repeated: false };
      return (await earlier(tx, { idempotencyKey, fingerprint }))!;
    });
  }

  async earlier(asked: Pick<NewOrder, 'idempotencyKey' | 'fingerprint'>) {
    return this.#write((tx) => earlier(tx, asked));
  }

  async get(orderId: string): Promise<CallOrder | undefined> {
    if (!UUID.test(orderId)) return undefined;
    return this.#write(async (tx) => {
      const { rows } = await tx.query<OrderRow>(`SELECT ${COLUMNS} FROM call_orders o WHERE o.order_id = $1`, [
        orderId,
      ]);
      return rows[0] && toOrder(rows[0]);
    });
  }

  async list(query: OrderQuery): Promise<{ orders: CallOrder[]; nextCursor: string | undefined }> {
    const limit = Math.max(1, Math.min(MAX_PAGE, Math.floor(query.limit)));
    const values: unknown[] = [];
    const clauses = [`o.tenant_id = current_setting('app.tenant_id')`];
    const add = (clause: (p: string) => string, value: unknown) => {
      values.push(value);
      clauses.push(clause(`$${values.length}`));
    };
    if (query.state !== undefined) add((p) => `o.state = ${p}`, query.state);
    if (query.to !== undefined) add((p) => `o.destination = ${p}`, query.to);
    if (query.cursor !== undefined) {
      const { startMicros, sessionId } = fromCursor(query.cursor);
      values.push(startMicros, sessionId);
      const at = POSITION_TIME(`$${values.length - 1}`);
      clauses.push(`o.created_at <= ${at} AND (o.created_at < ${at} OR o.order_id > $${values.length}::uuid)`);
    }
    const rows = await this.#write(async (tx) => {
      const page = await tx.query<OrderRow & { micros: string }>(
        `SELECT ${COLUMNS}, (extract(epoch FROM o.created_at) * 1000000)::bigint::text AS micros FROM call_orders o
         WHERE ${clauses.join(' AND ')} ORDER BY o.created_at DESC, o.order_id LIMIT ${limit + 1}`,
        values,
      );
      return page.rows;
    });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const more = rows.length > limit && last !== undefined;
    return {
      orders: shown.map(toOrder),
      nextCursor: more ? toCursor({ startMicros: last.micros, sessionId: last.order_id }) : undefined,
    };
  }

  async cancel(orderId: string): Promise<{ order: CallOrder; outcome: CancelOutcome } | undefined> {
    if (!UUID.test(orderId)) return undefined;
    return this.#write(async (tx) => {
      const { rows } = await tx.query<OrderRow>(
        `SELECT ${COLUMNS} FROM call_orders o WHERE o.order_id = $1 FOR UPDATE`,
        [orderId],
      );
      const row = rows[0];
      if (row === undefined) return undefined;
      const change = async (sql: string) => {
        const changed = await tx.query<OrderRow>(
          `UPDATE call_orders o SET ${sql} WHERE o.order_id = $1 RETURNING ${COLUMNS}`,
          [orderId],
        );
        return toOrder(changed.rows[0]!);
      };
      switch (row.state) {
        case 'QUEUED': {
          const order = await change(
            `state = 'CANCELLED', outcome = 'cancelled', next_attempt_at = NULL, ended_at = clock_timestamp()`,
          );
          return { order, outcome: 'cancelled' };
        }
        case 'DIALLING':
          return { order: await change('cancel_requested = true'), outcome: 'asked' };
        case 'CANCELLED':
          return { order: toOrder(row), outcome: 'cancelled' };
        case 'TALKING':
          return { order: toOrder(row), outcome: 'talking' };
        default:
          return { order: toOrder(row), outcome: 'over' };
      }
    });
  }

  async claim(): Promise<ClaimedOrder | undefined> {
    const { instanceId, run } = this.#o;
    const claimId = randomUUID();
    const attempt = JSON.stringify([{ sessionId: randomUUID(), startedAt: this.#o.clock.wall().toISOString() }]);
    const takenBack = [...this.#uncertain];
    try {
      const claimed = await this.#write(async (tx) => {
        await takeBack(tx, takenBack);
        const { rows } = await tx.query<OrderRow>(
          `UPDATE call_orders AS o SET state = 'DIALLING', next_attempt_at = NULL, claim_id = $1, instance_id = $2, run_id = $3,
             attempts = o.attempts || $4::jsonb
           WHERE o.order_id = (SELECT x.order_id FROM call_orders x
             WHERE x.tenant_id = current_setting('app.tenant_id') AND x.state = 'QUEUED' AND x.next_attempt_at <= now()
               AND x.not_after > now() AND NOT EXISTS (SELECT 1 FROM campaign_numbers n
                 JOIN campaigns c ON c.tenant_id = n.tenant_id AND c.campaign_id = n.campaign_id
                 WHERE n.tenant_id = x.tenant_id AND n.order_id = x.order_id AND c.state = 'PAUSED')
             ORDER BY x.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING ${COLUMNS}`,
          [claimId, instanceId, run, attempt],
        );
        const row = rows[0];
        return row && { ...toOrder(row), claimId, barred: await isBarred(tx, row.request.to) };
      });
      for (const claim of takenBack) this.#uncertain.delete(claim);
      return claimed;
    } catch (error) {
      if (isUncertain(error) && this.#uncertain.size < MAX_UNCERTAIN) this.#uncertain.add(claimId);
      throw error;
    }
  }

  async answered({ orderId, claimId }: ClaimedOrder): Promise<boolean> {
    return this.#change(
      `UPDATE call_orders SET state = 'TALKING' WHERE order_id = $1 AND claim_id = $2
      AND state = 'DIALLING'`,
      [orderId, claimId],
    );
  }

  async settle(order: ClaimedOrder, become: (order: ClaimedOrder) => Settlement): Promise<Settlement | undefined> {
    const { orderId, claimId } = order;
    return this.#write(async (tx) => {
      // Whoever asks for it back in this moment is told that it will be given up: it must not be dialled again.
      for (const cancelRequested of [false, true]) {
        const settlement = become({ ...order, cancelRequested });
        const { rowCount } = await tx.query(`${SETTLE} AND claim_id = $6 AND cancel_requested = $7`, [
          ...settled(orderId, settlement),
          claimId,
          cancelRequested,
        ]);
        if (rowCount === 1) return settlement;
      }
      return undefined;
    });
  }

  async cancelRequests(): Promise<string[]> {
    const { instanceId, run } = this.#o;
    return this.#write(async (tx) => {
      const { rows } = await tx.query<{ order_id: string }>(
        `SELECT order_id FROM call_orders WHERE tenant_id = current_setting('app.tenant_id') AND instance_id = $1
           AND run_id = $2 AND state = 'DIALLING' AND cancel_requested`,
        [instanceId, run],
      );
      return rows.map((row) => row.order_id);
    });
  }

  async expire(): Promise<number> {
    return this.#write(async (tx) => {
      const { rowCount } = await tx.query(
        `UPDATE call_orders SET state = 'EXPIRED', outcome = 'expired', next_attempt_at = NULL, ended_at = clock_timestamp()
         WHERE order_id IN (SELECT order_id FROM call_orders WHERE tenant_id = current_setting('app.tenant_id')
           AND state = 'QUEUED' AND not_after <= now() LIMIT 500 FOR UPDATE SKIP LOCKED)`,
      );
      return rowCount ?? 0;
    });
  }

  async repair(): Promise<number> {
    const { instanceId, run, clock } = this.#o;
    return this.#write(async (tx) => {
      const { rows } = await tx.query<OrderRow & { end_cause: EndCause | null; answer_time: Date | null }>(
        `SELECT ${COLUMNS}, s.end_cause, s.answer_time FROM call_orders o
           LEFT JOIN call_sessions s ON s.tenant_id = o.tenant_id AND s.session_id = (o.attempts -> -1 ->> 'sessionId')::uuid
         WHERE o.order_id IN (SELECT x.order_id FROM call_orders x WHERE x.tenant_id = current_setting('app.tenant_id')
           AND x.state IN ('DIALLING', 'TALKING') AND (${OF_A_DEAD_RUN}) LIMIT 200 FOR UPDATE SKIP LOCKED)`,
        [instanceId, run],
      );
      for (const row of rows) {
        const order = toOrder(row);
        const outcome = row.end_cause ?? 'process-crashed';
        const answered = order.state === 'TALKING' || row.answer_time !== null;
        const settlement = settle(order, { outcome, answered }, clock.wall());
        await tx.query(SETTLE, settled(order.orderId, settlement));
      }
      return rows.length;
    });
  }

  async #change(sql: string, values: unknown[]): Promise<boolean> {
    return this.#write(async (tx) => ((await tx.query(sql, values)).rowCount ?? 0) > 0);
  }

  async #write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.#o.database.transaction(work, { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if ((error instanceof Failure && !isUncertain(error)) || troubleOf(error) === 'poison') throw error;
      throw awayFailure('the order book cannot be reached at the moment', 'orders-away', error);
    }
  }
}

const SETTLE = `UPDATE call_orders SET state = $2, outcome = $3, attempts = $4::jsonb, next_attempt_at = $5,
    claim_id = NULL, instance_id = NULL, run_id = NULL, cancel_requested = false,
    ended_at = CASE WHEN $2 = 'QUEUED' THEN NULL ELSE clock_timestamp() END
  WHERE order_id = $1 AND state IN ('DIALLING', 'TALKING')`;

function settled(orderId: string, { state, outcome, attempts, nextAttemptAt }: Settlement): unknown[] {
  return [orderId, state, outcome ?? null, JSON.stringify(attempts), nextAttemptAt ?? null];
}

async function isBarred(tx: Transaction, destination: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT 1 FROM do_not_call WHERE tenant_id = current_setting('app.tenant_id') AND number = ANY($1) LIMIT 1`,
    [spellingsOf(destination)],
  );
  return (rowCount ?? 0) > 0;
}

/** Nothing was dialled for a claim whose commit was not confirmed: the order goes back as it was, if it is still wanted. */
async function takeBack(tx: Transaction, claims: readonly string[]): Promise<void> {
  if (claims.length === 0) return;
  await tx.query(
    `UPDATE call_orders SET claim_id = NULL, instance_id = NULL, run_id = NULL, attempts = attempts - -1,
       state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE 'QUEUED' END,
       outcome = CASE WHEN cancel_requested THEN 'cancelled' END,
       next_attempt_at = CASE WHEN cancel_requested THEN NULL ELSE now() END,
       ended_at = CASE WHEN cancel_requested THEN clock_timestamp() END, cancel_requested = false
     WHERE claim_id = ANY($1::uuid[]) AND state = 'DIALLING'`,
    [claims],
  );
}

function isUncertain(error: unknown): boolean {
  return error instanceof CommitUncertain || (error instanceof Failure && error.cause instanceof CommitUncertain);
}

/** The order that a key stands for. */
async function earlier(tx: Transaction, asked: Pick<NewOrder, 'idempotencyKey' | 'fingerprint'>) {
  const { rows } = await tx.query<OrderRow>(
    `SELECT ${COLUMNS} FROM call_orders o WHERE o.tenant_id = current_setting('app.tenant_id') AND o.idempotency_key = $1`,
    [asked.idempotencyKey],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (row.fingerprint !== asked.fingerprint) throw keyReused('order');
  return { order: toOrder(row), repeated: true };
}

function toOrder(row: OrderRow): CallOrder {
  return {
    orderId: row.order_id,
    idempotencyKey: row.idempotency_key,
    request: row.request,
    notAfter: row.not_after,
    state: row.state,
    outcome: row.outcome ?? undefined,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at ?? undefined,
    cancelRequested: row.cancel_requested,
    createdAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
  };
}
