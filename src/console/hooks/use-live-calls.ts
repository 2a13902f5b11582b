import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import { type Connection, follow, type LiveHandlers } from '../api/live.ts';
import type { Session } from '../api/types.ts';

const ALL_CALLS = '/events?types=session';

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
    const handlers: LiveHandlers = {
      onConnection: (state) => {
        setConnection(state);
        // A stream that is refused tells no status; this request does, and leads to the sign-in where that is why.
        if (state === 'lost') void api.signedIn().catch(() => undefined);
      },
      onSync: (active) => {
        setLive(active.sort(byStart));
        if (syncs++ > 0) stored.current?.();
      },
      onSession: (session) => {
        setLive((before) => {
          const others = before.filter((one) => one.sessionId !== session.sessionId);
          return session.live ? [...others, session].sort(byStart) : others;
        });
        if (!session.live) stored.current?.(session);
      },
      // A call that ended meanwhile would stand there for ever: the present state comes with a new stream.
      onMissed: () => {
        stop();
        stop = follow(ALL_CALLS, handlers);
      },
    };
    let stop = follow(ALL_CALLS, handlers);
    return () => stop();
  }, []);

  return { live, connection };
}

const byStart = (a: Session, b: Session) => (a.callStartTime < b.callStartTime ? 1 : -1);
