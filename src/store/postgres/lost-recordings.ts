import type { CallJournal, RecordingRecord } from '../../call/record/records.ts';
import type { RecordedCall } from '../../call/recording/recordings.ts';
import type { Database } from './database.ts';

const TIMEOUT_MS = 5000;
/** Older ones were looked for by an earlier start. */
const RECENT = '30 days';
const MOST = 500;

/**
 * A recording gets its row when its call ends, so one whose process was killed lies in the folder and nobody knows of
 * it: not who looks for it, and not retention. Finds those of this instance and gives them their rows. Does no harm when
 * done again. Resolves with how many were found.
 */
export async function adoptLostRecordings(
  { database, journal, instanceId }: { database: Database; journal: CallJournal; instanceId: string },
  find: (call: RecordedCall) => Promise<RecordingRecord | undefined>,
): Promise<number> {
  const { rows } = await database.transaction(
    (tx) =>
      tx.query<{ session_id: string; call_start_time: Date }>(
        `SELECT s.session_id, s.call_start_time FROM call_sessions s
         WHERE s.instance_id = $1 AND s.end_cause = 'process-crashed' AND s.call_start_time > now() - interval '${RECENT}'
           AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.tenant_id = s.tenant_id AND r.session_id = s.session_id)
         ORDER BY s.call_start_time DESC LIMIT ${MOST}`,
        [instanceId],
      ),
    { timeoutMs: TIMEOUT_MS },
  );
  let found = 0;
  for (const { session_id: sessionId, call_start_time: callStartTime } of rows) {
    const row = await find({ sessionId, callStartTime });
    if (row === undefined) continue;
    journal.append({ kind: 'recording', row });
    found++;
  }
  return found;
}
