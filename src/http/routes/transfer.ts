import type { FastifyInstance } from 'fastify';
import type { HandoverRefusal, HandoverRequest } from '../../call/handover/handover-desk.ts';
import type { HandoverStatus } from '../../call/handover/handover-status.ts';
import type { CallArchive } from '../../call/record/records.ts';
import type { LiveCalls } from '../live-calls.ts';
import { HttpProblem, notFound } from '../problems.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { transferRequest, transferResponse } from '../schemas/transfer.ts';
import { notLive } from './calls.ts';

type Params = { Params: { sessionId: string } };

const REFUSALS: Record<Exclude<HandoverRefusal, 'not-live'>, [title: string, detail: string]> = {
  'not-answered': ['Call is not up', 'This call has not been answered, or is being ended.'],
  pending: ['A transfer is under way', 'This call is being handed over already, or is with a person.'],
  unavailable: ['Nobody can be called', 'This connector cannot hand calls over.'],
  'no-queue': ['No such queue', 'sip-config/ has no hand-over queue of this name.'],
};

/** Handing a live call over to a person, on request of staff and integrators. */
export function transferRoutes(
  app: FastifyInstance,
  archive: CallArchive,
  live: Pick<LiveCalls, 'transfer' | 'handover' | 'recall'>,
): void {
  app.post<Params & { Body: HandoverRequest }>(
    '/calls/:sessionId/transfer',
    {
      schema: {
        operationId: 'transferCall',
        summary: 'Hands a live call over to a person',
        description: [
          'To a number or SIP URI (`to`), or to a queue of sip-config/ (`queue`). Events `handover-*` of the call tell its',
          'way. When nobody can be reached the caller is with the bot again, which says why.',
        ].join(' '),
        tags: ['calls'],
        params: sessionIdParams,
        body: transferRequest,
        response: {
          202: { description: 'Begun', ...transferResponse },
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      const outcome = live.transfer(sessionId, request.body);
      if (typeof outcome !== 'string') {
        request.log.info({ session_id: sessionId, handover_id: outcome.handoverId }, 'transfer begun');
        return reply.code(202).send(view(outcome));
      }
      if (outcome === 'not-live') throw await notLive(archive, sessionId);
      throw new HttpProblem(outcome === 'no-queue' ? 404 : 409, ...REFUSALS[outcome]);
    },
  );

  app.get<Params>(
    '/calls/:sessionId/transfer',
    {
      schema: {
        operationId: 'getTransfer',
        summary: 'The last transfer of a live call',
        tags: ['calls'],
        params: sessionIdParams,
        response: {
          200: { description: 'Where it stands', ...transferResponse },
          ...problems(400, 401, 404, 503),
        },
      },
    },
    async (request) => {
      const status = live.handover(request.params.sessionId);
      if (status === undefined) throw notFound('This call is not live, or has not been handed over to anybody.');
      return view(status);
    },
  );

  app.delete<Params>(
    '/calls/:sessionId/transfer',
    {
      schema: {
        operationId: 'recallTransfer',
        summary: 'Takes the caller back: from the line, from hold, or out of the talk with a person',
        description:
          'A caller whose own side has been asked to transfer the call (state `referring`) may leave all the same.',
        tags: ['calls'],
        params: sessionIdParams,
        response: {
          202: { description: 'The bot takes the caller back', ...transferResponse },
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      const status = live.handover(sessionId);
      if (status === undefined) throw notFound('This call is not live, or has not been handed over to anybody.');
      if (!live.recall(sessionId)) throw new HttpProblem(409, 'Nothing to take back', 'The transfer is over.');
      request.log.info({ session_id: sessionId, handover_id: status.handoverId }, 'transfer taken back');
      return reply.code(202).send(view(live.handover(sessionId) ?? status));
    },
  );
}

function view(status: HandoverStatus) {
  const { queue, endedAt, outcome, position, startedAt, ...rest } = status;
  return {
    ...rest,
    queue: queue ?? null,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    outcome: outcome ?? null,
    position: position ?? null,
  };
}
