import type { CampaignState, Gateway, Order, OrderState } from '../../api/outbound-types.ts';
import { words } from '../../format.ts';
import { Chip } from '../chip.tsx';

const ORDER_TONE: Record<OrderState, string> = {
  QUEUED: 'info',
  DIALLING: 'live',
  TALKING: 'live',
  DONE: 'good',
  FAILED: 'bad',
  CANCELLED: 'warn',
  EXPIRED: 'warn',
};
const CAMPAIGN_TONE: Record<CampaignState, string> = {
  RUNNING: 'live',
  PAUSED: 'warn',
  CANCELLED: 'warn',
  DONE: 'good',
};
const GATEWAY_TONE: Record<Gateway['state'], string> = { up: 'good', resting: 'warn', suspect: 'warn', down: 'bad' };

export const OrderChip = ({ order: { state, cancelRequested } }: { order: Order }) =>
  cancelRequested && state === 'DIALLING' ? (
    <Chip tone="warn" text="Being given up" />
  ) : (
    <Chip tone={ORDER_TONE[state]} text={words(state)} />
  );
export const CampaignChip = ({ state }: { state: CampaignState }) => (
  <Chip tone={CAMPAIGN_TONE[state]} text={words(state)} />
);
export const GatewayChip = ({ state }: { state: Gateway['state'] }) => (
  <Chip tone={GATEWAY_TONE[state]} text={words(state)} />
);
export const RegistrationChip = ({ registered, state }: { registered: boolean; state: string }) => (
  <Chip tone={registered ? 'good' : 'warn'} text={words(registered ? 'registered' : state)} />
);
