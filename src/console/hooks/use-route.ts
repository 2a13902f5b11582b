import { useSyncExternalStore } from 'react';

/** Where the reader is. All of it stands in the address, so that a reload, a bookmark or a colleague finds the place. */
export interface Route {
  sessionId: string | undefined;
  filters: Filters;
  /** First stored call in view. */
  row: number;
}

export interface Filters {
  text: string;
  status: string;
  caller: string;
  /** Local days, YYYY-MM-DD. */
  from: string;
  to: string;
}

export const NO_FILTERS: Filters = { text: '', status: '', caller: '', from: '', to: '' };

const CHANGED = 'console:navigate';

export function readRoute(href: string): Route {
  const url = new URL(href);
  const value = (name: string) => url.searchParams.get(name) ?? '';
  const row = Number.parseInt(value('row'), 10);
  return {
    sessionId: /^\/calls\/([0-9a-f-]{36})$/i.exec(url.pathname)?.[1],
    filters: {
      text: value('q'),
      status: value('status'),
      caller: value('caller'),
      from: value('from'),
      to: value('to'),
    },
    row: Number.isFinite(row) && row > 0 ? row : 0,
  };
}

export function hrefOf({ sessionId, filters, row }: Route): string {
  const params = new URLSearchParams();
  const entries = {
    q: filters.text,
    status: filters.status,
    caller: filters.caller,
    from: filters.from,
    to: filters.to,
  };
  for (const [name, value] of Object.entries(entries)) if (value) params.set(name, value);
  if (row > 0) params.set('row', String(row));
  const query = params.toString();
  return `${sessionId ? `/calls/${sessionId}` : '/'}${query ? `?${query}` : ''}`;
}

/** Changes part of the address; `replace` leaves no step in the history. */
export function navigate(change: Partial<Route>, replace = false): void {
  go(hrefOf({ ...readRoute(location.href), ...change }), replace);
}

/** To another address of this page, without loading it again. */
export function go(href: string, replace = false): void {
  if (href === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  window.dispatchEvent(new Event(CHANGED));
}

/** Told of each change of the address. */
export function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(CHANGED, listener);
  };
}

let last: { href: string; route: Route } | undefined;

function snapshot(): Route {
  if (last?.href !== location.href) {
    const route = readRoute(location.href);
    // The same filters stay the same object, so that a change of row or call does not read the list again.
    if (last && JSON.stringify(last.route.filters) === JSON.stringify(route.filters))
      route.filters = last.route.filters;
    last = { href: location.href, route };
  }
  return last.route;
}

export const useRoute = (): Route => useSyncExternalStore(subscribe, snapshot);
