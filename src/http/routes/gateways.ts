import type { FastifyInstance } from 'fastify';
import type { OutboundDesk } from '../../call/outbound.ts';
import { gatewaysResponse, registrationsResponse } from '../schemas/operations.ts';
import { problems } from '../schemas/problems.ts';

/** The ways out, and where we are registered. */
export function gatewayRoutes(app: FastifyInstance, desk: OutboundDesk): void {
  const tags = ['operations'];

  app.get(
    '/gateways',
    {
      schema: {
        operationId: 'gateways',
        summary: 'Gateways with their state, calls and limits',
        tags,
        response: { 200: { description: 'In the order of trying', ...gatewaysResponse }, ...problems(401) },
      },
    },
    async () => {
      const counts = await desk.counts();
      return {
        counted: counts === undefined ? 'here' : 'everywhere',
        gateways: desk.gateways().map(({ lastFailure, ...gateway }) => ({
          ...gateway,
          ...(counts && { calls: 0, callsToday: 0, ...counts.get(gateway.name) }),
          lastFailure: lastFailure ?? null,
        })),
      };
    },
  );

  app.get(
    '/registrations',
    {
      schema: {
        operationId: 'registrations',
        summary: 'Where the connector is registered, and until when',
        tags,
        response: { 200: { description: 'As configured', ...registrationsResponse }, ...problems(401) },
      },
    },
    async () => ({
      registrations: desk.registrations().map(({ expiresAt, lastFailure, ...registration }) => ({
        ...registration,
        expiresAt: expiresAt ?? null,
        lastFailure: lastFailure ?? null,
      })),
    }),
  );
}
