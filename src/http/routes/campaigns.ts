import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { BotProfile } from '../../call/bot/bot-profile.ts';
import {
  type Campaign,
  type CampaignBook,
  type CampaignResult,
  type CampaignState,
  MOST_FAULTS,
} from '../../call/campaigns/campaign.ts';
import { readNumbers } from '../../call/campaigns/numbers-csv.ts';
import type { MachineManner, RetryRule } from '../../call/orders/order.ts';
import { fingerprintOf, underItsKey } from '../idempotency.ts';
import { HttpProblem, invalid, notFound } from '../problems.ts';
import {
  barRequest,
  barredNumberParams,
  barredResponse,
  campaignIdParams,
  campaignRequest,
  campaignsResponse,
  createdCampaign,
} from '../schemas/campaigns.ts';
import { idempotencyHeaders } from '../schemas/idempotency.ts';
import { problems } from '../schemas/problems.ts';
import { normalised, requestOf } from './orders.ts';

export interface CampaignRoutesOptions {
  campaigns: CampaignBook;
  bots(): ReadonlyMap<string, BotProfile>;
  /** Are there hours of this name? */
  hoursKnown(name: string): boolean;
  /** Is there a gateway of this name? */
  gatewayKnown(name: string): boolean;
  now(): Date;
}

