import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import { type Connection, follow, type LiveHandlers } from '../api/live.ts';
import type { Session } from '../api/types.ts';

const ALL_CALLS = '/events?types=session';
/** A change is shown at once; where they come by the dozen a second, those of this long together. */
const TOGETHER_MS = 200;

/**
 * The calls going on now, kept up to date by the event stream. `onStored` is called when the stored list has something
 * new: a call has ended, or the connection is back and anything may have happened.
 */
export function useLiveCalls(onStored?: (ended?: Session) => void): { live: Session[]; connection: Connection } {
  const [live, setLive] = useState<Session[]>([]);
  const [connection, setConnection] = useState<Connection>('connecting');
  const stored = useRef(onStored);
  stored.current = onStored;

  useEffect(() => {
    let syncs = 0;
    const changed = new Map<string, Session>();
    let shownAt = 0;
    let timer: number | undefined;
    const show = () => {
      timer = undefined;
      shownAt = performance.now();
      const now = new Map(changed);
      changed.clear();
      setLive((before) => {
        const others = before.filter(({ sessionId }) => !now.has(sessionId));
        return [...others, ...[...now.values()].filter((session) => session.live)].sort(byStart);
      });
    };
    const handlers: LiveHandlers = {
      onConnection: (state) => {
        setConnection(state);
        // A stream that is refused tells no status; this request does, and leads to the sign-in where that is why.
        if (state === 'lost') void api.signedIn().catch(() => undefined);
      },
      onSync: (active) => {
        changed.clear();
        setLive(active.sort(byStart));
        if (syncs++ > 0) stored.current?.();
      },
      onSession: (session) => {
        changed.set(session.sessionId, session);
        timer ??= window.setTimeout(show, Math.max(0, shownAt + TOGETHER_MS - performance.now()));
        if (!session.live) stored.current?.(session);
      },
      // A call that ended meanwhile would stand there for ever: the present state comes with a new stream.
      onMissed: () => {
        stop();
        stop = follow(ALL_CALLS, handlers);
      },
    };
    let stop = follow(ALL_CALLS, handlers);
    return () => {
      window.clearTimeout(timer);
      stop();
    };
  }, []);

  return { live, connection };
}

const byStart = (a: Session, b: Session) => (a.callStartTime < b.callStartTime ? 1 : -1);
