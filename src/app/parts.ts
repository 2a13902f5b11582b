import type { Scope } from '../core/scope.ts';

const CLEAN_UP_EVERY_MS = 10 * 60_000;

/** Registers the part's close at once, so that the order of closing is the order written here, not of readiness. */
export function opened<T extends { close(): Promise<void> }>(scope: Scope, name: string, part: Promise<T>): Promise<T> {
  scope.onClose(name, async () => {
    const open = await part.catch(() => undefined);
    await open?.close();
  });
  return part;
}

type Started<T> = { [K in keyof T]: Awaited<T[K]> };

/** Waits for all, also when one fails, so that what did start is known to the scope before it is closed. */
export async function together<T extends Record<string, Promise<unknown>>>(parts: T): Promise<Started<T>> {
  const settled = await Promise.allSettled(Object.values(parts));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const values = settled.map((one) => (one as PromiseFulfilledResult<unknown>).value);
  return Object.fromEntries(Object.keys(parts).map((key, i) => [key, values[i]])) as Started<T>;
}

export function cleanUpRegularly(scope: Scope, cleanUp: () => Promise<unknown>): void {
  const timer = setInterval(() => void scope.run('clean-up', async () => void (await cleanUp())), CLEAN_UP_EVERY_MS);
  timer.unref();
  scope.onClose('clean-up timer', () => clearInterval(timer));
}
