import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CallArchive } from '../../call/record/records.ts';
import type { CallRegistry } from '../../call/registry.ts';
import type { Auth } from '../auth.ts';
import type { EventStreams } from '../event-streams.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { sessionView } from '../views.ts';
import { noSuchCall } from './calls.ts';

export interface EventRoutesOptions {
  archive: CallArchive;
  registry: CallRegistry;
  streams: EventStreams;
  auth: Auth;
}

const STREAM_RESPONSE = {
  200: {
    description: [
      'Server-sent events. `sync`: the live calls (`active`: CallSession[]), sent first and after each reconnect.',
      '`session`: a CallSession changed. `utterance`: {sessionId, utterance}. `event`: {sessionId, event}.',
      '`missed`: {count}, the viewer was too slow; read the call again.',
    ].join(' '),
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  },
};

export function eventRoutes(app: FastifyInstance, { archive, registry, streams, auth }: EventRoutesOptions): void {
  const active = () => registry.active().map((session) => sessionView(session, true));
  const allowed = (request: FastifyRequest) => () =>
    request.headers.authorization !== undefined || auth.sessionRemainingMs(request) !== undefined;

  app.get<{ Querystring: { types?: 'session' | 'all' } }>(
    '/events',
    {
      schema: {
        operationId: 'streamEvents',
        summary: 'Live events of all calls',
        tags: ['live'],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            types: {
              type: 'string',
              enum: ['all', 'session'],
              default: 'all',
              description: '`session`: only calls that begin, change or end',
            },
          },
        },
        response: { ...STREAM_RESPONSE, ...problems(400, 401, 503) },
      },
    },
    (request, reply) =>
      streams.serve(request, reply, {
        events: (signal) =>
          registry.observe(signal, ({ type }) => request.query.types !== 'session' || type === 'session'),
        sync: () => ({ active: active() }),
        allowed: allowed(request),
      }),
  );

  app.get<{ Params: { sessionId: string } }>(
    '/calls/:sessionId/events',
    {
      schema: {
        operationId: 'streamCallEvents',
        summary: 'Live events of one call',
        tags: ['live'],
        params: sessionIdParams,
        response: { ...STREAM_RESPONSE, ...problems(400, 401, 404, 503) },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      const live = () => {
        const session = registry.get(sessionId);
        return session ? [sessionView(session, true)] : [];
      };
      if (live().length === 0 && !(await archive.get(sessionId))) throw noSuchCall();
      await streams.serve(request, reply, {
        events: (signal) => registry.observe(signal, (_event, id) => id === sessionId),
        sync: () => ({ active: live() }),
        allowed: allowed(request),
      });
    },
  );
}
