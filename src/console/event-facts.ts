import { plain, words } from './format.ts';

/** Of an action, a transaction, a hand-over: they stand where these are shown, and tell whoever reads nothing. */
const IDENTIFIER = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const MILLISECONDS = /^ms$|Ms$/;

export interface EventFact {
  name: string;
  value: string;
}

/**
 * What an event tells, in words and in an order that is the same while the call goes on and ever after: the archive gives
 * keys back in an order of its own.
 */
export function factsOf(data: Readonly<Record<string, unknown>>): EventFact[] {
  return entriesOf(data)
    .filter(([, value]) => !(typeof value === 'string' && IDENTIFIER.test(value)))
    .map(([key, value]) =>
      MILLISECONDS.test(key) && typeof value === 'number'
        ? { name: key === 'ms' ? 'Took' : words(key.slice(0, -2)), value: `${Math.round(value)} ms` }
        : { name: words(key), value: plain(value) },
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `{ quality: { callerMos: 4.3 } }` tells `quality callerMos`. */
function entriesOf(data: object, within = ''): [key: string, value: unknown][] {
  return Object.entries(data).flatMap(([key, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? entriesOf(value, `${within}${key} `)
      : [[`${within}${key}`, value]],
  );
}
