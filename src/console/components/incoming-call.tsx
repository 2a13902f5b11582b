import { useEffect, useRef } from 'react';
import type { BrowserPhone } from '../phone/browser-phone.ts';
import { startRinging } from '../phone/ringer.ts';

/** A caller who is handed over: what it is about, to take or to decline. */
export function IncomingCall({ phone }: { phone: BrowserPhone }) {
  const { state, incoming } = phone.view;
  const rings = state === 'incoming';
  const accept = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!rings) return;
    accept.current?.focus();
    const before = document.title;
    document.title = 'Call for you';
    const stop = startRinging();
    return () => {
      stop();
      document.title = before;
    };
  }, [rings]);
  if (!incoming) return null;
  return (
    <section className={rings ? 'panel incoming rings' : 'panel incoming'} aria-labelledby="incoming-title">
      <h2 id="incoming-title">{rings ? 'A call for you' : 'Your call'}</h2>
      <p className="briefing" role={rings ? 'alert' : undefined}>
        {incoming.briefing || 'Nothing is known of the caller.'}
      </p>
      {incoming.sessionId && (
        <a href={`/calls/${incoming.sessionId}`} target="_blank" rel="noreferrer">
          The whole call
        </a>
      )}
      {rings && (
        <div className="phone-actions">
          <button ref={accept} type="button" className="button primary" onClick={() => void phone.answer()}>
            Accept
          </button>
          <button type="button" className="button danger" onClick={() => phone.hangUp()}>
            Decline
          </button>
        </div>
      )}
    </section>
  );
}
