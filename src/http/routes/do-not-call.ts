import type { FastifyInstance } from 'fastify';
import type { CampaignBook } from '../../call/campaigns/campaign.ts';
import { notFound } from '../problems.ts';
import { barRequest, barredNumberParams, barredResponse } from '../schemas/campaigns.ts';
import { problems } from '../schemas/problems.ts';
import { normalised } from './order-request.ts';

/** Numbers that are never called, whoever orders it. */
export function doNotCallRoutes(app: FastifyInstance, list: Pick<CampaignBook, 'barred' | 'bar' | 'unbar'>): void {
  const tags = ['calling out'];

  app.get(
    '/do-not-call',
    {
      schema: {
        operationId: 'listDoNotCall',
        summary: 'Numbers that are never called',
        tags,
        response: { 200: { description: 'At most 10,000', ...barredResponse }, ...problems(401, 503) },
      },
    },
    async () => ({
      numbers: (await list.barred()).map(({ since, ...rest }) => ({ ...rest, since: since.toISOString() })),
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
        response: { 204: { description: 'Done', type: 'null' }, ...problems(400, 401, 403, 503) },
      },
    },
    async (request, reply) => {
      await list.bar(normalised(request.params.number), request.body.reason);
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
        response: { 204: { description: 'Done', type: 'null' }, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      if (!(await list.unbar(normalised(request.params.number)))) throw notFound('This number is not on the list.');
      return reply.code(204).send();
    },
  );
}
