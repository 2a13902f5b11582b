import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Reads it again and again until it is as expected; fails with what it was otherwise. For tests that run beside each other,
 * where `expect.poll` is not to be had. What is read may be away for a moment, in some tests on purpose.
 */
export async function readUntil<T>(
  what: string,
  read: () => Promise<T>,
  holds: (read: T) => boolean,
  timeoutMs: number,
  shown: (last: T) => string = JSON.stringify,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  let last: T | undefined;
  let trouble: unknown = '';
  for (;;) {
    try {
      last = await read();
      trouble = '';
      if (holds(last)) return last;
    } catch (error) {
      trouble = error;
    }
    if (Date.now() > until) {
      throw new Error(`${what} is not as expected: ${last === undefined ? '' : shown(last)} ${trouble}`);
    }
    await sleep(100);
  }
}
