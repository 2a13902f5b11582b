import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { CallSummary, Session } from '../api/types.ts';
import { count as figure } from '../format.ts';
import { useNow } from '../hooks/use-now.ts';
import { useWindow } from '../hooks/use-window.ts';
import { CallRow } from './call-row.tsx';

/** Row heights in pixels: one line where the list is a table, two where it is narrow. */
const TABLE_ROW = 44;
const NARROW_ROW = 60;
/** The stylesheet's container query turns the list into a table at the same width. */
const TABLE_WIDTH = 780;
const SAVE_MS = 200;

export interface CallListProps {
  live: Session[];
  calls: CallSummary[];
  selected: string | undefined;
  /** First stored call in view when the page was opened. */
  startRow: number;
  loading: boolean;
  more: boolean;
  loadError: string | undefined;
  onMore: () => void;
  onRow: (row: number) => void;
}

/** Live calls first, then the stored ones. Only rows in view are in the document; more are read as the end nears. */
export function CallList(props: CallListProps) {
  const { live, calls, selected, startRow, loading, more, loadError, onMore, onRow } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const count = live.length + calls.length;
  const liveCount = useRef(live.length);
  const placed = useRef(startRow === 0);
  const timer = useRef<number>(undefined);
  const now = useNow(live.length > 0);

  const onScroll = useCallback(
    (top: number) => {
      if (!placed.current) return;
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => {
        onRow(Math.max(0, Math.round(top / rowHeight.current) - liveCount.current));
      }, SAVE_MS);
    },
    [onRow],
  );
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const rowHeight = useRef(NARROW_ROW);
  const [row, setRow] = useState(NARROW_ROW);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setRow(element.clientWidth > TABLE_WIDTH ? TABLE_ROW : NARROW_ROW);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // Rows of another height: the same call stays on top.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element) element.scrollTop *= row / rowHeight.current;
    rowHeight.current = row;
  }, [row]);
  const { first, last } = useWindow(scroller, row, count, onScroll);

  // Back to the place the address names, once its calls are here.
  useLayoutEffect(() => {
    if (placed.current || loading || !scroller.current) return;
    placed.current = true;
    liveCount.current = live.length;
    scroller.current.scrollTop = (live.length + Math.min(startRow, calls.length)) * row;
  }, [loading, live.length, calls.length, startRow, row]);

  // A call that begins or ends above must not move what is being read.
  useLayoutEffect(() => {
    const element = scroller.current;
    const delta = live.length - liveCount.current;
    liveCount.current = live.length;
    if (element && delta !== 0 && element.scrollTop > rowHeight.current / 2)
      element.scrollTop += delta * rowHeight.current;
  }, [live.length]);

  useEffect(() => {
    if (more && !loading && last >= count - 20) onMore();
  }, [more, loading, last, count, onMore]);

  const [active, setActive] = useState(0);
  const focusWanted = useRef(false);
  useEffect(() => {
    if (!focusWanted.current) return;
    focusWanted.current = false;
    scroller.current?.querySelector<HTMLElement>(`[data-index="${active}"]`)?.focus({ preventScroll: true });
  }, [active]);

  const onKeyDown = (event: KeyboardEvent) => {
    const element = scroller.current;
    if (!element || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(element.clientHeight / row) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page };
    let target = active + (steps[event.key] ?? 0);
    if (event.key === 'Home') target = 0;
    else if (event.key === 'End') target = count - 1;
    else if (steps[event.key] === undefined) return;
    event.preventDefault();
    target = Math.min(Math.max(0, target), count - 1);
    if (target * row < element.scrollTop) element.scrollTop = target * row;
    else if ((target + 1) * row > element.scrollTop + element.clientHeight) {
      element.scrollTop = (target + 1) * row - element.clientHeight;
    }
    focusWanted.current = true;
    setActive(target);
  };

  const rows = [];
  for (let index = first; index < last; index++) {
    const call = index < live.length ? live[index] : calls[index - live.length];
    if (!call) continue;
    rows.push(
      <CallRow
        key={call.sessionId}
        call={call}
        index={index}
        count={more ? -1 : count}
        top={index * row}
        height={row}
        selected={call.sessionId === selected}
        tabbable={index === active || (index === first && (active < first || active >= last))}
        now={call.live ? now : 0}
        onFocus={setActive}
      />,
    );
  }

  return (
    <div className="call-list">
      {count > 0 && (
        <div className="list-head" aria-hidden="true">
          <span>Caller</span>
          <span>Started</span>
          <span>Length</span>
          <span className="wide-only">Utterances</span>
          <span className="wide-only">Transactions</span>
          <span className="wide-only">Ended by</span>
          <span>Status</span>
        </div>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the links inside */}
      <div className="list-scroll" ref={scroller} onKeyDown={onKeyDown} role="presentation">
        <ol className="rows" style={{ height: count * row }} aria-busy={loading}>
          {rows}
        </ol>
        {loading && count === 0 && <p className="list-foot">Reading calls…</p>}
        {loadError && (
          <p className="list-foot" role="alert">
            {loadError}{' '}
            <button type="button" className="button" onClick={onMore}>
              Read on
            </button>
          </p>
        )}
        {!loadError && more && count > 0 && <p className="list-foot">Reading more…</p>}
        {!more && count > 20 && <p className="list-foot">That is all: {figure(count)} calls.</p>}
      </div>
    </div>
  );
}
