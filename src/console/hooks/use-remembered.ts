import { useCallback, useState } from 'react';

/**
 * What the person at this browser last entered: their `name`, which stands in the record of what they do in calls, and the
 * `station` by which calls reach them.
 */
export function useRemembered(what: 'name' | 'station'): [text: string, set: (text: string) => void] {
  const key = `console:${what}`;
  const [text, setText] = useState(() => localStorage.getItem(key) ?? '');
  const set = useCallback(
    (next: string) => {
      setText(next);
      localStorage.setItem(key, next);
    },
    [key],
  );
  return [text, set];
}
