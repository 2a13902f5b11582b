import { memo, useEffect, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { Session, SupervisionState } from '../api/types.ts';
import { Chip } from '../components/chip.tsx';
import { LiveTranscript } from '../components/live-transcript.tsx';
import { Notice } from '../components/notice.tsx';
import { SupervisorControls } from '../components/supervisor-controls.tsx';
import { TopBar } from '../components/top-bar.tsx';
import { count, duration, party } from '../format.ts';
import { useLiveCalls } from '../hooks/use-live-calls.ts';
import { useNow } from '../hooks/use-now.ts';
import { usePolled } from '../hooks/use-polled.ts';
import { useRemembered } from '../hooks/use-remembered.ts';
import { useSteady } from '../hooks/use-steady.ts';
import { type Supervisor, useSupervisor } from '../hooks/use-supervisor.ts';

const EVERY_MS = 3000;
/** Calls that are in the document, the newest first: of thousands nobody reads more, they are looked for by number. */
const AT_ONCE = 50;
/** Of so many calls one begins or ends every few seconds: a list that moves under the pointer cannot be used. */
const MANY = 20;

/** All calls that go on, to listen to and to speak in with this browser's microphone; beside them the words of one. */
export function SupervisePage({ onSignOut }: { onSignOut: () => void }) {
  const { live, connection } = useLiveCalls();
  const supervisor = useSupervisor();
  const { place, note } = supervisor;
  // Who goes in or out, and a call that begins or ends, is seen at once.
  const { data, error } = usePolled(api.supervision, EVERY_MS, `${live.length} ${place?.supervisionId} ${place?.mode}`);
  const [name, setName] = useRemembered('name');
  const known = useMemo(() => knownOf(data, place?.supervisionId), [data, place?.supervisionId]);
  const [looked, setLooked] = useState('');
  const [most, setMost] = useState(AT_ONCE);
  const [pointed, setPointed] = useState(false);
  const found = useMemo(() => live.filter((call) => isFound(call, looked, place?.sessionId)), [live, looked, place]);
  const { shown, more } = useSteady(found, pointed && found.length > MANY);
  const rows = shown.filter(({ sessionId }, index) => index < most || sessionId === place?.sessionId);

  useEffect(() => {
    document.title = 'Supervise';
  }, []);

  return (
    <div className="shell">
      <TopBar live={live.length} connection={connection} onSignOut={onSignOut} />
      <main className="supervise-page">
        <header className="supervise-head">
          <h1>Supervise</h1>
          <label>
            Your name, for the record
            <input
              value={name}
              maxLength={64}
              autoComplete="off"
              disabled={place !== undefined}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          <label>
            Find a number
            <input
              type="search"
              value={looked}
              maxLength={64}
              autoComplete="off"
              onChange={(event) => {
                setLooked(event.target.value);
                setMost(AT_ONCE);
                // Wherever the pointer was left, it is not what the person looks at now.
                setPointed(false);
              }}
            />
          </label>
        </header>
        <section className="supervise-calls" aria-label="Calls that go on">
          {note && (
            <p className="form-note bad" role="alert">
              {note}
            </p>
          )}
          {error && !data && <Notice tone="error" title="Nobody can supervise calls" text={error} />}
          {live.length === 0 && connection === 'open' && (
            <Notice title="No call goes on" text="The next one appears here the moment it comes in." />
          )}
          {live.length > 0 && shown.length === 0 && (
            <Notice title="No such call goes on" text="Some digits of either side's number are enough." />
          )}
          <ul onPointerEnter={() => setPointed(true)} onPointerLeave={() => setPointed(false)}>
            {rows.map((call) => (
              <li key={call.sessionId}>
                <SupervisedCall call={call} {...known.get(call.sessionId)} supervisor={supervisor} name={name} />
              </li>
            ))}
          </ul>
          {shown.length > rows.length && (
            <p className="supervise-foot">
              {`The newest ${count(rows.length)} of ${count(shown.length)} calls. `}
              <button type="button" className="button" onClick={() => setMost(most + AT_ONCE)}>
                Show more
              </button>
            </p>
          )}
          {more > 0 && (
            <p className="supervise-foot" role="status">
              {`${count(more)} new ${more === 1 ? 'call' : 'calls'}, shown when the pointer leaves the list.`}
            </p>
          )}
        </section>
        <section className="supervise-words" aria-label="What is said">
          {place && <LiveTranscript key={place.sessionId} sessionId={place.sessionId} />}
          {!place && live.length > 0 && (
            <Notice title="Read along" text="What is said in the call you take part in appears here." />
          )}
        </section>
      </main>
    </div>
  );
}

/** By digits of either side's number, or what else is called; a call somebody takes part in is never out of sight. */
function isFound(call: Session, looked: string, own: string | undefined): boolean {
  const text = looked.trim().toLowerCase();
  if (text === '' || call.sessionId === own) return true;
  const digits = text.replace(/[\s()./-]/g, '');
  const sides = `${call.callerPhone} ${call.calledNumber}`.toLowerCase();
  return sides.includes(digits === '' ? text : digits) || party(call).toLowerCase().includes(text);
}

interface KnownCall {
  /** A person speaks with the caller; undefined while nobody can take part. */
  agent?: boolean;
  /** Other supervisors, in words. */
  others?: string;
}

/** What the connector tells of each call, by its session. */
function knownOf(state: SupervisionState | undefined, own: string | undefined): ReadonlyMap<string, KnownCall> {
  const known = new Map<string, KnownCall>();
  for (const { sessionId, agent } of state?.calls ?? []) known.set(sessionId, { agent });
  for (const { sessionId, supervisionId, name, mode, state: doing } of state?.supervisors ?? []) {
    if (sessionId === null || supervisionId === own) continue;
    const before = known.get(sessionId);
    const one = `${name} (${mode ?? doing})`;
    known.set(sessionId, { ...before, others: before?.others ? `${before.others}, ${one}` : one });
  }
  return known;
}

interface SupervisedCallProps extends KnownCall {
  call: Session;
  supervisor: Supervisor;
  name: string;
}

/** Drawn anew only when something of this call has changed: there may be thousands. */
const SupervisedCall = memo(function SupervisedCall({ call, agent, others, supervisor, name }: SupervisedCallProps) {
  const { sessionId } = call;
  const here = supervisor.place?.sessionId === sessionId;
  return (
    <article className={here ? 'panel supervised-call here' : 'panel supervised-call'}>
      <h2>
        <a href={`/calls/${sessionId}`}>{party(call)}</a>
        <span className="muted">{call.live ? <Length since={call.callStartTime} /> : 'Over'}</span>
        {agent && <Chip tone="info" text="With a person" />}
      </h2>
      {others && <p className="muted">{others}</p>}
      {agent !== undefined && call.live && (
        <SupervisorControls
          supervisor={supervisor}
          sessionId={sessionId}
          label={party(call)}
          agent={agent}
          name={name}
        />
      )}
    </article>
  );
});

function Length({ since }: { since: string }) {
  const now = useNow(true);
  return duration(now - new Date(since).getTime());
}
