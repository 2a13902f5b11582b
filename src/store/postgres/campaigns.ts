import { createHash, randomUUID } from 'node:crypto';
import {
  CAMPAIGN_MOVES,
  type CallingSettings,
  type Campaign,
  type CampaignBook,
  type CampaignResult,
  type CampaignSettings,
  type CampaignState,
  type NewCampaign,
} from '../../call/campaigns/campaign.ts';
import type { CampaignNumber } from '../../call/campaigns/numbers-csv.ts';
import type { OrderAttempt, OrderOutcome, OrderRequest, OrderState } from '../../call/orders/order.ts';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { UUID } from './call-query.ts';
import type { Database, Transaction } from './database.ts';
import { keyReused } from './idempotency.ts';
import { awayFailure, troubleOf } from './sql-errors.ts';

const TIMEOUT_MS: Ms = 5000;
/** A file of a hundred thousand numbers takes some seconds. */
const CREATE_TIMEOUT_MS: Ms = 25_000;
/** Campaigns that are looked at in one go. */
const FED_AT_ONCE = 20;
const TENANT = `current_setting('app.tenant_id')`;

interface CampaignRow {
  campaign_id: string;
  name: string;
  state: CampaignState;
  settings: CampaignSettings;
  created_at: Date;
  numbers: number;
  waiting: number;
  orders: Partial<Record<OrderState, number>> | null;
}

const CAMPAIGNS = `SELECT c.campaign_id, c.name, c.state, c.settings, c.created_at,
  (SELECT count(*) FROM campaign_numbers n WHERE n.tenant_id = c.tenant_id AND n.campaign_id = c.campaign_id) AS numbers,
  (SELECT count(*) FROM campaign_numbers n WHERE n.tenant_id = c.tenant_id AND n.campaign_id = c.campaign_id
     AND n.order_id IS NULL) AS waiting,
  (SELECT jsonb_object_agg(state, times) FROM (SELECT o.state, count(*) AS times FROM campaign_numbers n
     JOIN call_orders o ON o.tenant_id = n.tenant_id AND o.order_id = n.order_id
     WHERE n.tenant_id = c.tenant_id AND n.campaign_id = c.campaign_id GROUP BY o.state) AS counted) AS orders
  FROM campaigns c WHERE c.tenant_id = ${TENANT}`;