interface CampaignBody {
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

const FILE_LIMIT = 8 * 1024 * 1024;
const WEEK_MS = 7 * 24 * 3_600_000;
const STEPS = { pause: 'PAUSED', resume: 'RUNNING', cancel: 'CANCELLED' } as const satisfies Record<
  string,
  CampaignState
>;

/** Many calls of one kind: campaigns, and the numbers that are never called. */
export function campaignRoutes(
  app: FastifyInstance,
  { campaigns, bots, hoursKnown, gatewayKnown, now }: CampaignRoutesOptions,
): void {
  const tags = ['calling out'];
  const found = async (campaignId: string) => {
    const campaign = await campaigns.get(campaignId);
    if (!campaign) throw noSuchCampaign();
    return campaignView(campaign);
  };

  app.post<{ Body: CampaignBody; Headers: { 'idempotency-key': string } }>(
    '/campaigns',
    {
      bodyLimit: FILE_LIMIT,
      schema: {
        operationId: 'createCampaign',
        summary: 'Calls the numbers of a CSV file',
        description: [
          'Lines that cannot be used are named in the answer and called by nobody; the others are called, each number once.',
          'Repeat a request whose answer was lost with the same Idempotency-Key: it is the same campaign.',
        ].join(' '),
        tags,
        headers: idempotencyHeaders,
        body: campaignRequest,
        response: {
          201: { description: 'It runs', ...createdCampaign },
          ...problems(400, 401, 403, 409, 413, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      if (body.hours !== undefined && !hoursKnown(body.hours)) {
        throw invalid(`There are no hours "${body.hours}": name hours of sip-config/, or leave it out.`, 'hours');
      }
      const latest = body.latest === undefined ? new Date(now().getTime() + WEEK_MS) : new Date(body.latest);
      if (latest <= now()) throw invalid('latest lies in the past.', 'latest');
      const { columns, numbers, rejected, duplicates } = readNumbers(body.csv);
      if (numbers.length === 0) {
        const why = rejected.slice(0, 20).map(({ line, message }) => `line ${line}: ${message}`);
        throw invalid(
          `There is no number to call: ${why.join('; ') || 'the file has no lines behind its header'}.`,
          'csv',
        );
      }
      const { name, bot, purpose, gateway, ringSeconds, onMachine, retry, callsPerMinute, concurrent, hours } = body;
      const sample = { to: numbers[0]!.number, variables: Object.fromEntries(columns.map((column) => [column, '-'])) };
      const common = requestOf(
        { ...sample, bot, purpose, gateway, ringSeconds, onMachine, retry },
        { bots: bots(), gatewayKnown },
      );
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
      const { campaignId, repeated } = await underItsKey(
        'a campaign',
        campaigns.create(
          {
            campaignId: randomUUID(),
            name,
            settings,
            idempotencyKey: request.headers['idempotency-key'],
            fingerprint: fingerprintOf(body),
          },
          numbers,
        ),
      );
      request.log.info(
        { campaign_id: campaignId, repeated, numbers: numbers.length, rejected: rejected.length },
        'campaign made',
      );
      return reply
        .code(201)
        .header('location', `/api/v1/campaigns/${campaignId}`)
        .send({
          campaign: await found(campaignId),
          rejected: settings.rejected,
          duplicates: settings.duplicates,
        });
    },
  );

  app.get(
    '/campaigns',
    {
      schema: {
        operationId: 'listCampaigns',
        summary: 'The latest 200 campaigns',
        tags,
        response: { 200: { description: 'Campaigns', ...campaignsResponse }, ...problems(401, 429, 503) },
      },
    },
    async () => ({ campaigns: (await campaigns.list()).map(campaignView) }),
  );

  app.get<{ Params: { campaignId: string } }>(
    '/campaigns/:campaignId',
    {
      schema: {
        operationId: 'getCampaign',
        summary: 'One campaign, with how far it is',
        tags,
        params: campaignIdParams,
        response: { 200: { description: 'The campaign', $ref: 'Campaign#' }, ...problems(400, 401, 404, 429, 503) },
      },
    },
    (request) => found(request.params.campaignId),
  );

  for (const [step, state] of Object.entries(STEPS)) {
    app.post<{ Params: { campaignId: string } }>(
      `/campaigns/:campaignId/${step}`,
      {
        schema: {
          operationId: `${step}Campaign`,
          summary: { pause: 'Makes no more calls', resume: 'Goes on', cancel: 'Takes back all that waits' }[step],
          tags,
          params: campaignIdParams,
          response: { 200: { description: 'Done', $ref: 'Campaign#' }, ...problems(400, 401, 403, 404, 409, 429, 503) },
        },
      },
      async (request) => {
        const { campaignId } = request.params;
        const moved = await campaigns.move(campaignId, state);
        if (moved === undefined) throw noSuchCampaign();
        const campaign = await found(campaignId);
        if (!moved) throw new HttpProblem(409, 'Not possible', `This campaign is ${campaign.state}.`);
        request.log.info({ campaign_id: campaignId, state }, 'campaign moved');
        return campaign;
      },
    );
  }

  app.get<{ Params: { campaignId: string } }>(
    '/campaigns/:campaignId/results',
    {
      schema: {
        operationId: 'campaignResults',
        summary: 'A CSV file with what became of each number',
        tags,
        params: campaignIdParams,
        produces: ['text/csv'],
        response: {
          200: { description: 'The file', content: { 'text/csv': { schema: { type: 'string' } } } },
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const campaign = await found(request.params.campaignId);
      const rows = await campaigns.results(campaign.campaignId);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="campaign-${campaign.campaignId}.csv"`)
        .send(resultsCsv(rows));
    },
  );

  app.get(
    '/do-not-call',
    {
      schema: {
        operationId: 'listDoNotCall',
        summary: 'Numbers that are never called',
        tags,
        response: { 200: { description: 'At most 10,000', ...barredResponse }, ...problems(401, 429, 503) },
      },
    },
    async () => ({
      numbers: (await campaigns.barred()).map(({ since, ...rest }) => ({ ...rest, since: since.toISOString() })),
    }),
  );

  app.put<{ Params: { number: string }; Body: { reason: string } }>(
    '/do-not-call/:number',
    {
      schema: {
        operationId: 'barNumber',
        summary: 'Never calls this number, also for orders that wait',
        tags,
        params: barredNumberParams,
        body: barRequest,
        response: { 204: { description: 'Done', type: 'null' }, ...problems(400, 401, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      await campaigns.bar(normalised(request.params.number), request.body.reason);
      return reply.code(204).send();
    },
  );

  app.delete<{ Params: { number: string } }>(
    '/do-not-call/:number',
    {
      schema: {
        operationId: 'unbarNumber',
        summary: 'This number may be called again',
        tags,
        params: barredNumberParams,
        response: { 204: { description: 'Done', type: 'null' }, ...problems(400, 401, 403, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      if (!(await campaigns.unbar(normalised(request.params.number))))
        throw notFound('This number is not on the list.');
      return reply.code(204).send();
    },
  );
}

function campaignView(campaign: Campaign) {
  const { settings } = campaign;
  return {
    campaignId: campaign.campaignId,
    name: campaign.name,
    state: campaign.state,
    bot: settings.bot,
    callsPerMinute: settings.callsPerMinute,
    concurrent: settings.concurrent,
    hours: settings.hours ?? null,
    latest: settings.latest,
    numbers: campaign.numbers,
    waiting: campaign.waiting,
    orders: campaign.orders,
    rejected: settings.rejectedCount ?? settings.rejected.length,
    duplicates: settings.duplicateCount ?? settings.duplicates.length,
    createdAt: campaign.createdAt.toISOString(),
  };
}

function resultsCsv(rows: readonly CampaignResult[]): string {
  const variables = Object.keys(rows[0]?.variables ?? {});
  const header = [
    'line',
    'number',
    ...variables,
    'state',
    'outcome',
    'answered_by',
    'attempts',
    'ended_at',
    'order_id',
  ];
  const lines = rows.map((row) => [
    row.line,
    row.number,
    ...variables.map((name) => row.variables[name]),
    row.state ?? 'WAITING',
    row.outcome,
    row.answeredBy,
    row.attempts,
    row.endedAt?.toISOString(),
    row.orderId,
  ]);
  return `${[header, ...lines].map((fields) => fields.map(csvField).join(',')).join('\r\n')}\r\n`;
}

/** RFC 4180; a spreadsheet must not take what a customer is called for a formula (plain numbers keep their sign). */
function csvField(value: string | number | undefined): string {
  const text = String(value ?? '');
  const plain = /^[=@\t\r]|^[+-](?![0-9][0-9.,]*$)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

const noSuchCampaign = () => notFound('There is no campaign with this campaignId.');
