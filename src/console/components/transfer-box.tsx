import { type FormEvent, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';
import type { CallDetail, CallEvent } from '../api/types.ts';

/** Staff hand the caller over to a person, or take them back, while the call is live. */
export function TransferBox({ call }: { call: CallDetail }) {
  const [to, setTo] = useState('');
  const [how, setHow] = useState('auto');
  const [sending, setSending] = useState(false);
  const [error, setError] = useState('');
  const standing = standingOf(call.events);

  const act = (request: Promise<unknown>) => {
    setSending(true);
    setError('');
    request.catch((refusal: ApiError) => setError(refusal.message)).finally(() => setSending(false));
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    act(api.transfer(call.sessionId, target(to.trim(), how)));
  };

  return (
    <form className="panel say-box transfer-box" onSubmit={send}>
      <label htmlFor="transfer-to">Hand over to</label>
      <input
        id="transfer-to"
        value={to}
        maxLength={512}
        autoComplete="off"
        placeholder="A queue, a number or a SIP address"
        disabled={standing.underWay}
        onChange={(event) => setTo(event.target.value)}
      />
      <select
        aria-label="How"
        value={how}
        disabled={standing.underWay}
        onChange={(event) => setHow(event.target.value)}
      >
        <option value="auto">as configured</option>
        <option value="refer">send away</option>
        <option value="attended">announce, then send</option>
        <option value="bridge">through us</option>
      </select>
      {standing.underWay ? (
        <button type="button" className="button" disabled={sending} onClick={() => act(api.recall(call.sessionId))}>
          Take back
        </button>
      ) : (
        <button type="submit" className="button primary" disabled={sending || to.trim() === ''}>
          Transfer
        </button>
      )}
      <p className="say-note" role="status">
        {error || standing.words}
      </p>
    </form>
  );
}

/** What looks like a number or an address is one; anything else is the name of a queue. */
function target(text: string, how: string): { to?: string; queue?: string; how?: string } {
  const place = /^(\+?[0-9*#().\s-]+|(sips?|tel|phone):.+)$/i.test(text) ? { to: text } : { queue: text };
  return how === 'auto' ? place : { ...place, how };
}

const WORDS: Record<string, (who: string) => string> = {
  'handover-started': () => 'Somebody is being looked for; the caller waits.',
  'handover-referring': () => 'The caller’s side has been asked to transfer the call.',
  'handover-calling': (who) => `Calling ${who}.`,
  'handover-progress': (who) => `${who}’s telephone rings.`,
  'handover-answered': (who) => `${who} hears what it is about.`,
  'handover-connected': (who) => `${who} talks to the caller.`,
};

/** Where the last hand-over stands, from the events of the call. */
export function standingOf(events: readonly CallEvent[]): { underWay: boolean; words: string } {
  const told = events.filter(({ type }) => type.startsWith('handover-'));
  const end = told.findLast(({ type }) => type === 'handover-ended');
  const begun = told.findLast(({ type }) => type === 'handover-started');
  if (begun === undefined) return { underWay: false, words: '' };
  const passed = told.findLast(({ type }) => type === 'handover-passed-on');
  if (passed?.data.reached === false && end && told.indexOf(passed) > told.indexOf(end)) {
    return {
      underWay: true,
      words: `${String(passed.data.to)} did not take the call; who wanted that has the caller again.`,
    };
  }
  if (end && told.some(({ type, data }) => type === end.type && data.handoverId === begun.data.handoverId)) {
    return { underWay: false, words: `The last transfer: ${String(end.data.outcome).replaceAll('-', ' ')}.` };
  }
  const { type, data } = told.findLast((event) => event.type in WORDS && !isSilent(event)) ?? begun;
  const who = typeof data.target === 'string' ? data.target : '';
  return { underWay: true, words: WORDS[type]?.(who) ?? '' };
}

/** 100 says that somebody is being called, not that it rings (RFC 3515 2.4.5). */
function isSilent({ type, data }: CallEvent): boolean {
  return type === 'handover-progress' && !(Number(data.status) >= 180 && Number(data.status) <= 183);
}
