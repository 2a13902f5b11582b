import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Campaign, CampaignBook, CampaignState } from '../../call/campaigns/campaign.ts';
import { resultsCsv } from '../campaign-csv.ts';
import { fingerprintOf, underItsKey } from '../idempotency.ts';
import { HttpProblem, notFound } from '../problems.ts';
import { campaignIdParams, campaignRequest, campaignsResponse, createdCampaign } from '../schemas/campaigns.ts';
import { idempotencyHeaders } from '../schemas/idempotency.ts';
import { problems } from '../schemas/problems.ts';
import { type CampaignBody, campaignPlan, type PlanFacts } from './campaign-plan.ts';

export interface CampaignRoutesOptions extends PlanFacts {
  campaigns: CampaignBook;
}

const FILE_LIMIT = 8 * 1024 * 1024;
const STEPS = { pause: 'PAUSED', resume: 'RUNNING', cancel: 'CANCELLED' } as const satisfies Record<
  string,
  CampaignState
>;

/** Many calls of one kind. */
export function campaignRoutes(app: FastifyInstance, { campaigns, ...plans }: CampaignRoutesOptions): void {
  const tags = ['calling out'];
  const found = async (campaignId: string) => {
    const campaign = await campaigns.get(campaignId);
    if (!campaign) throw noSuchCampaign();
    return campaign;
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
          ...problems(400, 401, 403, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const asked = { idempotencyKey: request.headers['idempotency-key'], fingerprint: fingerprintOf(body) };
      const { campaignId, repeated } = await underItsKey('a campaign', {
        take: async () => {
          const { settings, numbers } = campaignPlan(body, plans);
          return campaigns.create({ campaignId: randomUUID(), name: body.name, settings, ...asked }, numbers);
        },
        earlier: () => campaigns.earlier(asked),
      });
      const campaign = await found(campaignId);
      const { settings, numbers } = campaign;
      request.log.info(
        { campaign_id: campaignId, repeated, numbers, rejected: settings.rejectedCount },
        'campaign made',
      );
      return reply
        .code(201)
        .header('location', `/api/v1/campaigns/${campaignId}`)
        .send({
          campaign: campaignView(campaign),
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
        response: { 200: { description: 'Campaigns', ...campaignsResponse }, ...problems(401, 503) },
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
        response: { 200: { description: 'The campaign', $ref: 'Campaign#' }, ...problems(400, 401, 404, 503) },
      },
    },
    async (request) => campaignView(await found(request.params.campaignId)),
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
          response: { 200: { description: 'Done', $ref: 'Campaign#' }, ...problems(400, 401, 403, 404, 409, 503) },
        },
      },
      async (request) => {
        const { campaignId } = request.params;
        const moved = await campaigns.move(campaignId, state);
        if (moved === undefined) throw noSuchCampaign();
        const campaign = await found(campaignId);
        if (!moved) throw new HttpProblem(409, 'Not possible', `This campaign is ${campaign.state}.`);
        request.log.info({ campaign_id: campaignId, state }, 'campaign moved');
        return campaignView(campaign);
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
          ...problems(400, 401, 404, 503),
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

const noSuchCampaign = () => notFound('There is no campaign with this campaignId.');
