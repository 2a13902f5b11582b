import { useCallback, useEffect, useState } from 'react';

export interface Polled<T> {
  /** The last answer; stays while a newer one is waited for. */
  data: T | undefined;
  /** Why the last reading failed. */
  error: string | undefined;
  /** The answer is of another `load` than the one there is now, or there is none yet. */
  loading: boolean;
  refresh: () => void;
}

/**
 * Reads now and `everyMs` after each answer; only once without. `load` is a stable function: another one is read at
 * once, and so is a new value of `because`. A page that nobody looks at asks nothing.
 */
export function usePolled<T>(
  load: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
  because?: unknown,
): Polled<T> {
  const [view, setView] = useState<{ data?: T; error?: string; of?: unknown }>({});
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round, and a new reason, reads anew
  useEffect(() => {
    const aborter = new AbortController();
    const { signal } = aborter;
    let timer: number | undefined;
    const later = () => {
      if (everyMs !== undefined && !signal.aborted) timer = window.setTimeout(tick, everyMs);
    };
    const read = () =>
      load(signal)
        .then(
          (data) => signal.aborted || setView({ data, of: load }),
          (error: Error) => signal.aborted || setView((before) => ({ ...before, error: error.message, of: load })),
        )
        .finally(later);
    const tick = () => (document.hidden ? later() : void read());
    void read();
    return () => {
      aborter.abort();
      window.clearTimeout(timer);
    };
  }, [load, everyMs, round, because]);

  const refresh = useCallback(() => setRound((before) => before + 1), []);
  return { data: view.data, error: view.error, loading: view.of !== load, refresh };
}
