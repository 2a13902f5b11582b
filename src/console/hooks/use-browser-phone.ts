import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { BrowserPhone } from '../phone/browser-phone.ts';
import { Station } from '../phone/station.ts';

/** One phone for as long as the page is shown; leaving the page hangs up, and signs out. */
export function useBrowserPhone(): { phone: BrowserPhone; station: Station } {
  const { phone, station, subscribe } = useMemo(() => {
    const listeners = new Set<() => void>();
    const changed = () => {
      for (const listener of listeners) listener();
    };
    const made = new BrowserPhone(changed);
    return {
      phone: made,
      station: new Station(made, changed),
      subscribe: (listener: () => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
  }, []);
  useSyncExternalStore(subscribe, () => phone.view);
  useSyncExternalStore(subscribe, () => station.view);
  useEffect(() => {
    const leave = () => {
      phone.hangUp();
      station.signOut();
    };
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, [phone, station]);
  return useMemo(() => ({ phone, station }), [phone, station]);
}
