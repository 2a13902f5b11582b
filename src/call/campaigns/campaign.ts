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
  /** What is wrong with the file; the first MOST_FAULTS of each, and how many there are. */
  rejected: readonly BadLine[];
  duplicates: readonly { line: number; of: number }[];
  rejectedCount?: number | undefined;
  duplicateCount?: number | undefined;
}

/** Lines at fault that are kept of a file, of each kind: the others are counted. */
export const MOST_FAULTS = 1000;

export interface NewCampaign {
  campaignId: string;
  name: string;
  settings: CampaignSettings;
  idempotencyKey: string;
  /** Of what the client asked for: tells a repeat from another campaign under the same key. */
  fingerprint: string;
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

/** What calling needs of them: without what was wrong with the file. */
export type CallingSettings = Omit<CampaignSettings, 'rejected' | 'duplicates' | 'rejectedCount' | 'duplicateCount'>;

/** All campaigns of the tenant, and the numbers nobody of it is called at. Rejects as the order book does. */
export interface CampaignBook {
  /**
   * A campaign of the same key and contents is the same campaign (`repeated`).
   * @throws Failure idempotency-key-reused (blame caller) when the key stands for another campaign
   */
  create(campaign: NewCampaign, numbers: readonly CampaignNumber[]): Promise<{ campaignId: string; repeated: boolean }>;
  /** The campaign of this key, if there is one. @throws as create */
  earlier(
    asked: Pick<NewCampaign, 'idempotencyKey' | 'fingerprint'>,
  ): Promise<{ campaignId: string; repeated: boolean } | undefined>;
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
