import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { monotonicNow } from '../../core/clock.ts';
import type { Auth } from '../auth.ts';
import type { ReadinessChecks } from '../health.ts';
import { HttpProblem } from '../problems.ts';
import { readinessResponse } from '../schemas/operations.ts';
import { problems } from '../schemas/problems.ts';

export interface OperationsOptions {
  readiness: ReadinessChecks;
  metrics: Registry;
  draining: () => boolean;
  auth: Auth;
}

/**
 * What operators ask. /health and /ready are open (load balancers ask them), but only signed-in and local clients are
 * told why a dependency is down. /metrics is open to clients on this machine and needs the bearer token from
 * elsewhere; a request that a proxy passed on counts as from elsewhere.
 */
export function operationsRoutes(app: FastifyInstance, options: OperationsOptions): void {
  const { readiness, metrics, draining, auth } = options;
  // Not by the clock on the wall, which may be set meanwhile.
  const startedAt = monotonicNow();
  const trusted = async (request: FastifyRequest) => isLocal(request) || (await auth.isAuthenticated(request));

  app.get(
    '/health',
    {
      config: { rateLimit: false },
      schema: {
        operationId: 'health',
        summary: 'The process is alive',
        tags: ['operations'],
        security: [],
        response: {
          200: {
            description: 'Alive',
            type: 'object',
            required: ['status', 'uptimeSeconds'],
            properties: { status: { type: 'string', enum: ['alive'] }, uptimeSeconds: { type: 'number' } },
          },
        },
      },
    },
    async () => ({ status: 'alive', uptimeSeconds: Math.round((monotonicNow() - startedAt) / 1000) }),
  );

  app.get(
    '/ready',
    {
      schema: {
        operationId: 'ready',
        summary: 'The connector can take calls; state and latency of each dependency',
        tags: ['operations'],
        security: [],
        response: {
          200: { description: 'Ready, or degraded: an optional part is down', ...readinessResponse },
          503: { description: 'Draining, or a required part is down', ...readinessResponse },
        },
      },
    },
    async (request, reply) => {
      const result = await readiness.run(draining());
      if (!(await trusted(request))) for (const one of result.dependencies) delete one.detail;
      const taking = result.status === 'ready' || result.status === 'degraded';
      return reply.code(taking ? 200 : 503).send(result);
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Prometheus metrics',
        tags: ['operations'],
        response: {
          200: { description: 'Text exposition format', content: { 'text/plain': { schema: { type: 'string' } } } },
          ...problems(401),
        },
      },
    },
    async (request, reply) => {
      if (!(await trusted(request))) {
        throw new HttpProblem(401, 'Not signed in', 'From another machine, metrics need the admin token.', {
          'www-authenticate': 'Bearer realm="sip-voice-connector"',
        });
      }
      return reply.type(metrics.contentType).send(await metrics.metrics());
    },
  );
}

function isLocal(request: FastifyRequest): boolean {
  const { headers } = request;
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined || headers.via !== undefined) {
    return false;
  }
  const address = request.raw.socket.remoteAddress ?? '';
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
