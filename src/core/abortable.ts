import { setTimeout as sleep } from 'node:timers/promises';
import type { Ms } from './clock.ts';

/** Resolves in `ms`, and at once when `signal` aborts: never rejects. */
export async function rest(ms: Ms, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * Waits for `work`, or until `signal` aborts: then resolves undefined at once while `work` goes on by itself.
 * Leaves no listener behind.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let stop = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
