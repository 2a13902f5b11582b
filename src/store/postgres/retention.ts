import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RetentionPolicy, RetentionRule } from '../../call/recording/retention.ts';
import { codeOf } from '../../core/errors.ts';
import type { Database, Transaction } from './database.ts';
import { type Deletion, logDeletions } from './deletion-log.ts';

const TIMEOUT_MS = 10_000;
/** Of one run: what is left waits for the next. */
const MOST = 500;

export interface RetentionOptions {
  database: Database;
  dataDir: string;
  /** What lies beside a recording and goes with it. */
  companions(path: string): string[];
}

interface Due {
  session_id: string;
  recording_id: string;
  path: string;
  deleting: { policy: string; sha256: string | null; bytes: number } | null;
  bot_profile: string;
}

/**
 * Deletes what the policy no longer allows to be kept, and proves it. A recording goes in three steps, so that a crash
 * between any two is made good by the next run: its row says that it is being deleted and what its file was (SHA-256);
 * the file goes; the row goes, and the log says so, in one transaction. The log never speaks of a file that is there.
 */
export class Retention {
  readonly #o: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#o = options;
  }

  /** Resolves with how many recordings and contents of calls were deleted. */
  async run(policy: RetentionPolicy, now: Date): Promise<{ recordings: number; contents: number }> {
    let recordings = 0;
    for (const due of await this.#dueRecordings(policy, now)) {
      await this.#deleteRecording(due, recordingRule(policy, due.bot_profile)?.name ?? 'recordings', now);
      recordings++;
    }
    return { recordings, contents: await this.#deleteContents(policy, now) };
  }

  async #dueRecordings(policy: RetentionPolicy, now: Date): Promise<Due[]> {
    return this.#transaction(async (tx) => {
      const { rows } = await tx.query<Due>(
        `SELECT r.session_id, r.recording_id, r.path, r.deleting, s.bot_profile
         FROM recordings r JOIN call_sessions s ON s.tenant_id = r.tenant_id AND s.session_id = r.session_id
         WHERE r.deleting IS NOT NULL
            OR (NOT s.legal_hold AND s.status <> 'ACTIVE' AND ${olderThan('coalesce(s.call_end_time, r.created_at)')})
         ORDER BY r.created_at LIMIT ${MOST}`,
        ages(policy, (bot) => recordingRule(policy, bot)?.days, now),
      );
      return rows;
    });
  }

  async #deleteRecording(due: Due, policy: string, now: Date): Promise<void> {
    const file = join(this.#o.dataDir, due.path);
    let { deleting } = due;
    if (deleting === null) {
      const fingerprint = { policy, ...(await fingerprintOf(file)) };
      const marked = await this.#transaction((tx) =>
        tx.query(
          `UPDATE recordings r SET deleting = $2 FROM call_sessions s
           WHERE r.recording_id = $1 AND s.tenant_id = r.tenant_id AND s.session_id = r.session_id AND NOT s.legal_hold`,
          [due.recording_id, JSON.stringify(fingerprint)],
        ),
      );
      // Put on hold in this very moment.
      if (marked.rowCount === 0) return;
      deleting = fingerprint;
    }
    for (const path of [file, ...this.#o.companions(file)]) await rm(path, { force: true });
    const { policy: rule, ...facts } = deleting;
    await this.#transaction(async (tx) => {
      const gone = await tx.query('DELETE FROM recordings WHERE recording_id = $1', [due.recording_id]);
      // Another connector was faster.
      if (gone.rowCount === 0) return;
      const details = { ...facts, path: due.path };
      await logDeletions(tx, [{ sessionId: due.session_id, what: 'recording', policy: rule, details }], now);
    });
  }

  /** Words, events, contexts and SIP messages go, and who called; the row stays for the transactions that hang on it. */
  async #deleteContents(policy: RetentionPolicy, now: Date): Promise<number> {
    return this.#transaction(async (tx) => {
      const { rows } = await tx.query<{ session_id: string; bot_profile: string }>(
        `SELECT s.session_id, s.bot_profile FROM call_sessions s
         WHERE s.contents_deleted_at IS NULL AND NOT s.legal_hold AND s.status <> 'ACTIVE'
           AND ${olderThan('s.call_end_time')}
           AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.tenant_id = s.tenant_id AND r.session_id = s.session_id)
         ORDER BY s.call_end_time LIMIT ${MOST} FOR UPDATE SKIP LOCKED`,
        ages(policy, (bot) => ruleFor(policy, bot, 'callDays')?.days, now),
      );
      const gone: Deletion[] = [];
      for (const { session_id: sessionId, bot_profile: bot } of rows) {
        const details: Record<string, number> = {};
        for (const table of ['utterances', 'call_events', 'conversation_contexts', 'sip_ladders']) {
          details[table] = (await tx.query(`DELETE FROM ${table} WHERE session_id = $1`, [sessionId])).rowCount ?? 0;
        }
        await tx.query(
          `UPDATE call_sessions SET caller_phone = '', caller_identity = 'sip:anonymous@anonymous.invalid',
             called_number = '', summary = NULL, signalling = '{}', contents_deleted_at = $2 WHERE session_id = $1`,
          [sessionId, now],
        );
        const name = ruleFor(policy, bot, 'callDays')?.name ?? 'calls';
        gone.push({ sessionId, what: 'contents', policy: name, details });
      }
      await logDeletions(tx, gone, now);
      return rows.length;
    });
  }

  #transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#o.database.transaction(work, { timeoutMs: TIMEOUT_MS });
  }
}

