import { statementName, type Transaction } from './database.ts';
import type { EntryKind, PackedEntry } from './entries.ts';

/** How a kind of row is written: a set of JSON objects in, one statement, idempotent. */
interface Upsert {
  /** Columns of jsonb_to_recordset: the record's field names with their SQL types. */
  record: string;
  sql: string;
}

/** `fixed`: columns of a row that are as they were when it is written again. */
function upsert(
  table: string,
  key: string,
  columns: Record<string, string>,
  record: string,
  fixed: readonly string[] = [],
): Upsert {
  const names = Object.keys(columns);
  const changing = names.filter((name) => name !== key && !fixed.includes(name));
  const changes = changing.map((name) => `${name} = excluded.${name}`);
  return {
    record,
    sql: `INSERT INTO ${table} (tenant_id, ${names.join(', ')})
      SELECT current_setting('app.tenant_id'), ${Object.values(columns).join(', ')} FROM rows
      ON CONFLICT (${key}) DO UPDATE SET ${changes.join(', ')}`,
  };
}

/** In the order in which foreign keys need them. Every statement reads `rows`; $2, where used, is the instance. */
const UPSERTS: Record<EntryKind, Upsert> = {
  session: upsert(
    'call_sessions',
    'session_id',
    {
      session_id: '"sessionId"',
      caller_phone: '"callerPhone"',
      caller_identity: '"callerIdentity"',
      called_number: '"calledNumber"',
      direction: '"direction"',
      call_start_time: '"callStartTime"',
      answer_time: '"answerTime"',
      call_end_time: '"callEndTime"',
      sip_call_id: '"sipCallId"',
      correlation_id: '"correlationId"',
      status: '"status"',
      end_cause: '"endCause"',
      summary: '"summary"',
      bot_profile: '"botProfile"',
      bot_profile_version: '"botProfileVersion"',
      ai_provider_config: `coalesce("aiProviderConfig", '{}')`,
      signalling: `coalesce("signalling", '{}')`,
      trunk: '"trunk"',
      order_id: '"orderId"',
      answered_by: '"answeredBy"',
      instance_id: '$2',
      run_id: 'run',
    },
    `"sessionId" uuid, "callerPhone" text, "callerIdentity" text, "calledNumber" text, "direction" text,
     "callStartTime" timestamptz, "answerTime" timestamptz, "callEndTime" timestamptz, "sipCallId" text,
     "correlationId" text, "status" text, "endCause" text, "summary" text, "botProfile" text,
     "botProfileVersion" text, "aiProviderConfig" jsonb, "signalling" jsonb, "trunk" text,
     "orderId" uuid, "answeredBy" text`,
    // Who calls whom; the columns that PostgreSQL makes of the caller's number are not made again then.
    ['caller_phone', 'caller_identity', 'called_number', 'direction', 'call_start_time', 'correlation_id'],
  ),
  context: upsert(
    'conversation_contexts',
    'context_id',
    {
      context_id: '"contextId"',
      session_id: '"sessionId"',
      conversation_history: '"conversationHistory"',
      current_intent: '"currentIntent"',
      customer_data: `coalesce("customerData", '{}')`,
      last_updated: '"lastUpdated"',
      expires_at: '"expiresAt"',
    },
    `"contextId" uuid, "sessionId" uuid, "conversationHistory" jsonb, "currentIntent" text, "customerData" jsonb,
     "lastUpdated" timestamptz, "expiresAt" timestamptz`,
  ),
  utterance: upsert(
    'utterances',
    'utterance_id',
    {
      utterance_id: '"utteranceId"',
      session_id: '"sessionId"',
      sequence: '"sequence"',
      speaker: '"speaker"',
      generated: '"text"',
      heard: '"heard"',
      interrupted: '"interrupted"',
      started_at: '"startedAt"',
      ended_at: '"endedAt"',
      confidence: '"confidence"',
      source: '"source"',
      timings: '"timings"',
    },
    `"utteranceId" uuid, "sessionId" uuid, "sequence" integer, "speaker" text, "text" text, "heard" text,
     "interrupted" boolean, "startedAt" timestamptz, "endedAt" timestamptz, "confidence" real, "source" text,
     "timings" jsonb`,
  ),
  event: upsert(
    'call_events',
    'event_id',
    {
      event_id: '"eventId"',
      session_id: '"sessionId"',
      occurred_at: '"at"',
      event_type: '"type"',
      event_data: `coalesce("data", '{}')`,
    },
    '"eventId" uuid, "sessionId" uuid, "at" timestamptz, "type" text, "data" jsonb',
  ),
  recording: upsert(
    'recordings',
    'recording_id',
    {
      recording_id: '"recordingId"',
      session_id: '"sessionId"',
      path: '"path"',
      format: '"format"',
      channels: '"channels"',
      duration_ms: 'round("durationMs")',
      bytes: 'round("bytes")',
      created_at: '"createdAt"',
    },
    `"recordingId" uuid, "sessionId" uuid, "path" text, "format" text, "channels" smallint, "durationMs" numeric,
     "bytes" numeric, "createdAt" timestamptz`,
  ),
  'sip-ladder': upsert(
    'sip_ladders',
    'session_id',
    { session_id: '"sessionId"', messages: '"messages"', dropped: '"dropped"', packed: `decode("packed", 'base64')` },
    '"sessionId" uuid, "messages" integer, "dropped" integer, "packed" text',
  ),
  transaction: {
    record: `"transactionId" uuid, "sessionId" uuid, "customerId" text, "transactionType" text,
      "authenticationStatus" text, "idempotencyKey" text, "queryParameters" jsonb, "createdAt" timestamptz,
      "attemptId" uuid`,
    sql: `INSERT INTO banking_transactions (tenant_id, transaction_id, session_id, customer_id, transaction_type,
        authentication_status, idempotency_key, query_parameters, created_at, attempt_id, instance_id, run_id)
      SELECT current_setting('app.tenant_id'), "transactionId", "sessionId", "customerId", "transactionType",
        "authenticationStatus", "idempotencyKey", coalesce("queryParameters", '{}'), "createdAt", "attemptId", $2, run
      FROM rows
      ON CONFLICT (transaction_id) DO NOTHING`,
  },
  // An outcome, once known, stays; UNKNOWN (set by a repair that could not know better) gives way to it.
  completion: {
    record: `"transactionId" uuid, "outcome" text, "authenticationStatus" text, "customerId" text,
      "responseData" jsonb, "completedAt" timestamptz`,
    sql: `UPDATE banking_transactions AS t SET outcome = rows.outcome,
        authentication_status = rows."authenticationStatus", customer_id = coalesce(rows."customerId", t.customer_id),
        response_data = coalesce(rows."responseData", '{}'), completed_at = rows."completedAt"
      FROM rows
      WHERE t.transaction_id = rows."transactionId" AND t.outcome IN ('PENDING', 'UNKNOWN')`,
  },
  withdrawal: {
    record: '"transactionId" uuid, "attemptId" uuid',
    sql: `DELETE FROM banking_transactions AS t USING rows
      WHERE t.transaction_id = rows."transactionId" AND t.attempt_id = rows."attemptId" AND t.outcome = 'PENDING'
       `,
  },
};

