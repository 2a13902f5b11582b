import { type FormEvent, useEffect, useRef, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';
import { Mark } from '../components/icons.tsx';

export function SignInPage({ onSignedIn }: { onSignedIn: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    document.title = 'Sign in · Voice console';
    input.current?.focus();
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? '';
    if (!token) {
      setError('Enter the admin token.');
      return;
    }
    setBusy(true);
    setError('');
    api.signIn(token).then(onSignedIn, (failure: ApiError) => {
      setBusy(false);
      setError(failure.message);
      input.current?.select();
    });
  };

  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit} noValidate>
        <Mark />
        <h1>Voice console</h1>
        <p className="muted">Calls taken by the voice connector: transcripts, recordings and transactions.</p>
        <label htmlFor="token">Admin token</label>
        <input
          ref={input}
          id="token"
          name="token"
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          aria-describedby="token-hint"
          aria-invalid={error !== ''}
        />
        <p id="token-hint" className="hint">
          The connector prints it once, at its first start.
        </p>
        <p className="form-error" role="alert">
          {error}
        </p>
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
