import type { CallStatus } from '../api/types.ts';
import { Chip } from './chip.tsx';

const TEXT: Record<CallStatus, string> = {
  ACTIVE: 'Active',
  COMPLETED: 'Completed',
  FAILED: 'Failed',
  INTERRUPTED: 'Interrupted',
};
const TONE: Record<CallStatus, string> = { ACTIVE: 'info', COMPLETED: 'good', FAILED: 'bad', INTERRUPTED: 'warn' };

export function StatusChip({ status, live }: { status: CallStatus; live: boolean }) {
  return live ? <Chip tone="live" text="Live" /> : <Chip tone={TONE[status]} text={TEXT[status]} />;
}
