import { CAMPAIGN_STATES, MOST_FAULTS } from '../../call/campaigns/campaign.ts';
import { orderRequest } from './orders.ts';
import { count, object, orNull, text, time, uuid } from './parts.ts';

/** Campaigns and the do-not-call list. */

const { bot, purpose, gateway, ringSeconds, onMachine, retry } = orderRequest.properties;

export const campaignRequest = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'bot', 'csv'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 100 },
    csv: {
      type: 'string',
      minLength: 1,
      description:
        'With a header: the column `number`, the others are variables. Commas or semicolons, RFC 4180 quotes',
    },
    bot,
    purpose,
    gateway,
    ringSeconds,
    onMachine,
    retry,
    callsPerMinute: { type: 'number', exclusiveMinimum: 0, maximum: 6000, default: 10 },
    concurrent: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: 'Calls of it under way at once',
    },
    hours: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'Hours of sip-config/ in which it calls; default: at any time',
    },
    latest: { ...time, description: 'No calls after; default: a week from now' },
  },
} as const;

export const campaignIdParams = { type: 'object', required: ['campaignId'], properties: { campaignId: uuid } };

export const CAMPAIGN_SCHEMA = {
  $id: 'Campaign',
  ...object({
    campaignId: uuid,
    name: text,
    state: { type: 'string', enum: [...CAMPAIGN_STATES] },
    bot: text,
    callsPerMinute: { type: 'number' },
    concurrent: count,
    hours: orNull(text),
    latest: time,
    numbers: { ...count, description: 'To be called, each once' },
    waiting: { ...count, description: 'Numbers that are not ordered yet' },
    orders: { type: 'object', additionalProperties: count, description: 'Orders made for it, by state' },
    rejected: { ...count, description: 'Lines of the file that could not be used' },
    duplicates: { ...count, description: 'Lines whose number stood in an earlier line' },
    createdAt: time,
  }),
};

export const campaignsResponse = object({ campaigns: { type: 'array', items: { $ref: 'Campaign#' } } });

export const createdCampaign = object({
  campaign: { $ref: 'Campaign#' },
  rejected: {
    type: 'array',
    description: `Lines that could not be used, the first ${MOST_FAULTS}; the campaign counts them all`,
    items: object({ line: count, message: text }),
  },
  duplicates: {
    type: 'array',
    description: `Lines whose number stood in an earlier line, the first ${MOST_FAULTS}`,
    items: object({ line: count, of: count }),
  },
});

export const barredNumberParams = {
  type: 'object',
  required: ['number'],
  properties: {
    number: {
      type: 'string',
      minLength: 2,
      maxLength: 64,
      pattern: '^\\+?[().\\s-]*[0-9][0-9().\\s-]*$',
      description: 'a telephone number such as +4930123456',
    },
  },
};

export const barRequest = {
  type: 'object',
  additionalProperties: false,
  properties: { reason: { type: 'string', maxLength: 200, default: '' } },
};

export const barredResponse = object({
  numbers: { type: 'array', items: object({ number: text, reason: text, since: time }) },
});
