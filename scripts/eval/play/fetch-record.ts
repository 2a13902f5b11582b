import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectorApi } from '../../call/api.ts';
import type { CallRecord } from '../score/record.ts';

const SETTLED_WITHIN_MS = 8000;
const POLL_MS = 150;

/** The call's record once it is no longer active; undefined when the API does not show it in time. */
export async function fetchRecord(
  { url, token }: { url: string; token: string },
  sipCallId: string,
): Promise<CallRecord | undefined> {
  const api = new ConnectorApi(url, token);
  let sessionId: string | undefined;
  let last: CallRecord | undefined;
  for (const until = Date.now() + SETTLED_WITHIN_MS; Date.now() < until; await sleep(POLL_MS)) {
    try {
      sessionId ??= await findSession(api, sipCallId);
      if (sessionId === undefined) continue;
      last = flattened(await api.get(`/api/v1/calls/${sessionId}`));
      if (last.session.status !== 'ACTIVE') return last;
    } catch {
      // Away or asking for patience (429): tried again until the time is up.
    }
  }
  return last;
}

/** The call as it stands; undefined when the API does not show it. */
export async function peekRecord(
  { url, token }: { url: string; token: string },
  sipCallId: string,
): Promise<CallRecord | undefined> {
  const api = new ConnectorApi(url, token);
  try {
    const sessionId = await findSession(api, sipCallId);
    return sessionId === undefined ? undefined : flattened(await api.get(`/api/v1/calls/${sessionId}`));
  } catch {
    return undefined;
  }
}

async function findSession(api: ConnectorApi, sipCallId: string): Promise<string | undefined> {
  const page = (await api.get('/api/v1/calls?limit=50')) as { calls: { sessionId: string; sipCallId: string }[] };
  return page.calls.find((call) => call.sipCallId === sipCallId)?.sessionId;
}

/** The API shows the session's fields beside the lists, or under `session`. */
function flattened(detail: unknown): CallRecord {
  const record = detail as CallRecord & CallRecord['session'];
  return record.session ? record : { ...record, session: record };
}
