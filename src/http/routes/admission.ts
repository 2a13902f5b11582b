import type { FastifyInstance } from 'fastify';
import type { AdmissionDesk } from '../../call/admission.ts';
import { notFound } from '../problems.ts';
import { admissionResponse, blockedResponse, trunksResponse } from '../schemas/operations.ts';
import { problems } from '../schemas/problems.ts';

/** Who may call: what the gate does, the emergency stop, trunks with their limits, blocked sources. */
export function admissionRoutes(app: FastifyInstance, desk: AdmissionDesk): void {
  const tags = ['operations'];

  app.get(
    '/admission',
    {
      schema: {
        operationId: 'admission',
        summary: 'Are new calls taken, and what has been refused',
        tags,
        response: { 200: { description: 'The state now', ...admissionResponse }, ...problems(401) },
      },
    },
    async () => statusView(desk),
  );

  app.post<{ Body: { stop: boolean } }>(
    '/admission',
    {
      schema: {
        operationId: 'setAdmission',
        summary: 'The emergency stop',
        description: 'While stopped, every new call is refused with 503 and Retry-After; running calls go on.',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['stop'],
          properties: { stop: { type: 'boolean' } },
        },
        response: { 200: { description: 'The state now', ...admissionResponse }, ...problems(400, 401, 403) },
      },
    },
    async (request) => {
      const { stop } = request.body;
      request.log.warn({ stop }, 'emergency stop asked for');
      desk.stop(stop);
      return statusView(desk);
    },
  );

  app.get(
    '/trunks',
    {
      schema: {
        operationId: 'trunks',
        summary: 'Trunks with their calls and limits, and whether the newest configuration is in force',
        tags,
        response: { 200: { description: 'In the order in which they are tried', ...trunksResponse }, ...problems(401) },
      },
    },
    async () => trunksView(desk),
  );

  app.post(
    '/trunks/reload',
    {
      schema: {
        operationId: 'reloadTrunks',
        summary: 'Reads the configuration again; a mistake in it keeps the one in force',
        tags,
        response: {
          200: { description: 'What is in force now; config.error says why the files are not', ...trunksResponse },
          ...problems(401, 403),
        },
      },
    },
    async () => {
      desk.reload();
      return trunksView(desk);
    },
  );

  app.get(
    '/blocked-sources',
    {
      schema: {
        operationId: 'blockedSources',
        summary: 'Sources that are answered with silence',
        tags,
        response: { 200: { description: 'The longest blocked first', ...blockedResponse }, ...problems(401) },
      },
    },
    async () => ({ sources: desk.blocked() }),
  );

  app.delete<{ Querystring: { source: string } }>(
    '/blocked-sources',
    {
      schema: {
        operationId: 'unblockSource',
        summary: 'Hears a source again',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          required: ['source'],
          properties: { source: { type: 'string', minLength: 2, maxLength: 64, description: 'As the list names it' } },
        },
        response: { 204: { description: 'It is heard again', type: 'null' }, ...problems(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { source } = request.query;
      if (!desk.unblock(source)) throw notFound('This source is not blocked.');
      request.log.info({ source }, 'source unblocked');
      return reply.code(204).send();
    },
  );
}

function statusView(desk: AdmissionDesk) {
  const status = desk.status();
  const { perSecond = null, atOnce = null } = status.bounds;
  return { ...status, overload: status.overload ?? null, bounds: { perSecond, atOnce } };
}

function trunksView(desk: AdmissionDesk) {
  const { config, trunks } = desk.trunks();
  return {
    config: { ...config, error: config.error ?? null },
    trunks: trunks.map(({ limits: { calls, callsPerSecond }, ...trunk }) => ({
      ...trunk,
      limits: { calls: calls ?? null, callsPerSecond: callsPerSecond ?? null },
    })),
  };
}
