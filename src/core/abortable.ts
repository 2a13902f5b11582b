import { setTimeout as sleep } from 'node:timers/promises';
import type { Ms } from './clock.ts';

/** Resolves in `ms`, and at once when `signal` aborts: never rejects. */
export async function rest(ms: Ms, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Waits for `work`, for `ms` at most: was it done by then? It goes on by itself otherwise. Rejects as it does. */
export async function doneWithin(ms: Ms, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
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
