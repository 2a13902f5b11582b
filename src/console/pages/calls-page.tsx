import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { Session } from '../api/types.ts';
import { CallFilters } from '../components/call-filters.tsx';
import { CallList } from '../components/call-list.tsx';
import { Notice } from '../components/notice.tsx';
import { TopBar } from '../components/top-bar.tsx';
import { customerOf } from '../format.ts';
import { useLiveCalls } from '../hooks/use-live-calls.ts';
import { type Filters, NO_FILTERS, navigate, useRoute } from '../hooks/use-route.ts';
import { useStoredCalls } from '../hooks/use-stored-calls.ts';
import { isTyping } from '../input.ts';
import { CallPage } from './call-page.tsx';

/** The list, and beside it (or over it, where there is no room for both) the call that is selected. */
export function CallsPage({ onSignOut }: { onSignOut: () => void }) {
  const route = useRoute();
  const { filters, sessionId } = route;
  const stored = useStoredCalls(filters, route.row);
  const { live, connection } = useLiveCalls(stored.refresh);
  const filtered = JSON.stringify(filters) !== JSON.stringify(NO_FILTERS);

  const liveShown = useMemo(() => live.filter((call) => matches(call, filters)), [live, filters]);
  const earlier = useMemo(() => {
    const ids = new Set(liveShown.map((call) => call.sessionId));
    return ids.size === 0 ? stored.calls : stored.calls.filter((call) => !ids.has(call.sessionId));
  }, [liveShown, stored.calls]);

  const onFilters = useCallback((next: Filters) => navigate({ filters: next, row: 0 }, true), []);
  const onRow = useCallback((row: number) => navigate({ row }, true), []);
  const onClose = useCallback(() => navigate({ sessionId: undefined }), []);

  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = isTyping(event);
      if (event.key === '/' && !typing) {
        event.preventDefault();
        search.current?.focus();
      }
      if (event.key === 'Escape' && !typing && sessionId) onClose();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [sessionId, onClose]);

  useEffect(() => {
    if (!sessionId) document.title = live.length > 0 ? `(${live.length}) Calls` : 'Calls';
  }, [sessionId, live.length]);

  const empty = stored.state === 'ready' && liveShown.length + earlier.length === 0;
  return (
    <div className="shell">
      <TopBar live={live.length} connection={connection} onSignOut={onSignOut} />
      <div className={sessionId ? 'panes with-call' : 'panes'}>
        {/* What the page is about: the list, or the call that was opened from it. */}
        <section className="list-pane" aria-label="Calls" role={sessionId ? undefined : 'main'}>
          {!sessionId && <h1 className="visually-hidden">Calls</h1>}
          <CallFilters filters={filters} onChange={onFilters} searchRef={search} />
          {stored.state === 'failed' && (
            <Notice
              tone="error"
              title="The calls cannot be shown"
              text={stored.error ?? ''}
              action="Try again"
              onAction={stored.retry}
            />
          )}
          {empty && filtered && (
            <Notice
              title="No call matches"
              text="Try other words, another number or a longer time."
              action="Clear filters"
              onAction={() => onFilters(NO_FILTERS)}
            />
          )}
          {empty && !filtered && (
            <Notice title="No calls yet" text="The first call appears here the moment it comes in." />
          )}
          <CallList
            // Other filters make another list, which begins at its top.
            key={JSON.stringify(filters)}
            live={liveShown}
            calls={earlier}
            selected={sessionId}
            startRow={route.row}
            loading={stored.state === 'loading'}
            more={stored.more}
            loadError={stored.state === 'ready' ? stored.error : undefined}
            onMore={stored.loadMore}
            onRow={onRow}
          />
        </section>
        {sessionId && <CallPage key={sessionId} sessionId={sessionId} onClose={onClose} />}
      </div>
    </div>
  );
}

/** Live calls are filtered here; words are searched in the archive only, so with words no live call is shown on top. */
function matches(call: Session, filters: Filters): boolean {
  if (filters.text.trim()) return false;
  if (filters.status && filters.status !== call.status) return false;
  const digits = filters.caller.replace(/\D/g, '');
  if (digits && !customerOf(call).includes(digits)) return false;
  const start = new Date(call.callStartTime);
  const day = [start.getFullYear(), start.getMonth() + 1, start.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
  return (!filters.from || day >= filters.from) && (!filters.to || day <= filters.to);
}
