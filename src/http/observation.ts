import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { EventStreams } from './event-streams.ts';

/** Each request's correlation id goes back to the client; its time and its line are written down when it is answered. */
export function observe(app: FastifyInstance, metrics: Registry, streams: EventStreams): void {
  metrics.removeSingleMetric('http_request_duration_seconds');
  metrics.removeSingleMetric('http_event_streams');
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer HTTP requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [metrics],
  });
  new Gauge({
    name: 'http_event_streams',
    help: 'Viewers of live events connected now',
    registers: [metrics],
    collect() {
      this.set(streams.size);
    },
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-correlation-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    duration.observe({ method: request.method, route, status: String(status) }, reply.elapsedTime / 1000);
    const { sessionId } = (request.params ?? {}) as { sessionId?: string };
    const line: Record<string, unknown> = {
      method: request.method,
      route,
      status,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (sessionId !== undefined && status !== 400) line.session_id = sessionId;
    // Who read which call matters to a bank; probes and page files do not.
    const level = status >= 500 ? 'warn' : route.startsWith('/api/') ? 'info' : 'debug';
    request.log[level](line, 'request');
  });
}

/** A caller may name its own correlation id; anything unfit for a log line is replaced. */
export function correlationId(request: IncomingMessage): string {
  const given = request.headers['x-correlation-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}
