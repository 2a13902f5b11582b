import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Audio that is due every 20 ms. Only a process that may (CAP_SYS_NICE) gets it; others stay at 0. */
export const AUDIO_NICE = -5;

/**
 * Sets the calling thread's niceness, -20 (first) to 19. On Linux niceness belongs to threads (setpriority(2), NOTES),
 * and /proc/thread-self names this one. True when it was set; elsewhere, and where it is not allowed, nothing happens.
 */
export function nice(niceness: number): boolean {
  try {
    const thread = threadNumber();
    if (thread === undefined) return false;
    setPriority(thread, niceness);
    return true;
  } catch {
    return false;
  }
}

/** The calling thread as the system numbers it (gettid(2)), where /proc/thread-self tells. */
export function threadNumber(): number | undefined {
  const thread = Number(/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]);
  return Number.isInteger(thread) && thread > 0 ? thread : undefined;
}
