import { type MouseEvent, useMemo, useSyncExternalStore } from 'react';
import { opensElsewhere } from '../input.ts';
import { go, subscribe } from './use-route.ts';

export const SECTIONS = {
  orders: 'Orders',
  campaigns: 'Campaigns',
  'do-not-call': 'Do not call',
  gateways: 'Gateways',
} as const;
export type Section = keyof typeof SECTIONS;

/** Where the reader is among the calls out; all of it stands in the address. */
export interface Place {
  section: Section;
  /** Of the orders: only those in this state, only those to this number. */
  state: string;
  to: string;
}

const ROOT = '/calls-out';

function readPlace(path: string): Place {
  const url = new URL(path, 'http://page');
  const name = url.pathname.slice(ROOT.length + 1);
  return {
    section: Object.hasOwn(SECTIONS, name) ? (name as Section) : 'orders',
    state: url.searchParams.get('state') ?? '',
    to: url.searchParams.get('to') ?? '',
  };
}

export function placeHref({ section, state = '', to = '' }: Partial<Place>): string {
  const params = new URLSearchParams();
  if (state) params.set('state', state);
  if (to) params.set('to', to);
  const query = params.toString();
  const path = section === undefined || section === 'orders' ? ROOT : `${ROOT}/${section}`;
  return query ? `${path}?${query}` : path;
}

/** Follows a link of this page without loading it again. */
export function followLink(event: MouseEvent<HTMLAnchorElement>): void {
  if (opensElsewhere(event)) return;
  event.preventDefault();
  go(event.currentTarget.pathname + event.currentTarget.search);
}

export function usePlace(): Place {
  const path = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  return useMemo(() => readPlace(path), [path]);
}
