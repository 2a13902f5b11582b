import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, api } from '../api/client.ts';
import { follow } from '../api/live.ts';
import type { CallDetail, CallEvent, Utterance } from '../api/types.ts';

const REREAD_MS = 1500;

export interface CallState {
  call: CallDetail | undefined;
  error: ApiError | undefined;
  retry(): void;
}

/** One call; while it is live it is followed by the event stream, and read again for what the stream does not carry. */
export function useCall(sessionId: string): CallState {
  const [call, setCall] = useState<CallDetail>();
  const [error, setError] = useState<ApiError>();
  const timer = useRef<number>(undefined);
  const reading = useRef<AbortController>(undefined);

  const read = useCallback(() => {
    reading.current?.abort();
    const abort = new AbortController();
    reading.current = abort;
    api.call(sessionId, abort.signal).then(
      (fresh) => {
        if (abort.signal.aborted) return;
        setError(undefined);
        setCall((before) => (before?.sessionId === sessionId ? mergeDetail(before, fresh) : fresh));
      },
      (failure: unknown) => {
        if (abort.signal.aborted) return;
        setError(failure instanceof ApiError ? failure : new ApiError(0, String(failure)));
      },
    );
  }, [sessionId]);

  const readSoon = useCallback(() => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(read, REREAD_MS);
  }, [read]);

  useEffect(() => {
    setCall(undefined);
    setError(undefined);
    read();
    return () => {
      reading.current?.abort();
      window.clearTimeout(timer.current);
    };
  }, [read]);

  const live = call?.sessionId === sessionId && call.live;
  useEffect(() => {
    if (!live) return;
    const change = (next: (before: CallDetail) => CallDetail) =>
      setCall((before) => (before?.sessionId === sessionId ? next(before) : before));
    return follow(`/calls/${sessionId}/events`, {
      onSync: read,
      onMissed: read,
      onSession: (session) => {
        change((before) => ({ ...before, ...session }));
        readSoon();
      },
      onUtterance: (utterance) =>
        change((before) => ({ ...before, utterances: putUtterance(before.utterances, utterance) })),
      onEvent: (event) => {
        change((before) => ({ ...before, events: putEvent(before.events, event) }));
        // Transactions are not on the stream; an event often means that one began or ended.
        readSoon();
      },
    });
  }, [live, sessionId, read, readSoon]);

  return { call: call?.sessionId === sessionId ? call : undefined, error, retry: read };
}

/** A reading may be older than what the stream brought meanwhile: rows it lacks are kept, while the call is live. */
function mergeDetail(before: CallDetail, fresh: CallDetail): CallDetail {
  if (!fresh.live) return { ...fresh, utterances: before.utterances.reduce(addUtterance, fresh.utterances) };
  return {
    ...fresh,
    utterances: before.utterances.reduce(addUtterance, fresh.utterances),
    events: before.events.reduce(
      (rows, row) => (rows.some((one) => one.eventId === row.eventId) ? rows : putEvent(rows, row)),
      fresh.events,
    ),
  };
}

function addUtterance(rows: Utterance[], row: Utterance): Utterance[] {
  return rows.some((one) => one.utteranceId === row.utteranceId) ? rows : putUtterance(rows, row);
}

function putUtterance(rows: Utterance[], row: Utterance): Utterance[] {
  const others = rows.filter((one) => one.utteranceId !== row.utteranceId);
  return [...others, row].sort((a, b) => a.sequence - b.sequence);
}

function putEvent(rows: CallEvent[], row: CallEvent): CallEvent[] {
  const others = rows.filter((one) => one.eventId !== row.eventId);
  return [...others, row].sort((a, b) => (a.at < b.at ? -1 : 1));
}
