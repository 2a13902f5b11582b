import { useCallback, useState } from 'react';

const KEY = 'console:name';

/** Who sits at this browser, as they last said; it stands in the record of what they do in calls. */
export function useOwnName(): [name: string, set: (name: string) => void] {
  const [name, setName] = useState(() => localStorage.getItem(KEY) ?? '');
  const set = useCallback((next: string) => {
    setName(next);
    localStorage.setItem(KEY, next);
  }, []);
  return [name, set];
}
