import { useCallback, useEffect, useMemo, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';
import type { SupervisionMode } from '../api/types.ts';
import type { BrowserPhone, PhoneView } from '../phone/browser-phone.ts';
import { useBrowserPhone } from './use-browser-phone.ts';

/** The person at this browser as a supervisor: one call at a time, with the browser's microphone and loudspeaker. */
export interface Supervisor {
  phone: BrowserPhone;
  /** What the phone shows. */
  view: PhoneView;
  /** Where they are, or on the way to. */
  place: { sessionId: string; supervisionId: string; mode: SupervisionMode } | undefined;
  /** Why something asked for did not come about. */
  note: string;
  /** Takes part in a call; leaves the one before. */
  enter(sessionId: string, mode: SupervisionMode, name: string): void;
  change(mode: SupervisionMode): void;
  /** Whether a person speaks with the caller: some modes become others when one comes or goes, at the connector too. */
  settle(agent: boolean): void;
  leave(): void;
}

export function useSupervisor(): Supervisor {
  const { phone } = useBrowserPhone();
  const [place, setPlace] = useState<Supervisor['place']>();
  const [refusal, setRefusal] = useState('');
  const { view } = phone;
  const { state, message } = view;

  useEffect(() => {
    if (state === 'idle') setPlace(undefined);
  }, [state]);

  const enter = useCallback(
    (sessionId: string, mode: SupervisionMode, name: string) => {
      phone.hangUp();
      setRefusal('');
      void phone.call(async () => {
        const { supervisionId, phone: session } = await api.superviseHere(sessionId, mode, name);
        setPlace({ sessionId, supervisionId, mode });
        return {
          session,
          to: 'supervisor',
          as: '',
          gone: 'You are out of the call: it is over, or somebody took you out.',
          giveUp: () => void api.endSupervision(sessionId, supervisionId).catch(() => undefined),
        };
      });
    },
    [phone],
  );
  const change = useCallback(
    (mode: SupervisionMode) => {
      if (!place) return;
      setRefusal('');
      api.changeSupervision(place.sessionId, place.supervisionId, mode).then(
        () => setPlace({ ...place, mode }),
        (error: ApiError) => setRefusal(error.message),
      );
    },
    [place],
  );
  const settle = useCallback((agent: boolean) => {
    setPlace((now) => now && { ...now, mode: settledMode(now.mode, agent) });
  }, []);
  const leave = useCallback(() => phone.hangUp(), [phone]);
  const note = refusal || message || '';
  // Another one when the phone shows something else, and only then: thousands of calls may be drawn with it.
  return useMemo(
    () => ({ phone, view, place, note, enter, change, settle, leave }),
    [phone, view, place, note, enter, change, settle, leave],
  );
}

function settledMode(mode: SupervisionMode, agent: boolean): SupervisionMode {
  if (mode === 'whisper' && !agent) return 'listen';
  return mode === 'take-over' && agent ? 'join' : mode;
}
