import { useCallback, useEffect, useRef, useState } from 'react';

export interface Polled<T> {
  /** The last answer; stays while a newer one is waited for. */
  data: T | undefined;
  /** Why the last reading failed. */
  error: string | undefined;
  /** The answer is of another `load` than the one there is now, or there is none yet. */
  loading: boolean;
  refresh: () => void;
}

/** However often there is a new reason, reading is not done more often: with hundreds of calls a minute there always is one. */
const LEAST_MS = 500;

/**
 * Reads now and `everyMs` after each answer; only once without. `load` is a stable function: another one is read at
 * once, and so is a new value of `because`, though what is being read is waited for. A page that nobody looks at asks
 * nothing.
 */
export function usePolled<T>(
  load: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
  because?: unknown,
): Polled<T> {
  const [view, setView] = useState<{ data?: T; error?: string; of?: unknown }>({});
  const [round, setRound] = useState(0);
  const again = useRef<() => void>(undefined);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round reads anew
  useEffect(() => {
    const aborter = new AbortController();
    const { signal } = aborter;
    let timer: number | undefined;
    let reading = false;
    let readAt = 0;
    let wanted = false;
    const later = (ms: number | undefined) => {
      window.clearTimeout(timer);
      if (ms !== undefined && !signal.aborted) timer = window.setTimeout(tick, ms);
    };
    const read = () => {
      reading = true;
      wanted = false;
      return load(signal)
        .then(
          (data) => signal.aborted || setView({ data, of: load }),
          (error: Error) => signal.aborted || setView((before) => ({ ...before, error: error.message, of: load })),
        )
        .finally(() => {
          reading = false;
          readAt = performance.now();
          later(wanted ? LEAST_MS : everyMs);
        });
    };
    const tick = () => (document.hidden ? later(everyMs ?? LEAST_MS) : void read());
    again.current = () => {
      if (reading) wanted = true;
      else later(Math.max(0, LEAST_MS - (performance.now() - readAt)));
    };
    void read();
    return () => {
      aborter.abort();
      window.clearTimeout(timer);
    };
  }, [load, everyMs, round]);

  const before = useRef(because);
  useEffect(() => {
    if (before.current === because) return;
    before.current = because;
    again.current?.();
  }, [because]);

  const refresh = useCallback(() => setRound((before) => before + 1), []);
  return { data: view.data, error: view.error, loading: view.of !== load, refresh };
}
