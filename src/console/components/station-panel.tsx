import type { FormEvent } from 'react';
import { useRemembered } from '../hooks/use-remembered.ts';
import type { Station } from '../phone/station.ts';

const STATES = {
  connecting: 'Signing in…',
  lost: 'The connection is lost; it is being restored. No calls come meanwhile.',
};

/** Lets callers who are handed over ring at this page, by a name. */
export function StationPanel({ station }: { station: Station }) {
  const { state, name, message } = station.view;
  const [draft, setDraft] = useRemembered('station');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (state !== 'off') return station.signOut();
    station.signIn(draft.trim());
  };
  return (
    <form className="panel station" aria-labelledby="station-title" onSubmit={submit}>
      <h2 id="station-title">Take calls</h2>
      {state === 'off' ? (
        <>
          <label htmlFor="station-name">Name</label>
          <input
            id="station-name"
            value={draft}
            required
            maxLength={64}
            pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
            title="Letters, digits, . _ -"
            placeholder="anna"
            autoComplete="off"
            onChange={(event) => setDraft(event.target.value)}
          />
          <p className="hint">
            Hand-over queues that call <code>phone:{draft.trim() || 'anna'}</code> ring here.
          </p>
        </>
      ) : (
        <p role="status">
          {state === 'ready' ? (
            <>
              Ready: calls for <b>phone:{name}</b> ring here.
            </>
          ) : (
            STATES[state]
          )}
        </p>
      )}
      {message && (
        <p className="form-error" role="alert">
          {message}
        </p>
      )}
      <button type="submit" className={state === 'off' ? 'button primary' : 'button'}>
        {state === 'off' ? 'Take calls' : 'Take no more calls'}
      </button>
    </form>
  );
}
