import { type RefObject, useState } from 'react';
import type { CallDetail } from '../api/types.ts';
import { dayOf, duration, exactTime, party, words } from '../format.ts';
import { useNow } from '../hooks/use-now.ts';
import { BackIcon, CloseIcon, HangUpIcon } from './icons.tsx';
import { StatusChip } from './status-chip.tsx';

export interface CallHeaderProps {
  call: CallDetail;
  headingRef: RefObject<HTMLHeadingElement | null>;
  onClose: () => void;
  onHangUp: () => void;
}

export function CallHeader({ call, headingRef, onClose, onHangUp }: CallHeaderProps) {
  const now = useNow(call.live);
  const [sure, setSure] = useState(false);
  const length = call.durationMs ?? (call.live ? now - new Date(call.callStartTime).getTime() : undefined);
  return (
    <header className="call-header">
      <button type="button" className="button quiet back" onClick={onClose} aria-label="Back to the list">
        <BackIcon />
      </button>
      <div className="call-title">
        <h1 ref={headingRef} tabIndex={-1}>
          {party(call)}
        </h1>
        <StatusChip status={call.status} live={call.live} />
        <p className="muted">
          <time dateTime={call.callStartTime}>
            {dayOf(call.callStartTime)}, {exactTime(call.callStartTime)}
          </time>
          {length !== undefined && <span> · {duration(length)}</span>}
          {call.endCause && <span> · {words(call.endCause)}</span>}
          {call.answeredBy && <span> · Answered by a {call.answeredBy}</span>}
        </p>
      </div>
      {call.live && !sure && (
        <button type="button" className="button danger" onClick={() => setSure(true)}>
          <HangUpIcon />
          End call
        </button>
      )}
      {call.live && sure && (
        <fieldset className="confirm">
          <legend>End this call?</legend>
          <button
            type="button"
            className="button danger solid"
            onClick={() => {
              setSure(false);
              onHangUp();
            }}
          >
            End it
          </button>
          <button type="button" className="button" onClick={() => setSure(false)}>
            Keep
          </button>
        </fieldset>
      )}
      <button type="button" className="button quiet close" onClick={onClose} aria-label="Close this call">
        <CloseIcon />
      </button>
    </header>
  );
}
