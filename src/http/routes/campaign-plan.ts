import { type CampaignSettings, MOST_FAULTS } from '../../call/campaigns/campaign.ts';
import { type CampaignNumber, readNumbers } from '../../call/campaigns/numbers-csv.ts';
import type { MachineManner, RetryRule } from '../../call/orders/order.ts';
import { invalid } from '../problems.ts';
import { type OrderFacts, requestOf } from './order-request.ts';

/** What there is to plan with. */
export interface PlanFacts extends OrderFacts {
  /** Are there hours of this name? */
  hoursKnown(name: string): boolean;
  now(): Date;
}

export interface CampaignBody {
  name: string;
  bot: string;
  csv: string;
  purpose?: string;
  gateway?: string;
  ringSeconds?: number;
  onMachine?: MachineManner;
  retry?: RetryRule;
  callsPerMinute: number;
  concurrent: number;
  hours?: string;
  latest?: string;
}

const WEEK_MS = 7 * 24 * 3_600_000;

/** Whom a campaign calls and how, out of its request. Throws 400 for what could not be carried out. */
export function campaignPlan(
  body: CampaignBody,
  { hoursKnown, now, ...facts }: PlanFacts,
): { settings: CampaignSettings; numbers: readonly CampaignNumber[] } {
  if (body.hours !== undefined && !hoursKnown(body.hours)) {
    throw invalid(`There are no hours "${body.hours}": name hours of sip-config/, or leave it out.`, 'hours');
  }
  const latest = body.latest === undefined ? new Date(now().getTime() + WEEK_MS) : new Date(body.latest);
  if (latest <= now()) throw invalid('latest lies in the past.', 'latest');
  const { columns, numbers, rejected, duplicates } = readNumbers(body.csv);
  if (numbers.length === 0) {
    const why = rejected.slice(0, 20).map(({ line, message }) => `line ${line}: ${message}`);
    throw invalid(`There is no number to call: ${why.join('; ') || 'the file has no lines behind its header'}.`, 'csv');
  }
  const { bot, purpose, gateway, ringSeconds, onMachine, retry, callsPerMinute, concurrent, hours } = body;
  const sample = { to: numbers[0]!.number, variables: Object.fromEntries(columns.map((column) => [column, '-'])) };
  const common = requestOf({ ...sample, bot, purpose, gateway, ringSeconds, onMachine, retry }, facts);
  const settings = {
    bot,
    purpose,
    gateway,
    ringMs: common.ringMs,
    onMachine,
    retry: common.retry,
    callsPerMinute,
    concurrent,
    hours,
    latest: latest.toISOString(),
    rejected: rejected.slice(0, MOST_FAULTS),
    duplicates: duplicates.slice(0, MOST_FAULTS),
    rejectedCount: rejected.length,
    duplicateCount: duplicates.length,
  };
  return { settings, numbers };
}
