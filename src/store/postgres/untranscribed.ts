import type { UtteranceRecord } from '../../call/record/records.ts';
import type {
  HeardAgain,
  LinesToHear,
  UntranscribedLine,
  UntranscribedLines,
} from '../../call/record/untranscribed-lines.ts';
import type { Ms } from '../../core/clock.ts';
import { NOT_TRANSCRIBED, UNINTELLIGIBLE } from '../../dialogue/caller-line.ts';
import {
  RECORDING_COLUMNS,
  type RecordingRow,
  toRecording,
  toUtterance,
  UTTERANCE_COLUMNS,
  type UtteranceRow,
} from './archive-rows.ts';
import type { Database } from './database.ts';

const TIMEOUT_MS: Ms = 5000;
/** Older ones were looked for by earlier starts. */
const RECENT = '30 days';
const MOST_CALLS = 500;

/** Written out in the statements: that is what the indexes are of. */
const WITHOUT_WORDS = `u.generated = '${NOT_TRANSCRIBED}'`;
const CONDITION: Record<LinesToHear, string> = {
  'without words': WITHOUT_WORDS,
  'without free words': `(${WITHOUT_WORDS} OR u.source = 'overheard')`,
};
/** What was said shortly before a line tells what its digits are. */
const BEFORE = { lines: 3, within: '20 s' };
/** A recording that has the time of its call's beginning broke off, or is of an earlier version: when it began is not known. */
const RECORDED = `JOIN recordings r ON r.tenant_id = s.tenant_id AND r.session_id = s.session_id AND r.deleting IS NULL
  WHERE s.call_end_time IS NOT NULL AND r.created_at <> s.call_start_time`;

interface LineRow extends RecordingRow {
  utterance_id: string;
  speaker: UntranscribedLine['speaker'];
  started_at: Date;
  ended_at: Date;
  bot_profile: string;
  generated: string;
  confidence: number | null;
  before: { utteranceId: string; text: string }[] | null;
}

/** Sentences without words, and the recordings that hold them. */
export class PostgresUntranscribed implements UntranscribedLines {
  readonly #database: Database;
  readonly #instanceId: string;
  readonly #written: () => Promise<void>;

  /** `written`: what calls have told so far is in the database, or on its way to it. */
  constructor(database: Database, instanceId: string, written: () => Promise<void>) {
    this.#database = database;
    this.#instanceId = instanceId;
    this.#written = written;
  }

  /** Recordings lie with the connector that made them. */
  async calls(which: LinesToHear): Promise<string[]> {
    const { rows } = await this.#database.transaction(
      (tx) =>
        tx.query<{ session_id: string }>(
          `SELECT s.session_id FROM call_sessions s ${RECORDED}
             AND s.instance_id = $1 AND s.call_start_time > now() - interval '${RECENT}' AND s.session_id IN
               (SELECT u.session_id FROM utterances u WHERE ${CONDITION[which]} AND u.ended_at IS NOT NULL)
           ORDER BY s.call_start_time DESC LIMIT ${MOST_CALLS}`,
          [this.#instanceId],
        ),
      { timeoutMs: TIMEOUT_MS, readOnly: true },
    );
    return rows.map(({ session_id }) => session_id);
  }

  async ofCall(sessionId: string, which: LinesToHear): Promise<UntranscribedLine[]> {
    await this.#written();
    const recording = RECORDING_COLUMNS.split(', ').map((column) => `r.${column}`);
    const { rows } = await this.#database.transaction(
      (tx) =>
        tx.query<LineRow>(
          `SELECT u.utterance_id, u.speaker, u.started_at, u.ended_at, u.generated, u.confidence, s.bot_profile,
             (SELECT json_agg(json_build_object('utteranceId', b.utterance_id, 'text', b.generated) ORDER BY b.started_at)
              FROM (SELECT b.utterance_id, b.generated, b.started_at FROM utterances b
                    WHERE b.session_id = u.session_id AND b.started_at < u.started_at
                      AND b.started_at > u.started_at - interval '${BEFORE.within}'
                    ORDER BY b.started_at DESC LIMIT ${BEFORE.lines}) b) AS before,
             ${recording.join(', ')}
           FROM utterances u JOIN call_sessions s ON s.tenant_id = u.tenant_id AND s.session_id = u.session_id
           ${RECORDED} AND u.session_id = $1 AND u.speaker IN ('caller', 'agent') AND ${CONDITION[which]}
             AND u.ended_at IS NOT NULL
           ORDER BY u.started_at, u.sequence`,
          [sessionId],
        ),
      { timeoutMs: TIMEOUT_MS, readOnly: true },
    );
    return rows.map((row) => ({
      utteranceId: row.utterance_id,
      sessionId,
      speaker: row.speaker,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      botProfile: row.bot_profile,
      known:
        row.generated === NOT_TRANSCRIBED
          ? undefined
          : { text: row.generated === UNINTELLIGIBLE ? '' : row.generated, confidence: row.confidence ?? 0 },
      before: row.before ?? [],
      recording: toRecording(row),
    }));
  }

  async transcribed(
    utteranceId: string,
    { text, confidence, source }: HeardAgain,
  ): Promise<UtteranceRecord | undefined> {
    const { rows } = await this.#database.transaction(
      (tx) =>
        tx.query<UtteranceRow>(
          `UPDATE utterances u SET generated = $2, heard = $2, confidence = $3, source = $4
           WHERE u.utterance_id = $1 AND ${CONDITION['without free words']} RETURNING ${UTTERANCE_COLUMNS}`,
          [utteranceId, text, confidence, source],
        ),
      { timeoutMs: TIMEOUT_MS },
    );
    return rows.map(toUtterance)[0];
  }
}
