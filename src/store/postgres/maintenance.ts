import type { Database } from './database.ts';

/** An instance that has not written its heartbeat for so long is taken for dead by the others. */
export const STALE_HEARTBEAT = '90 seconds';
const DELETE_BATCH = 500;
const MAX_BATCHES = 20;
const TIMEOUT_MS = 5000;

export interface Repaired {
  sessions: number;
  transactions: number;
}

/** Says that this run of this instance lives. The database's clock counts, so that clocks need not agree. */
export async function heartbeat(database: Database, instanceId: string, run: string): Promise<void> {
  await database.transaction(
    (tx) =>
      tx.query(
        `INSERT INTO connector_instances (tenant_id, instance_id, run_id) VALUES (current_setting('app.tenant_id'), $1, $2)
         ON CONFLICT (tenant_id, instance_id) DO UPDATE SET heartbeat_at = now(), run_id = excluded.run_id,
           started_at = CASE WHEN connector_instances.run_id = excluded.run_id
                             THEN connector_instances.started_at ELSE now() END`,
        [instanceId, run],
      ),
    { timeoutMs: TIMEOUT_MS },
  );
}

/** Rows of a run that is no more: an earlier run of this instance, or an instance without a recent heartbeat. */
export const OF_A_DEAD_RUN = `(x.instance_id = $1 AND x.run_id <> $2)
  OR (x.instance_id <> $1 AND NOT EXISTS (SELECT 1 FROM connector_instances i
        WHERE i.tenant_id = x.tenant_id AND i.instance_id = x.instance_id
          AND i.heartbeat_at > now() - interval '${STALE_HEARTBEAT}'))`;

/**
 * Closes what a crash left open, truthfully: sessions as INTERRUPTED with cause process-crashed at the last moment
 * anything is known of, transactions as UNKNOWN, since the bank may have carried them out. Must run after the spool of
 * earlier runs has been written, which may hold how they really ended. Should an instance have been cut off rather
 * than dead, its own rows overwrite this when it is back.
 */
export async function repair(database: Database, instanceId: string, run: string): Promise<Repaired> {
  return database.transaction(
    async (tx) => {
      const sessions = await tx.query(
        `WITH lost AS (
           UPDATE call_sessions AS s SET status = 'INTERRUPTED', end_cause = 'process-crashed',
             call_end_time = greatest(s.call_start_time, s.answer_time,
               (SELECT max(greatest(u.started_at, u.ended_at)) FROM utterances u
                 WHERE u.tenant_id = s.tenant_id AND u.session_id = s.session_id),
               (SELECT max(e.occurred_at) FROM call_events e
                 WHERE e.tenant_id = s.tenant_id AND e.session_id = s.session_id))
           WHERE s.session_id IN (SELECT x.session_id FROM call_sessions x WHERE x.status = 'ACTIVE' AND (${OF_A_DEAD_RUN})
                                  FOR UPDATE SKIP LOCKED)
           RETURNING s.session_id, s.tenant_id, s.run_id)
         INSERT INTO call_events (event_id, tenant_id, session_id, occurred_at, event_type, event_data)
         SELECT gen_random_uuid(), tenant_id, session_id, clock_timestamp(), 'closed-after-crash',
           jsonb_build_object('run', run_id) FROM lost`,
        [instanceId, run],
      );
      const transactions = await tx.query(
        `UPDATE banking_transactions SET outcome = 'UNKNOWN', completed_at = clock_timestamp(),
           response_data = jsonb_build_object('reason', 'process-crashed')
         WHERE transaction_id IN (SELECT x.transaction_id FROM banking_transactions x
                                  WHERE x.outcome = 'PENDING' AND (${OF_A_DEAD_RUN}) FOR UPDATE SKIP LOCKED)`,
        [instanceId, run],
      );
      return { sessions: sessions.rowCount ?? 0, transactions: transactions.rowCount ?? 0 };
    },
    { timeoutMs: 30_000 },
  );
}

/** Deletes contexts that expired before `now`, in batches of their own transactions. Resolves with how many. */
export async function deleteExpiredContexts(database: Database, now: Date): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const { rowCount } = await database.transaction(
      (tx) =>
        tx.query(
          `DELETE FROM conversation_contexts WHERE context_id IN (
             SELECT context_id FROM conversation_contexts WHERE expires_at <= $1 ORDER BY expires_at LIMIT ${DELETE_BATCH}
             FOR UPDATE SKIP LOCKED)`,
          [now],
        ),
      { timeoutMs: TIMEOUT_MS },
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < DELETE_BATCH) break;
  }
  return deleted;
}
