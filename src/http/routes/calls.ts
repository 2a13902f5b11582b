import type { FastifyInstance } from 'fastify';
import type { CallArchive, CallDetail, CallQuery, SessionStatus } from '../../call/record/records.ts';
import type { CallRegistry } from '../../call/registry.ts';
import type { LiveCalls } from '../live-calls.ts';
import type { LiveTail } from '../live-tail.ts';
import { HttpProblem, notFound } from '../problems.ts';
import { callPage, callQuery, sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { detailView, summaryView } from '../views.ts';

export interface CallRoutesOptions {
  archive: CallArchive;
  registry: CallRegistry;
  tail: LiveTail;
  live?: Pick<LiveCalls, 'hangup'> | undefined;
}

interface ListQuery {
  status?: SessionStatus;
  caller?: string;
  from?: string;
  to?: string;
  text?: string;
  limit: number;
  cursor?: string;
}

export const noSuchCall = () => notFound('There is no call with this sessionId.');

/** A call that is not live: it has ended, or there never was one. */
export async function notLive(archive: CallArchive, sessionId: string): Promise<HttpProblem> {
  if (!(await archive.get(sessionId))) return noSuchCall();
  return new HttpProblem(409, 'Call has ended', 'This call is not live any more.');
}

export function callRoutes(app: FastifyInstance, { archive, registry, tail, live }: CallRoutesOptions): void {
  app.get<{ Querystring: ListQuery }>(
    '/calls',
    {
      schema: {
        operationId: 'listCalls',
        summary: 'Calls, the latest first',
        tags: ['calls'],
        querystring: callQuery,
        response: { 200: { description: 'A page of calls', ...callPage }, ...problems(400, 401, 503) },
      },
    },
    async (request) => {
      const { from, to, ...rest } = request.query;
      const query: CallQuery = rest;
      if (from !== undefined) query.from = new Date(from);
      if (to !== undefined) query.to = new Date(to);
      const { calls, nextCursor } = await archive.list(query);
      return {
        calls: calls.map((call) => summaryView(call, registry.isActive(call.sessionId))),
        nextCursor: nextCursor ?? null,
      };
    },
  );

  app.get<{ Params: { sessionId: string } }>(
    '/calls/:sessionId',
    {
      schema: {
        operationId: 'getCall',
        summary: 'One call with its utterances, turns, events and transactions',
        tags: ['calls'],
        params: sessionIdParams,
        response: {
          200: { description: 'The call', $ref: 'CallDetail#' },
          ...problems(400, 401, 404, 503),
        },
      },
    },
    async (request) => {
      const { sessionId } = request.params;
      const active = registry.get(sessionId);
      let stored: CallDetail | undefined;
      let archived = true;
      try {
        stored = await archive.get(sessionId);
      } catch (error) {
        if (!active) throw error;
        request.log.warn({ err: error, session_id: sessionId }, 'archive away: showing the live part of the call');
        archived = false;
      }
      if (!stored && !active) throw noSuchCall();
      const detail: CallDetail = stored ?? {
        session: active!,
        utterances: [],
        events: [],
        transactions: [],
        recording: undefined,
      };
      // The registry knows the session's state before the archive does.
      const session = active ?? detail.session;
      return detailView(tail.complete({ ...detail, session }), active !== undefined, archived);
    },
  );

  if (!live) return;
  app.post<{ Params: { sessionId: string } }>(
    '/calls/:sessionId/hangup',
    {
      schema: {
        operationId: 'hangUpCall',
        summary: 'Ends a live call',
        tags: ['calls'],
        params: sessionIdParams,
        response: {
          202: {
            description: 'The call is being ended',
            type: 'object',
            properties: { sessionId: { type: 'string' } },
          },
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      if (await live.hangup(sessionId)) {
        request.log.info({ session_id: sessionId }, 'call hung up through the API');
        return reply.code(202).send({ sessionId });
      }
      throw await notLive(archive, sessionId);
    },
  );
}
