import type { MachineManner, OrderOutcome, OrderState, RetryRule } from '../orders/order.ts';
import type { BadLine, CampaignNumber } from './numbers-csv.ts';

export const CAMPAIGN_STATES = ['RUNNING', 'PAUSED', 'CANCELLED', 'DONE'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

/** The legal moves. Cancelled, its waiting orders are taken back; who is being spoken to is not cut off. */
export const CAMPAIGN_MOVES: Readonly<Record<CampaignState, readonly CampaignState[]>> = {
  RUNNING: ['PAUSED', 'CANCELLED', 'DONE'],
  PAUSED: ['RUNNING', 'CANCELLED'],
  CANCELLED: [],
  DONE: [],
};

export interface CampaignSettings {
  bot: string;
  purpose?: string | undefined;
  gateway?: string | undefined;
  ringMs?: number | undefined;
  onMachine?: MachineManner | undefined;
  retry: RetryRule;
  callsPerMinute: number;
  /** Calls of it that may be under way at once. */
  concurrent: number;
  /** Name of the hours of sip-config/ in which it calls; undefined: at any time. */
  hours?: string | undefined;
  /** Not called after; ISO 8601. */
  latest: string;
  rejected: readonly BadLine[];
  duplicates: readonly { line: number; of: number }[];
}

export interface Campaign {
  campaignId: string;
  name: string;
  state: CampaignState;
  settings: CampaignSettings;
  createdAt: Date;
  /** Numbers in all, those that are not ordered yet, and orders by state. */
  numbers: number;
  waiting: number;
  orders: Partial<Record<OrderState, number>>;
}

/** A line of the results. */
export interface CampaignResult extends CampaignNumber {
  orderId: string | undefined;
  state: OrderState | undefined;
  outcome: OrderOutcome | undefined;
  answeredBy: string | undefined;
  attempts: number;
  endedAt: Date | undefined;
}

/** What calling needs of them: without what was wrong with the file, which may be megabytes. */
export type CallingSettings = Omit<CampaignSettings, 'rejected' | 'duplicates'>;

/** All campaigns of the tenant, and the numbers nobody of it is called at. Rejects as the order book does. */
export interface CampaignBook {
  create(
    campaign: { campaignId: string; name: string; settings: CampaignSettings },
    numbers: readonly CampaignNumber[],
  ): Promise<void>;
  get(campaignId: string): Promise<Campaign | undefined>;
  /** The latest 200. */
  list(): Promise<Campaign[]>;
  /** False when it cannot go there from where it is; undefined: there is none. */
  move(campaignId: string, to: CampaignState): Promise<boolean | undefined>;
  results(campaignId: string): Promise<CampaignResult[]>;
  /**
   * Makes the next order of each campaign that may have one now. `until`: how long its hours go on; undefined: it does
   * not call now. Resolves with how many were made.
   */
  feed(now: Date, until: (settings: CallingSettings) => Date | undefined): Promise<number>;
  barred(): Promise<{ number: string; reason: string; since: Date }[]>;
  bar(number: string, reason: string): Promise<void>;
  /** False when it was not barred. */
  unbar(number: string): Promise<boolean>;
}