export async function holdCall(
  database: Database,
  sessionId: string,
  hold: boolean,
  reason: string | undefined,
): Promise<boolean> {
  const sql = 'UPDATE call_sessions SET legal_hold = $2, legal_hold_reason = $3 WHERE session_id = $1';
  const done = await database.transaction((tx) => tx.query(sql, [sessionId, hold, hold ? (reason ?? null) : null]), {
    timeoutMs: TIMEOUT_MS,
  });
  return done.rowCount === 1;
}

type Kind = keyof RetentionRule;
const NAMES: Record<Kind, string> = { recordingDays: 'recordings', callDays: 'calls' };

function ruleFor(
  policy: RetentionPolicy,
  bot: string | undefined,
  kind: Kind,
): { days: number; name: string } | undefined {
  const own = bot === undefined ? undefined : policy.bots.get(bot)?.[kind];
  if (own !== undefined) return { days: own, name: `${NAMES[kind]} of bot ${bot}: ${own} days` };
  const days = policy[kind];
  return days === undefined ? undefined : { days, name: `${NAMES[kind]}: ${days} days` };
}

/** Where the whole call is to go, its recording goes too: the shorter of the two. */
function recordingRule(policy: RetentionPolicy, bot: string | undefined): ReturnType<typeof ruleFor> {
  const [own, calls] = [ruleFor(policy, bot, 'recordingDays'), ruleFor(policy, bot, 'callDays')];
  return own !== undefined && (calls === undefined || own.days <= calls.days) ? own : calls;
}

/** $1: before when of each bot with a rule of its own, as JSON; $2: of all others, NULL for never. */
function olderThan(moment: string): string {
  return `${moment} < CASE WHEN $1::jsonb ? s.bot_profile THEN ($1::jsonb ->> s.bot_profile)::timestamptz ELSE $2::timestamptz END`;
}

function ages(policy: RetentionPolicy, daysOf: (bot: string | undefined) => number | undefined, now: Date): unknown[] {
  const before = (bot: string | undefined) => {
    const days = daysOf(bot);
    return days === undefined ? null : new Date(now.getTime() - days * 86_400_000).toISOString();
  };
  return [
    JSON.stringify(Object.fromEntries([...policy.bots.keys()].map((bot) => [bot, before(bot)]))),
    before(undefined),
  ];
}

/** A file that is not there has no hash: somebody else has removed it. */
async function fingerprintOf(path: string): Promise<{ sha256: string | null; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { sha256: null, bytes: 0 };
    throw error;
  }
  return { sha256: hash.digest('hex'), bytes };
}
