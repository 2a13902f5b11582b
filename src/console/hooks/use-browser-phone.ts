import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { BrowserPhone } from '../phone/browser-phone.ts';

/** One phone for as long as the page is shown; leaving the page hangs up. */
export function useBrowserPhone(): BrowserPhone {
  const { phone, subscribe } = useMemo(() => {
    const listeners = new Set<() => void>();
    const made = new BrowserPhone(() => {
      for (const listener of listeners) listener();
    });
    return {
      phone: made,
      subscribe: (listener: () => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
  }, []);
  useSyncExternalStore(subscribe, () => phone.view);
  useEffect(() => {
    const leave = () => phone.hangUp();
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, [phone]);
  return phone;
}