/** Campaigns and the do-not-call list in Postgres. */
export class PostgresCampaigns implements CampaignBook {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async create(
    { campaignId, name, settings, idempotencyKey, fingerprint }: NewCampaign,
    numbers: readonly CampaignNumber[],
  ): Promise<{ campaignId: string; repeated: boolean }> {
    return this.#do(async (tx) => {
      const added = await tx.query(
        `INSERT INTO campaigns (campaign_id, name, settings, state, idempotency_key, fingerprint)
         VALUES ($1, $2, $3, 'RUNNING', $4, $5) ON CONFLICT (tenant_id, idempotency_key) DO NOTHING`,
        [campaignId, name, JSON.stringify(settings), idempotencyKey, fingerprint],
      );
      if (added.rowCount === 0) {
        return (await earlier(tx, { idempotencyKey, fingerprint }))!;
      }
      await tx.query(
        `INSERT INTO campaign_numbers (campaign_id, line, number, variables)
         SELECT $1, line, number, variables FROM jsonb_to_recordset($2::jsonb) AS n(line integer, number text, variables jsonb)`,
        [campaignId, JSON.stringify(numbers)],
      );
      return { campaignId, repeated: false };
    }, CREATE_TIMEOUT_MS);
  }

  async earlier(asked: Pick<NewCampaign, 'idempotencyKey' | 'fingerprint'>) {
    return this.#do((tx) => earlier(tx, asked));
  }

  async get(campaignId: string): Promise<Campaign | undefined> {
    if (!UUID.test(campaignId)) return undefined;
    return this.#do(async (tx) => {
      const { rows } = await tx.query<CampaignRow>(`${CAMPAIGNS} AND c.campaign_id = $1`, [campaignId]);
      return rows[0] && toCampaign(rows[0]);
    });
  }

  async list(): Promise<Campaign[]> {
    return this.#do(async (tx) => {
      const { rows } = await tx.query<CampaignRow>(`${CAMPAIGNS} ORDER BY c.created_at DESC, c.campaign_id LIMIT 200`);
      return rows.map(toCampaign);
    });
  }

  async move(campaignId: string, to: CampaignState): Promise<boolean | undefined> {
    if (!UUID.test(campaignId)) return undefined;
    return this.#do(async (tx) => {
      const { rows } = await tx.query<{ state: CampaignState }>(
        'SELECT state FROM campaigns WHERE campaign_id = $1 FOR UPDATE',
        [campaignId],
      );
      const from = rows[0]?.state;
      if (from === undefined) return undefined;
      if (from === to) return true;
      if (!CAMPAIGN_MOVES[from].includes(to)) return false;
      await tx.query('UPDATE campaigns SET state = $2 WHERE campaign_id = $1', [campaignId, to]);
      if (to === 'CANCELLED') await takeBackOrders(tx, campaignId);
      return true;
    });
  }

  async results(campaignId: string): Promise<CampaignResult[]> {
    if (!UUID.test(campaignId)) return [];
    return this.#do(async (tx) => {
      const { rows } = await tx.query<{
        line: number;
        number: string;
        variables: Record<string, string>;
        order_id: string | null;
        state: OrderState | null;
        outcome: OrderOutcome | null;
        attempts: OrderAttempt[] | null;
        ended_at: Date | null;
      }>(
        `SELECT n.line, n.number, n.variables, n.order_id, o.state, o.outcome, o.attempts, o.ended_at FROM campaign_numbers n
           LEFT JOIN call_orders o ON o.tenant_id = n.tenant_id AND o.order_id = n.order_id
         WHERE n.tenant_id = ${TENANT} AND n.campaign_id = $1 ORDER BY n.line`,
        [campaignId],
      );
      return rows.map((row) => ({
        line: row.line,
        number: row.number,
        variables: row.variables,
        orderId: row.order_id ?? undefined,
        state: row.state ?? undefined,
        outcome: row.outcome ?? row.attempts?.at(-1)?.outcome,
        answeredBy: row.attempts?.at(-1)?.answeredBy,
        attempts: row.attempts?.length ?? 0,
        endedAt: row.ended_at ?? undefined,
      }));
    }, CREATE_TIMEOUT_MS);
  }

  async feed(now: Date, until: (settings: CallingSettings) => Date | undefined): Promise<number> {
    return this.#do(async (tx) => {
      const { rows } = await tx.query<{
        campaign_id: string;
        settings: CallingSettings;
        open: number;
        waiting: boolean;
      }>(
        `SELECT c.campaign_id, c.settings - '{rejected,duplicates,rejectedCount,duplicateCount}'::text[] AS settings,
           (SELECT count(*) FROM campaign_numbers n JOIN call_orders o ON o.tenant_id = n.tenant_id AND o.order_id = n.order_id
             WHERE n.tenant_id = c.tenant_id AND n.campaign_id = c.campaign_id
               AND (o.state IN ('DIALLING', 'TALKING') OR (o.state = 'QUEUED' AND o.next_attempt_at <= now()))) AS open,
           EXISTS (SELECT 1 FROM campaign_numbers n WHERE n.tenant_id = c.tenant_id AND n.campaign_id = c.campaign_id
             AND n.order_id IS NULL) AS waiting
         FROM campaigns c WHERE c.tenant_id = ${TENANT} AND c.state = 'RUNNING' AND c.next_call_at <= now()
         ORDER BY c.next_call_at LIMIT ${FED_AT_ONCE} FOR UPDATE SKIP LOCKED`,
      );
      let made = 0;
      const idle: string[] = [];
      for (const { campaign_id: campaignId, settings, open, waiting } of rows) {
        if (!waiting || new Date(settings.latest) <= now) await finish(tx, campaignId);
        else {
          const notAfter = open < settings.concurrent ? until(settings) : undefined;
          if (notAfter !== undefined) {
            await order(tx, campaignId, settings, now, notAfter);
            made++;
            continue;
          }
        }
        idle.push(campaignId);
      }
      // Those that wait for their hours or for answers would stand before all others for ever: they go behind them.
      if (rows.length === FED_AT_ONCE && idle.length > 0) {
        await tx.query('UPDATE campaigns SET next_call_at = now() WHERE campaign_id = ANY($1::uuid[])', [idle]);
      }
      return made;
    });
  }

  async barred(): Promise<{ number: string; reason: string; since: Date }[]> {
    return this.#do(async (tx) => {
      const { rows } = await tx.query<{ number: string; reason: string; since: Date }>(
        `SELECT number, reason, created_at AS since FROM do_not_call WHERE tenant_id = ${TENANT} ORDER BY number LIMIT 10000`,
      );
      return rows;
    });
  }

  async bar(number: string, reason: string): Promise<void> {
    await this.#do((tx) =>
      tx.query(
        `INSERT INTO do_not_call (number, reason) VALUES ($1, $2)
         ON CONFLICT (tenant_id, number) DO UPDATE SET reason = excluded.reason`,
        [number, reason],
      ),
    );
  }

  async unbar(number: string): Promise<boolean> {
    return this.#do(async (tx) => {
      const { rowCount } = await tx.query(`DELETE FROM do_not_call WHERE tenant_id = ${TENANT} AND number = $1`, [
        number,
      ]);
      return (rowCount ?? 0) > 0;
    });
  }

  async #do<T>(work: (tx: Transaction) => Promise<T>, timeoutMs = TIMEOUT_MS): Promise<T> {
    try {
      return await this.#database.transaction(work, { timeoutMs });
    } catch (error) {
      if ((error instanceof Failure && error.blame === 'caller') || troubleOf(error) === 'poison') throw error;
      throw awayFailure('campaigns cannot be reached at the moment', 'campaigns-away', error);
    }
  }
}

