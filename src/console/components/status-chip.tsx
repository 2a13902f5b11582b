import type { CallStatus } from '../api/types.ts';

const TEXT: Record<CallStatus, string> = {
  ACTIVE: 'Active',
  COMPLETED: 'Completed',
  FAILED: 'Failed',
  INTERRUPTED: 'Interrupted',
};
const TONE: Record<CallStatus, string> = { ACTIVE: 'info', COMPLETED: 'good', FAILED: 'bad', INTERRUPTED: 'warn' };

export function StatusChip({ status, live }: { status: CallStatus; live: boolean }) {
  if (live) {
    return (
      <span className="chip live">
        <span className="dot" aria-hidden="true" />
        Live
      </span>
    );
  }
  return <span className={`chip ${TONE[status]}`}>{TEXT[status]}</span>;
}
