/** What the HTTP API answers about calling out; see types.ts. */

export const ORDER_STATES = ['QUEUED', 'DIALLING', 'TALKING', 'DONE', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type OrderState = (typeof ORDER_STATES)[number];
export type CampaignState = 'RUNNING' | 'PAUSED' | 'CANCELLED' | 'DONE';

export interface Bot {
  name: string;
  /** null: it only answers. */
  outbound: OutboundManner | null;
}

export interface OutboundManner {
  /** Which its words name. */
  variables: string[];
  purpose: string | null;
  verify: boolean;
  onMachine: string;
}

export interface Attempt {
  sessionId: string;
  startedAt: string;
  endedAt: string | null;
  outcome: string | null;
  answeredBy: 'person' | 'machine' | null;
  gateway: string | null;
}

export interface Order {
  orderId: string;
  state: OrderState;
  outcome: string | null;
  to: string;
  bot: string;
  purpose: string | null;
  nextAttemptAt: string | null;
  cancelRequested: boolean;
  attempts: Attempt[];
  createdAt: string;
  endedAt: string | null;
}

export interface NewOrder {
  to: string;
  bot: string;
  purpose?: string;
  gateway?: string;
  variables: Record<string, string>;
}

export interface OrderPage {
  orders: Order[];
  nextCursor: string | null;
}

export interface Campaign {
  campaignId: string;
  name: string;
  state: CampaignState;
  bot: string;
  callsPerMinute: number;
  concurrent: number;
  hours: string | null;
  latest: string;
  numbers: number;
  /** Not ordered yet. */
  waiting: number;
  orders: Partial<Record<OrderState, number>>;
  rejected: number;
  duplicates: number;
  createdAt: string;
}

export interface NewCampaign {
  name: string;
  bot: string;
  csv: string;
  purpose?: string;
  hours?: string;
  callsPerMinute: number;
  concurrent: number;
}

export interface CreatedCampaign {
  campaign: Campaign;
  rejected: { line: number; message: string }[];
  duplicates: { line: number; of: number }[];
}

export interface BarredNumber {
  number: string;
  reason: string;
  since: string;
}

export interface Gateway {
  name: string;
  state: 'up' | 'resting' | 'suspect' | 'down';
  calls: number;
  callsToday: number;
  limits: { calls: number; callsPerSecond: number; callsPerDay: number };
  outcomes: Record<string, number>;
  lastFailure: { reason: string; at: string } | null;
}

export interface Registration {
  name: string;
  registrar: string;
  aor: string;
  registered: boolean;
  state: string;
  expiresAt: string | null;
  lastFailure: string | null;
}
