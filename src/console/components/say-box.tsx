import { type FormEvent, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';

/** Staff speak to the caller in the bot's voice, while the call is live. */
export function SayBox({ sessionId }: { sessionId: string }) {
  const [text, setText] = useState('');
  const [replace, setReplace] = useState(false);
  const [sending, setSending] = useState(false);
  const [note, setNote] = useState('');

  const send = (event: FormEvent) => {
    event.preventDefault();
    setSending(true);
    setNote('');
    api
      .say(sessionId, text.trim(), replace)
      .then(
        () => {
          setText('');
          setNote(replace ? 'Cuts in as soon as the caller is silent.' : 'Will be said when nobody speaks.');
        },
        (error: ApiError) => setNote(error.message),
      )
      .finally(() => setSending(false));
  };

  return (
    <form className="panel say-box" onSubmit={send}>
      <label htmlFor="say-text">Say to the caller</label>
      <input
        id="say-text"
        value={text}
        maxLength={1000}
        autoComplete="off"
        placeholder="In the assistant’s voice"
        onChange={(event) => setText(event.target.value)}
      />
      <label className="say-now">
        <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.target.checked)} />
        Cut in
      </label>
      <button type="submit" className="button primary" disabled={sending || text.trim() === ''}>
        Say
      </button>
      <p className="say-note" role="status">
        {note}
      </p>
    </form>
  );
}
