import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { api } from '../api/client.ts';
import { HangUpIcon } from '../components/icons.tsx';
import { IncomingCall } from '../components/incoming-call.tsx';
import { Keypad } from '../components/keypad.tsx';
import { LevelMeters } from '../components/level-meters.tsx';
import { LiveTranscript } from '../components/live-transcript.tsx';
import { StationPanel } from '../components/station-panel.tsx';
import { TopBar } from '../components/top-bar.tsx';
import { duration } from '../format.ts';
import { useBrowserPhone } from '../hooks/use-browser-phone.ts';
import { useLiveCalls } from '../hooks/use-live-calls.ts';
import { useNow } from '../hooks/use-now.ts';
import type { PhoneState } from '../phone/browser-phone.ts';

const STATES: Record<PhoneState, string> = {
  idle: 'Ready to call',
  incoming: 'A call for you',
  connecting: 'Connecting…',
  ringing: 'Calling…',
  talking: 'Connected',
};

/** A telephone in the page, and beside it what is being said. */
export function PhonePage({ onSignOut }: { onSignOut: () => void }) {
  const { phone, station } = useBrowserPhone();
  const { view } = phone;
  const { live, connection } = useLiveCalls();
  const [sessionId, setSessionId] = useState<string>();
  const [to, setTo] = useState('bank');
  const [as, setAs] = useState('');
  const now = useNow(view.state === 'talking');
  const levels = useCallback(() => phone.levels(), [phone]);
  const press = useCallback((key: string) => phone.press(key), [phone]);
  const idle = view.state === 'idle';

  useEffect(() => {
    document.title = 'Phone';
  }, []);
  const found = live.find(({ sipCallId }) => sipCallId === view.callId)?.sessionId;
  const shown = view.incoming?.sessionId ?? found;
  useEffect(() => {
    if (shown) setSessionId(shown);
  }, [shown]);

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setSessionId(undefined);
    void phone.call(async () => ({ session: await api.phoneSession(), to: to.trim() || 'bank', as }));
  };

  return (
    <div className="shell">
      <TopBar live={live.length} connection={connection} onSignOut={onSignOut} />
      <main className="phone">
        <div className="phone-side">
          <IncomingCall phone={phone} />
          <section className="panel phone-card" aria-labelledby="phone-title">
            <h1 id="phone-title">Phone</h1>
            <p className={`phone-state ${view.state}`} role="status">
              {STATES[view.state]}
              {view.since !== undefined && <span> · {duration(now - view.since)}</span>}
            </p>
            {view.message && (
              <p className="form-error" role="alert">
                {view.message}
              </p>
            )}
            <form onSubmit={onSubmit}>
              <label htmlFor="phone-to">Number to call</label>
              <input id="phone-to" value={to} onChange={(event) => setTo(event.target.value)} disabled={!idle} />
              <label htmlFor="phone-as">Your number</label>
              <input
                id="phone-as"
                value={as}
                placeholder="withheld"
                inputMode="tel"
                onChange={(event) => setAs(event.target.value)}
                disabled={!idle}
              />
              {idle || view.state === 'incoming' ? (
                <button type="submit" className="button primary" disabled={!idle}>
                  Call
                </button>
              ) : (
                <div className="phone-actions">
                  <button
                    type="button"
                    className="button"
                    aria-pressed={view.muted}
                    disabled={view.state !== 'talking'}
                    onClick={() => phone.mute(!view.muted)}
                  >
                    {view.muted ? 'Unmute' : 'Mute'}
                  </button>
                  <button type="button" className="button danger solid" onClick={() => phone.hangUp()}>
                    <HangUpIcon />
                    Hang up
                  </button>
                </div>
              )}
            </form>
            <LevelMeters levels={levels} other={view.incoming ? 'Caller' : 'Bot'} />
            <Keypad onKey={press} disabled={view.state !== 'talking'} />
          </section>
          <StationPanel station={station} />
        </div>
        {sessionId ? (
          <LiveTranscript key={sessionId} sessionId={sessionId} />
        ) : (
          <section className="panel">
            <p className="empty">What is said appears here.</p>
          </section>
        )}
      </main>
    </div>
  );
}
