import type { FastifyInstance } from 'fastify';
import type { RetentionDesk } from '../../call/recording/retention.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { deletionPage, holdRequest } from '../schemas/recordings.ts';
import { noSuchCall } from './calls.ts';

/** What must be kept, and the proof of what was deleted. */
export function retentionRoutes(app: FastifyInstance, desk: RetentionDesk): void {
  app.put<{ Params: { sessionId: string }; Body: { hold: boolean; reason?: string } }>(
    '/calls/:sessionId/legal-hold',
    {
      schema: {
        operationId: 'holdCall',
        summary:
          'Keeps a call, its recording and its contents, whatever the retention policy says; or lets it go again',
        tags: ['calls'],
        params: sessionIdParams,
        body: holdRequest,
        response: {
          200: { description: 'As it is now', type: 'object', properties: { hold: { type: 'boolean' } } },
          ...problems(400, 401, 403, 404, 503),
        },
      },
    },
    async (request) => {
      const { sessionId } = request.params;
      const { hold, reason } = request.body;
      if (!(await desk.hold(sessionId, hold, reason))) throw noSuchCall();
      request.log.info({ session_id: sessionId, hold }, 'legal hold changed');
      return { hold };
    },
  );

  app.get<{ Querystring: { after: number; limit: number } }>(
    '/deletions',
    {
      schema: {
        operationId: 'listDeletions',
        summary: 'The log of what was deleted, when and by which rule: each entry holds the hash of the one before',
        tags: ['operations'],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            after: {
              type: 'integer',
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              default: 0,
              description: 'Entries behind this sequence number',
            },
            limit: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
          },
        },
        response: {
          200: { description: 'Entries, the oldest first', ...deletionPage },
          ...problems(400, 401, 503),
        },
      },
    },
    async ({ query: { after, limit } }) => {
      const { deletions, intact } = await desk.deletions(after, limit);
      return {
        intact,
        deletions: deletions.map((entry) => ({ ...entry, deletedAt: entry.deletedAt.toISOString() })),
      };
    },
  );
}
