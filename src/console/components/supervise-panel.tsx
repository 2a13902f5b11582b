import { type FormEvent, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';
import type { SupervisionMode } from '../api/types.ts';
import { usePolled } from '../hooks/use-polled.ts';
import { useRemembered } from '../hooks/use-remembered.ts';
import { useSupervisor } from '../hooks/use-supervisor.ts';
import { modesFor, SupervisorControls } from './supervisor-controls.tsx';

const EVERY_MS = 3000;

export interface SupervisePanelProps {
  sessionId: string;
  /** Grows with the call's events, after which the state is read anew. */
  changes: number;
}

/**
 * Supervisors of a live call: the person at this browser, who takes part with its microphone, and others, who wait on the
 * line or are dialled.
 */
export function SupervisePanel({ sessionId, changes }: SupervisePanelProps) {
  const { data, refresh } = usePolled(api.supervision, EVERY_MS, changes);
  const supervisor = useSupervisor();
  const [name, setName] = useRemembered('name');
  const [who, setWho] = useState('');
  const [note, setNote] = useState('');

  // Where nobody can supervise there is nothing to show.
  if (!data) return null;
  const own = supervisor.place?.supervisionId;
  const here = data.supervisors.filter((one) => one.sessionId === sessionId && one.supervisionId !== own);
  const waiting = data.supervisors.filter((one) => one.state === 'waiting');
  const call = data.calls.find((one) => one.sessionId === sessionId);
  const agent = call?.agent ?? false;
  const modes = modesFor(agent);
  const done = (work: Promise<unknown>) => {
    setNote('');
    work.then(refresh, (error: ApiError) => setNote(error.message));
  };
  const bring = (mode: SupervisionMode) => {
    const chosen = waiting.find((one) => one.supervisionId === who) ?? (who === '' ? waiting[0] : undefined);
    if (!chosen && who.trim() === '') return setNote('Nobody waits on the line: enter whom to dial.');
    done(api.supervise(sessionId, mode, chosen ? { supervisionId: chosen.supervisionId } : { to: who.trim() }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    bring('listen');
  };

  return (
    <section className="panel supervise" aria-labelledby="supervise-title">
      <h2 id="supervise-title">Supervise</h2>
      <div className="supervise-own">
        <SupervisorControls supervisor={supervisor} sessionId={sessionId} label="Take part" agent={agent} name={name} />
        <input
          aria-label="Your name, for the record"
          placeholder="Your name, for the record"
          value={name}
          maxLength={64}
          autoComplete="off"
          disabled={own !== undefined}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      {supervisor.note && (
        <p className="form-error" role="alert">
          {supervisor.note}
        </p>
      )}
      <ul className="supervise-list" aria-label="Supervisors in this call">
        {here.map((one) => (
          <li key={one.supervisionId}>
            <span>
              {one.name} {one.state === 'calling' ? 'is on the way' : ''}
            </span>
            {modes.map(({ mode, name: text }) => (
              <button
                key={mode}
                type="button"
                className="button"
                aria-label={`${text}, ${one.name}`}
                aria-pressed={one.mode === mode}
                disabled={one.state !== 'active'}
                onClick={() => done(api.changeSupervision(sessionId, one.supervisionId, mode))}
              >
                {text}
              </button>
            ))}
            <button
              type="button"
              className="button danger"
              aria-label={`Leave, ${one.name}`}
              onClick={() => done(api.endSupervision(sessionId, one.supervisionId))}
            >
              Leave
            </button>
          </li>
        ))}
      </ul>
      <details className="supervise-others">
        <summary>By telephone{waiting.length > 0 && ` (${waiting.length} on the line)`}</summary>
        <form onSubmit={submit} aria-label="Supervise by telephone">
          <input
            aria-label="Who is to supervise"
            value={who}
            maxLength={512}
            autoComplete="off"
            list="supervisors-waiting"
            placeholder={waiting.length > 0 ? `${waiting[0]!.name} waits on the line` : 'Number or SIP address to dial'}
            onChange={(event) => setWho(event.target.value)}
          />
          <datalist id="supervisors-waiting">
            {waiting.map((one) => (
              <option key={one.supervisionId} value={one.supervisionId} label={one.name} />
            ))}
          </datalist>
          <div className="supervise-modes">
            {modes.map(({ mode, name: text }) => (
              <button key={mode} type="button" className="button" onClick={() => bring(mode)}>
                {text}
              </button>
            ))}
          </div>
        </form>
        <p className="say-note" role="status">
          {note || (call ? `Or dial the supervisors’ line and key ${call.shortNumber}#.` : '')}
        </p>
      </details>
    </section>
  );
}