/** The next number becomes an order, and the campaign's next call has its time: all of it or nothing. */
async function order(
  tx: Transaction,
  campaignId: string,
  settings: CallingSettings,
  now: Date,
  notAfter: Date,
): Promise<void> {
  const { rows } = await tx.query<{ line: number; number: string; variables: Record<string, string> }>(
    `SELECT line, number, variables FROM campaign_numbers WHERE tenant_id = ${TENANT} AND campaign_id = $1
       AND order_id IS NULL ORDER BY line LIMIT 1`,
    [campaignId],
  );
  const next = rows[0];
  if (next === undefined) return;
  const orderId = randomUUID();
  const { bot, purpose, gateway, ringMs, onMachine, retry } = settings;
  const request: OrderRequest = {
    to: next.number,
    bot,
    purpose,
    variables: next.variables,
    gateway,
    ringMs,
    onMachine,
    retry,
  };
  const key = `campaign:${campaignId}:${next.line}`;
  await tx.query(
    `INSERT INTO call_orders (order_id, idempotency_key, fingerprint, destination, bot, request, not_after, state, next_attempt_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'QUEUED', now())`,
    [orderId, key, createHash('sha256').update(key).digest('hex'), next.number, bot, JSON.stringify(request), notAfter],
  );
  await tx.query(
    `UPDATE campaign_numbers SET order_id = $3 WHERE tenant_id = ${TENANT} AND campaign_id = $1 AND line = $2`,
    [campaignId, next.line, orderId],
  );
  await tx.query(
    `UPDATE campaigns SET next_call_at = greatest(next_call_at, $2::timestamptz - interval '1 second')
       + make_interval(secs => 60.0 / $3) WHERE campaign_id = $1`,
    [campaignId, now, settings.callsPerMinute],
  );
}

/** The campaign that a key stands for. */
async function earlier(tx: Transaction, asked: Pick<NewCampaign, 'idempotencyKey' | 'fingerprint'>) {
  const { rows } = await tx.query<{ campaign_id: string; fingerprint: string }>(
    `SELECT campaign_id, fingerprint FROM campaigns WHERE tenant_id = ${TENANT} AND idempotency_key = $1`,
    [asked.idempotencyKey],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (row.fingerprint !== asked.fingerprint) throw keyReused('campaign');
  return { campaignId: row.campaign_id, repeated: true };
}

/** Nothing is left to be ordered: it is done once its orders are. */
async function finish(tx: Transaction, campaignId: string): Promise<void> {
  await tx.query(
    `UPDATE campaigns c SET state = 'DONE' WHERE c.campaign_id = $1 AND NOT EXISTS (SELECT 1 FROM campaign_numbers n
       JOIN call_orders o ON o.tenant_id = n.tenant_id AND o.order_id = n.order_id
       WHERE n.tenant_id = c.tenant_id AND n.campaign_id = c.campaign_id AND o.state IN ('QUEUED', 'DIALLING', 'TALKING'))`,
    [campaignId],
  );
}

async function takeBackOrders(tx: Transaction, campaignId: string): Promise<void> {
  const ofIt = `order_id IN (SELECT order_id FROM campaign_numbers WHERE tenant_id = ${TENANT} AND campaign_id = $1)`;
  await tx.query(
    `UPDATE call_orders SET state = 'CANCELLED', outcome = 'cancelled', next_attempt_at = NULL, ended_at = clock_timestamp()
     WHERE state = 'QUEUED' AND ${ofIt}`,
    [campaignId],
  );
  // Who talks is not cut off, but whom a machine has answered for is not called again.
  const underWay = `state IN ('DIALLING', 'TALKING')`;
  await tx.query(`UPDATE call_orders SET cancel_requested = true WHERE ${underWay} AND ${ofIt}`, [campaignId]);
}

function toCampaign(row: CampaignRow): Campaign {
  return {
    campaignId: row.campaign_id,
    name: row.name,
    state: row.state,
    settings: row.settings,
    createdAt: row.created_at,
    numbers: row.numbers,
    waiting: row.waiting,
    orders: row.orders ?? {},
  };
}