const ORDER = Object.keys(UPSERTS) as EntryKind[];

interface Statement {
  /** Of one that only inserts, whose plan cannot become a bad one. */
  name: string | undefined;
  text: string;
  takesInstance: boolean;
}

function statement({ record, sql }: Upsert): Statement {
  const text = `WITH rows AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS fields(run uuid, ${record})) ${sql}`;
  const name = sql.startsWith('INSERT') ? statementName(text) : undefined;
  return { name, text, takesInstance: text.includes('$2') };
}

const STATEMENTS = new Map(ORDER.map((kind) => [kind, statement(UPSERTS[kind])]));

const SESSION_UNLESS_THERE = statement({
  record: UPSERTS.session.record,
  sql: `${UPSERTS.session.sql.split('ON CONFLICT')[0]} ON CONFLICT DO NOTHING`,
});

/** The rows as one JSON array, each with its run: the last field of a name is the one that counts (jsonb). */
function packed(rows: Iterable<PackedEntry>): string {
  let json = '';
  for (const { run, json: row } of rows) json += `${json === '' ? '[' : ','}${row.slice(0, -1)},"run":"${run}"}`;
  return `${json}]`;
}

/** How a statement of a transaction is sent: see Transaction. */
type Send = Transaction['query'];

function execute(send: Send, { name, text, takesInstance }: Statement, rows: string, instanceId: string) {
  return send(text, takesInstance ? [rows, instanceId] : [rows], name);
}

/** Writes a session's row when there is none; leaves any that the journal has written as it is. */
export async function writeSessionUnlessThere(
  tx: Transaction,
  session: PackedEntry,
  instanceId: string,
): Promise<void> {
  await execute(tx.query, SESSION_UNLESS_THERE, packed([session]), instanceId);
}

/**
 * Sends a batch in one go, one statement per kind of row, and none waits for the answer to the one before. Within the batch the
 * last entry of a row stands, so that the result is that of writing the entries one after the other.
 */
export function sendRows(send: Send, batch: readonly PackedEntry[], instanceId: string): Promise<unknown>[] {
  const byKind = new Map<EntryKind, Map<string, PackedEntry>>();
  for (const entry of batch) {
    const rows = byKind.get(entry.kind) ?? new Map<string, PackedEntry>();
    byKind.set(entry.kind, rows.set(entry.id, entry));
  }
  return ORDER.flatMap((kind) => {
    const rows = byKind.get(kind);
    const statement = STATEMENTS.get(kind);
    return rows && statement ? execute(send, statement, packed(rows.values()), instanceId) : [];
  });
}

/** The same, and resolves when all of it has been taken. */
export async function writeRows(tx: Transaction, batch: readonly PackedEntry[], instanceId: string): Promise<void> {
  await Promise.all(sendRows(tx.query, batch, instanceId));
}
