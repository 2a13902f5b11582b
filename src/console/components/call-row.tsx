import { type MouseEvent, memo } from 'react';
import type { CallSummary, Session } from '../api/types.ts';
import { dayOf, duration, party, timeOfDay, words } from '../format.ts';
import { hrefOf, navigate, readRoute } from '../hooks/use-route.ts';
import { opensElsewhere } from '../input.ts';
import { StatusChip } from './status-chip.tsx';

export interface CallRowProps {
  call: Session | CallSummary;
  index: number;
  /** Rows in all; -1 while that is not known. */
  count: number;
  top: number;
  height: number;
  selected: boolean;
  tabbable: boolean;
  /** The time, for a live call's length. */
  now: number;
  onFocus: (index: number) => void;
}

export const CallRow = memo(function CallRow(props: CallRowProps) {
  const { call, index, count, top, height, selected, tabbable, now, onFocus } = props;
  const { sessionId } = call;
  const counts = 'utteranceCount' in call ? call : undefined;
  const length = call.live ? now - new Date(call.callStartTime).getTime() : (call.durationMs ?? undefined);

  const open = (event: MouseEvent) => {
    if (opensElsewhere(event)) return;
    event.preventDefault();
    navigate({ sessionId });
  };

  return (
    <li style={{ transform: `translateY(${top}px)`, height }} aria-setsize={count} aria-posinset={index + 1}>
      <a
        className={`call-row${selected ? ' selected' : ''}${call.live ? ' is-live' : ''}`}
        href={hrefOf({ ...readRoute(location.href), sessionId })}
        aria-current={selected ? 'page' : undefined}
        tabIndex={tabbable ? 0 : -1}
        data-index={index}
        onClick={open}
        onFocus={() => onFocus(index)}
      >
        <span className="cell caller" title={call.direction === 'OUTBOUND' ? 'Called by us' : undefined}>
          {party(call)}
        </span>
        <span className="cell started">
          <time dateTime={call.callStartTime}>
            {timeOfDay(call.callStartTime)} <span className="muted">{dayOf(call.callStartTime)}</span>
          </time>
        </span>
        <span className="cell length">{length === undefined ? '–' : duration(length)}</span>
        <span className="cell wide-only number">{counts?.utteranceCount ?? ''}</span>
        <span className="cell wide-only number">{counts?.transactionCount ?? ''}</span>
        <span className="cell wide-only muted">{call.endCause ? words(call.endCause) : ''}</span>
        <span className="cell status">
          <StatusChip status={call.status} live={call.live} />
        </span>
      </a>
    </li>
  );
});
