import { useCallback, useEffect, useRef, useState } from 'react';
import { type ApiError, api, type ListQuery } from '../api/client.ts';
import type { CallSummary, Session } from '../api/types.ts';
import type { Filters } from './use-route.ts';

const FIRST_PAGE = 60;
const NEXT_PAGE = 200;
/** Pages on the way to a remembered place. */
const RESTORE_PAGE = 500;
/** The archive is written a moment after a call ends. */
const ARCHIVE_DELAY_MS = 1200;

export interface StoredCalls {
  calls: CallSummary[];
  state: 'loading' | 'ready' | 'failed';
  error: string | undefined;
  /** There are more on the server. */
  more: boolean;
  loadMore(): void;
  /** Reads the newest page again and merges it in; a call that has ended is shown so at once. */
  refresh(ended?: Session): void;
  retry(): void;
}

interface List {
  calls: CallSummary[];
  cursor: string | null;
  state: StoredCalls['state'];
  error?: string;
}

const EMPTY: List = { calls: [], cursor: null, state: 'loading' };

/** The stored calls that match the filters, page by page, up to `row` at once when a place is to be found again. */
export function useStoredCalls(filters: Filters, row: number): StoredCalls {
  const [list, setList] = useState<List>(EMPTY);
  const [attempt, setAttempt] = useState(0);
  const job = useRef<AbortController>(undefined);
  const current = useRef(list);
  current.current = list;
  const place = useRef(row);
  place.current = row;
  /** Of the next refresh, and whether another one was asked for meanwhile. */
  const timer = useRef<number>(undefined);
  const again = useRef(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` starts it again
  useEffect(() => {
    const abort = new AbortController();
    job.current?.abort();
    job.current = abort;
    const wanted = place.current > 0 ? place.current + FIRST_PAGE : 0;
    setList((before) => ({ ...before, state: 'loading', error: undefined }));
    void (async () => {
      try {
        let calls: CallSummary[] = [];
        let cursor: string | null = null;
        do {
          const size = wanted > 0 ? Math.min(RESTORE_PAGE, Math.max(FIRST_PAGE, wanted - calls.length)) : FIRST_PAGE;
          const page = await api.calls(queryOf(filters), size, cursor ?? undefined, abort.signal);
          calls = calls.concat(page.calls);
          cursor = page.nextCursor;
        } while (cursor !== null && calls.length < wanted);
        if (!abort.signal.aborted) setList({ calls, cursor, state: 'ready' });
      } catch (error) {
        if (!abort.signal.aborted) setList({ ...EMPTY, state: 'failed', error: (error as ApiError).message });
      } finally {
        if (job.current === abort) job.current = undefined;
      }
    })();
    return () => {
      abort.abort();
      // A refresh for other filters is void.
      window.clearTimeout(timer.current);
      timer.current = undefined;
      again.current = false;
    };
  }, [filters, attempt]);

  const loadMore = useCallback(() => {
    const { cursor, state } = current.current;
    if (cursor === null || state !== 'ready' || job.current) return;
    const abort = new AbortController();
    job.current = abort;
    void api
      .calls(queryOf(filters), NEXT_PAGE, cursor, abort.signal)
      .then((page) => {
        if (abort.signal.aborted) return;
        setList((before) => ({ ...before, calls: mergeCalls(before.calls, page.calls), cursor: page.nextCursor }));
      })
      .catch((error: ApiError) => {
        if (!abort.signal.aborted) setList((before) => ({ ...before, error: error.message }));
      })
      .finally(() => {
        if (job.current === abort) job.current = undefined;
      });
  }, [filters]);

  const refresh = useCallback(
    (ended?: Session) => {
      if (ended) {
        setList((before) => ({
          ...before,
          calls: before.calls.map((call) => (call.sessionId === ended.sessionId ? { ...call, ...ended } : call)),
        }));
      }
      // Where calls end all the time it is read all the time: each one's end must not put it off.
      if (timer.current !== undefined) {
        again.current = true;
        return;
      }
      const read = () => {
        timer.current = again.current ? window.setTimeout(read, ARCHIVE_DELAY_MS) : undefined;
        again.current = false;
        void api
          .calls(queryOf(filters), FIRST_PAGE)
          .then((page) =>
            setList((before) => {
              if (before.state !== 'ready') return before;
              return { ...before, error: undefined, calls: mergeCalls(before.calls, page.calls) };
            }),
          )
          .catch(() => undefined);
      };
      timer.current = window.setTimeout(read, ARCHIVE_DELAY_MS);
    },
    [filters],
  );
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return {
    calls: list.calls,
    state: list.state,
    error: list.error,
    more: list.cursor !== null,
    loadMore,
    refresh,
    retry,
  };
}

/** Both lists in one, newest first, each call once; of two versions of a call the one from `page`. */
function mergeCalls(before: CallSummary[], page: CallSummary[]): CallSummary[] {
  const rows = new Map(before.map((call) => [call.sessionId, call]));
  for (const call of page) rows.set(call.sessionId, call);
  return [...rows.values()].sort((a, b) => {
    if (a.callStartTime !== b.callStartTime) return a.callStartTime < b.callStartTime ? 1 : -1;
    return a.sessionId < b.sessionId ? 1 : -1;
  });
}

/** Local days become times: `from` begins at its midnight, `to` is included to its end. */
function queryOf(filters: Filters): ListQuery {
  const midnight = (day: string, plus: number) => {
    const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
    if (!match) return undefined;
    return new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + plus).toISOString();
  };
  return {
    text: filters.text.trim(),
    status: filters.status,
    caller: filters.caller.trim(),
    from: midnight(filters.from, 0),
    to: midnight(filters.to, 1),
  };
}
