import { useRef } from 'react';
import type { Session } from '../api/types.ts';

/**
 * The calls as they are shown: while `steady`, who is there stays in their place though their call is over (`live` is false
 * then), and who comes is not shown yet, so that nobody presses a button that has become another call's.
 */
export function useSteady(calls: readonly Session[], steady: boolean): { shown: readonly Session[]; more: number } {
  const shown = useRef(calls);
  if (!steady) {
    shown.current = calls;
    return { shown: calls, more: 0 };
  }
  const now = new Map(calls.map((call) => [call.sessionId, call]));
  shown.current = shown.current.map((call) => {
    const known = now.get(call.sessionId);
    now.delete(call.sessionId);
    return known ?? (call.live ? { ...call, live: false } : call);
  });
  return { shown: shown.current, more: now.size };
}
