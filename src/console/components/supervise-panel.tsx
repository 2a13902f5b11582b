import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';
import type { SupervisionMode, SupervisionState } from '../api/types.ts';

const MODES: readonly { mode: SupervisionMode; name: string; agent?: boolean }[] = [
  { mode: 'listen', name: 'Listen' },
  { mode: 'whisper', name: 'Whisper', agent: true },
  { mode: 'join', name: 'Join', agent: true },
  { mode: 'take-over', name: 'Take over', agent: false },
];
const REREAD_MS = 3000;

/**
 * Supervisors of a live call: bring one in who waits on the line or is dialled, and say how they take part. `changes`:
 * grows with the call's events, after which the state is read anew. `agent`: a person speaks with the caller.
 */
export function SupervisePanel({ sessionId, changes, agent }: { sessionId: string; changes: number; agent: boolean }) {
  const [state, setState] = useState<SupervisionState>();
  const [who, setWho] = useState('');
  const [note, setNote] = useState('');

  const read = useCallback(() => {
    // Where nobody can supervise there is nothing to show.
    api.supervision().then(setState, () => undefined);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an event of the call means that something may have changed.
  useEffect(() => {
    read();
    const timer = window.setInterval(read, REREAD_MS);
    return () => window.clearInterval(timer);
  }, [read, changes]);

  if (!state) return null;
  const here = state.supervisors.filter((one) => one.sessionId === sessionId);
  const waiting = state.supervisors.filter((one) => one.state === 'waiting');
  const number = state.calls.find((call) => call.sessionId === sessionId)?.shortNumber;
  const modes = MODES.filter((one) => one.agent === undefined || one.agent === agent);
  const done = (work: Promise<unknown>) => {
    setNote('');
    work.then(read, (error: ApiError) => setNote(error.message));
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
    <form className="panel supervise" onSubmit={submit} aria-label="Supervise">
      <label htmlFor="supervisor">Supervise</label>
      <input
        id="supervisor"
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
        {modes.map(({ mode, name }) => (
          <button key={mode} type="button" className="button" onClick={() => bring(mode)}>
            {name}
          </button>
        ))}
      </div>
      <ul className="supervise-list">
        {here.map(({ supervisionId, name, mode, state: at }) => (
          <li key={supervisionId}>
            <span>
              {name} {at === 'calling' ? 'is being called' : ''}
            </span>
            {modes.map((one) => (
              <button
                key={one.mode}
                type="button"
                className="button"
                aria-pressed={mode === one.mode}
                disabled={at !== 'active'}
                onClick={() => done(api.changeSupervision(sessionId, supervisionId, one.mode))}
              >
                {one.name}
              </button>
            ))}
            <button
              type="button"
              className="button danger"
              onClick={() => done(api.endSupervision(sessionId, supervisionId))}
            >
              Leave
            </button>
          </li>
        ))}
      </ul>
      <p className="say-note" role="status">
        {note || (number ? `By telephone: dial the supervisors’ line and key ${number}#.` : '')}
      </p>
    </form>
  );
}
