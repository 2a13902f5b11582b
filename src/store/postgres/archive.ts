import type {
  CallArchive,
  CallDetail,
  CallQuery,
  CallSummary,
  RecordingRecord,
  SessionRecord,
} from '../../call/record/records.ts';
import type { SipLadderRecord } from '../../call/record/sip-ladder.ts';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import {
  type EventRow,
  RECORDING_COLUMNS,
  type RecordingRow,
  SESSION_COLUMNS,
  type SessionRow,
  type SummaryRow,
  TRANSACTION_COLUMNS,
  type TransactionRow,
  toEvent,
  toRecording,
  toSession,
  toSummary,
  toTransaction,
  toUtterance,
  UTTERANCE_COLUMNS,
  type UtteranceRow,
} from './archive-rows.ts';
import {
  callerMatch,
  filterOf,
  fromCursor,
  MAX_PAGE,
  POSITION_TIME,
  searchTerms,
  toCursor,
  UUID,
} from './call-query.ts';
import type { Database, Transaction } from './database.ts';
import { awayFailure, troubleOf } from './sql-errors.ts';

const TIMEOUT_MS: Ms = 5000;

interface PageRow extends SummaryRow {
  start_micros: string;
}

/** Counts are looked up for the rows of the page alone. */
const summaries = (page: string) => `
  SELECT ${SESSION_COLUMNS},
    (extract(epoch FROM s.call_start_time) * 1000000)::bigint::text AS start_micros,
    (SELECT count(*) FROM utterances u WHERE u.session_id = s.session_id AND u.tenant_id = s.tenant_id) AS utterance_count,
    (SELECT count(*) FROM banking_transactions t WHERE t.session_id = s.session_id AND t.tenant_id = s.tenant_id)
      AS transaction_count,
    EXISTS (SELECT 1 FROM recordings r WHERE r.session_id = s.session_id AND r.tenant_id = s.tenant_id AND r.deleting IS NULL)
      AS has_recording
  FROM (${page}) s ORDER BY s.call_start_time DESC, s.session_id`;

/**
 * What the API and the console read. Rejects with Failure database-away (503, retryable) while Postgres is away, and
 * with bad-cursor (400). Readers see what was appended before they asked; rows still in the spool are not seen.
 */
export class PostgresArchive implements CallArchive {
  readonly #database: Database;
  readonly #gathered: () => Promise<void>;

  /** `gathered`: resolves when rows that wait to be written together have been. */
  constructor(database: Database, gathered: () => Promise<void>) {
    this.#database = database;
    this.#gathered = gathered;
  }

  async list(query: CallQuery): Promise<{ calls: CallSummary[]; nextCursor: string | undefined }> {
    const limit = Math.max(1, Math.min(MAX_PAGE, Math.floor(query.limit)));
    const terms = searchTerms(query.text ?? '');
    // A text without a single word in it finds nothing, rather than everything.
    if (terms.length === 0 && query.text !== undefined && query.text.trim() !== '') {
      return { calls: [], nextCursor: undefined };
    }
    const rows = await this.#read((tx) =>
      terms.length > 0 ? search(tx, query, terms, limit) : page(tx, query, limit),
    );
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const more = rows.length > limit && last !== undefined;
    return {
      calls: shown.map(toSummary),
      nextCursor: more ? toCursor({ startMicros: last.start_micros, sessionId: last.session_id }) : undefined,
    };
  }

  async get(sessionId: string): Promise<CallDetail | undefined> {
    if (!UUID.test(sessionId)) return undefined;
    return this.#read(async (tx) => {
      const rows = async <Row extends object>(sql: string) => (await tx.query<Row>(sql, [sessionId])).rows;
      const session: SessionRecord | undefined = (
        await rows<SessionRow>(`SELECT ${SESSION_COLUMNS} FROM call_sessions s WHERE session_id = $1`)
      ).map(toSession)[0];
      if (!session) return undefined;
      const of = `WHERE session_id = $1 ORDER BY`;
      return {
        session,
        utterances: (
          await rows<UtteranceRow>(
            `SELECT ${UTTERANCE_COLUMNS} FROM utterances ${of} sequence, started_at, utterance_id`,
          )
        ).map(toUtterance),
        events: (await rows<EventRow>(`SELECT * FROM call_events ${of} occurred_at, created_at, event_id`)).map(
          toEvent,
        ),
        transactions: (
          await rows<TransactionRow>(`SELECT ${TRANSACTION_COLUMNS} FROM banking_transactions ${of} created_at`)
        ).map(toTransaction),
        recording: await recordingOf(tx, sessionId),
      };
    });
  }

  async recording(sessionId: string): Promise<RecordingRecord | undefined> {
    if (!UUID.test(sessionId)) return undefined;
    return this.#read((tx) => recordingOf(tx, sessionId));
  }

  async sipLadder(sessionId: string): Promise<SipLadderRecord | undefined> {
    if (!UUID.test(sessionId)) return undefined;
    const sql = `SELECT session_id AS "sessionId", messages, dropped, encode(packed, 'base64') AS packed
      FROM sip_ladders WHERE session_id = $1`;
    return this.#read(async (tx) => (await tx.query<SipLadderRecord & object>(sql, [sessionId])).rows[0]);
  }

  async #read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    await this.#gathered();
    try {
      return await this.#database.transaction(work, { timeoutMs: TIMEOUT_MS, readOnly: true });
    } catch (error) {
      if (error instanceof Failure || troubleOf(error) === 'poison') throw error;
      throw awayFailure('the call archive cannot be read at the moment', 'database-away', error);
    }
  }
}

async function page(tx: Transaction, query: CallQuery, limit: number): Promise<PageRow[]> {
  const { where, values } = filterOf(query);
  const sql = summaries(
    `SELECT s.* FROM call_sessions s ${where} ORDER BY s.call_start_time DESC, s.session_id LIMIT ${limit + 1}`,
  );
  return (await tx.query<PageRow>(sql, values)).rows;
}

async function search(tx: Transaction, query: CallQuery, terms: string[], limit: number): Promise<PageRow[]> {
  const { last4, last6, pattern } = callerMatch(query.caller);
  const before = query.cursor === undefined ? undefined : fromCursor(query.cursor);
  const sql = summaries(`SELECT s.* FROM call_sessions s WHERE s.session_id IN (SELECT session_id FROM search_calls(
    $1::text[], $2, $3, $4, $5, $6, $7, ${POSITION_TIME('$8')}, $9::uuid, ${limit + 1}))`);
  const values = [
    terms,
    query.status,
    last4,
    last6,
    pattern,
    query.from,
    query.to,
    before?.startMicros,
    before?.sessionId,
  ];
  return (await tx.query<PageRow>(sql, values)).rows;
}

async function recordingOf(tx: Transaction, sessionId: string): Promise<RecordingRecord | undefined> {
  const sql = `SELECT ${RECORDING_COLUMNS} FROM recordings WHERE session_id = $1 AND deleting IS NULL ORDER BY created_at DESC LIMIT 1`;
  const [row] = (await tx.query<RecordingRow>(sql, [sessionId])).rows;
  return row && toRecording(row);
}
