import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { AdmissionDesk } from '../call/admission.ts';
import type { OutboundDesk } from '../call/outbound.ts';
import type { PhoneDesk } from '../call/phone-desk.ts';
import type { CallArchive } from '../call/record/records.ts';
import type { RetentionDesk } from '../call/recording/retention.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Block } from '../core/address-set.ts';
import { Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { KeyRing } from '../media/recording/key-ring.ts';
import { Auth } from './auth.ts';
import { refuseUnreadable } from './client-errors.ts';
import { describeCommonRefusals } from './common-refusals.ts';
import { consolePage } from './console-page.ts';
import { EventStreams } from './event-streams.ts';
import { TrustedProxies } from './forwarded.ts';
import { type HealthCheck, ReadinessChecks } from './health.ts';
import { httpsServer, type ServerCertificates } from './https.ts';
import { LiveTail } from './live-tail.ts';
import { HttpProblem, handleError } from './problems.ts';
import { needMoments, refuseBrokenText } from './request-text.ts';
import { admissionRoutes } from './routes/admission.ts';
import { botRoutes } from './routes/bots.ts';
import { callRoutes } from './routes/calls.ts';
import { type CampaignRoutesOptions, campaignRoutes } from './routes/campaigns.ts';
import { eventRoutes } from './routes/events.ts';
import { operationsRoutes } from './routes/operations.ts';
import { type OrderRoutesOptions, orderRoutes } from './routes/orders.ts';
import { outboundRoutes } from './routes/outbound.ts';
import { type PauseRecording, pauseRoutes } from './routes/pause.ts';
import { phoneRoute, phoneSource } from './routes/phone.ts';
import { recordingRoutes } from './routes/recording.ts';
import { retentionRoutes } from './routes/retention.ts';
import { type SayRouteOptions, sayRoute } from './routes/say.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { type SipRoutesOptions, sipRoutes } from './routes/sip.ts';
import { type SupervisionRoutesDesk, supervisionRoutes } from './routes/supervision.ts';
import { type TransferDesk, transferRoutes } from './routes/transfer.ts';
import { SHARED_SCHEMAS } from './schemas/shared.ts';
import { serializersWhenNeeded } from './serializers.ts';

export type { HealthCheck } from './health.ts';

export interface HttpServerOptions {
  host: string;
  /** 0 takes a free port; the address tells which. */
  port: number;
  /** With them, nothing is served in the clear. */
  certificates?: ServerCertificates | undefined;
  adminToken: string;
  archive: CallArchive;
  registry: CallRegistry;
  /** Recordings are served from below this folder only. */
  dataDir: string;
  /** For recordings that are sealed. */
  recordingKeys?: KeyRing | undefined;
  /** The built page; without it, or while it is not built, / says how to build it. */
  consoleDir?: string;
  checks: HealthCheck[];
  metrics: Registry;
  log: Logger;
  /** With it, staff can end a live call, and have something said in it. */
  live?: {
    hangup(sessionId: string): Promise<boolean>;
    say?: SayRouteOptions['say'];
    sipTrace?: NonNullable<SipRoutesOptions['live']>;
    pauseRecording?: PauseRecording;
  } & Partial<TransferDesk>;
  /** With it, browsers can call. */
  phones?: PhoneDesk;
  /** With it, calls can be ordered. */
  outbound?: OrderRoutesOptions & CampaignRoutesOptions;
  /** With it, supervisors can be brought into live calls. */
  supervision?: SupervisionRoutesDesk;
  /** With it, calls can be put on legal hold, and deletions be proved. */
  retention?: RetentionDesk;
  /** With it, operators see trunks and blocked sources, and can stop new calls. */
  admission?: AdmissionDesk;
  /** With it, operators see gateways and registrations. */
  waysOut?: OutboundDesk;
  draining(): boolean;
  /** Proxies whose X-Forwarded-* and Forwarded headers are believed. Default none. */
  proxies?: readonly Block[];
  /** Requests per second and address, default 200. */
  requestsPerSecond?: number;
  /** Wrong tokens per minute and address, default 10. */
  failedSignInsPerMinute?: number;
  /** Viewers of live events at once, default 100. */
  eventStreams?: number;
  /** Default 15,000. */
  heartbeatMs?: number;
}

export interface HttpServer {
  /** Base URL, e.g. http://127.0.0.1:8080 */
  readonly address: string;
  /** Ends event streams, lets running requests finish for 2 s, closes. Idempotent. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 2000;
const HSTS_SECONDS = 30 * 86_400;

/** Starts the API and the page. Rejects with Failure code http-listen when the port cannot be had. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { certificates } = options;
  const proxies = new TrustedProxies(options.proxies ?? []);
  const app = fastify({
    ...(certificates && { serverFactory: (handler: RequestListener) => httpsServer(certificates, handler) }),
    loggerInstance: options.log as FastifyBaseLogger,
    // The framework's own request lines carry the URL, and a search holds customers' numbers and words.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlation_id' }),
    genReqId: correlationId,
    bodyLimit: 64 * 1024,
    requestTimeout: 30_000,
    trustProxy: (address) => proxies.trusts(address),
    routerOptions: { maxParamLength: 200 },
    // What no route is asked for (an address that is too long, or badly written) is answered in the form of all errors.
    frameworkErrors: handleError,
    clientErrorHandler: refuseUnreadable,
    schemaController: { compilersFactory: { buildSerializer: serializersWhenNeeded() } },
    // An unknown query parameter is refused, not dropped: a misspelt filter must not return every call.
    // Verbose: a refusal tells what a field is, from its schema. Strict about numbers, 1e400 would pass every bound.
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: true,
        allErrors: false,
        verbose: true,
        strictNumbers: false,
      },
      onCreate: needMoments,
    },
  });
  app.setErrorHandler(handleError);
  const tail = new LiveTail(options.registry);
  const streams = new EventStreams({
    capacity: options.eventStreams ?? 100,
    heartbeatMs: options.heartbeatMs ?? 15_000,
  });
  app.addHook('preClose', async () => {
    streams.close();
    await tail.close();
  });

  app.addHook('onRequest', async ({ raw }) => proxies.translate(raw));
  await secure(app, options, proxies);
  refuseBrokenText(app);
  observe(app, options.metrics, streams);
  await describe(app);
  describeCommonRefusals(app);
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
  const auth = new Auth(app, {
    adminToken: options.adminToken,
    failuresPerMinute: options.failedSignInsPerMinute ?? 10,
  });

  const { archive, registry, dataDir, metrics, draining, live } = options;
  operationsRoutes(app, { readiness: new ReadinessChecks(options.checks), metrics, draining, auth });
  await app.register(
    async (api) => {
      api.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        if (!request.routeOptions.config.open) await auth.require(request);
      });
      signInRoutes(api, auth);
      callRoutes(api, { archive, registry, tail, hangup: live && ((id) => live.hangup(id)) });
      if (live?.say) sayRoute(api, { archive, say: (id, announcement) => live.say!(id, announcement) });
      if (options.supervision) supervisionRoutes(api, archive, options.supervision, options.phones);
      if (live?.transfer && live.handover && live.recall) transferRoutes(api, archive, live as TransferDesk);
      sipRoutes(api, { archive, registry, live: live?.sipTrace && ((id) => live.sipTrace?.(id)) });
      if (options.phones) phoneRoute(api, options.phones);
      if (options.outbound) {
        botRoutes(api, options.outbound);
        orderRoutes(api, options.outbound);
        campaignRoutes(api, options.outbound);
      }
      recordingRoutes(api, { archive, registry, dataDir, keys: options.recordingKeys });
      if (live?.pauseRecording) pauseRoutes(api, archive, (id, paused) => live.pauseRecording!(id, paused));
      if (options.retention) retentionRoutes(api, options.retention);
      if (options.admission) admissionRoutes(api, options.admission);
      if (options.waysOut) outboundRoutes(api, options.waysOut);
      eventRoutes(api, { archive, registry, streams, auth });
      api.get('/openapi.json', { config: { open: true }, schema: { hide: true } }, async () => app.swagger());
    },
    { prefix: '/api/v1' },
  );
  await consolePage(app, options.consoleDir);

  let address: string;
  try {
    address = await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await app.close();
    const message = `cannot serve HTTP on ${options.host}:${options.port}: ${(error as Error).message}`;
    throw new Failure(message, { code: 'http-listen', blame: 'us', cause: error });
  }

  return { address, close: closer(app) };
}

/**
 * Closes once, however often it is asked. Connections that carry no request (browsers open some ahead of need) would
 * hold the server open, so they are cut as soon as the last running request is done, and all of them after the grace.
 */
function closer(app: FastifyInstance): () => Promise<void> {
  let running = 0;
  let closing: Promise<void> | undefined;
  const cut = () => app.server.closeAllConnections();
  app.server.on('request', (_request, response) => {
    running++;
    response.once('close', () => {
      running--;
      if (closing && running === 0) cut();
    });
  });
  const close = async () => {
    const timer = setTimeout(cut, CLOSE_GRACE_MS);
    const closed = app.close();
    if (running === 0) cut();
    await closed;
    clearTimeout(timer);
  };
  return () => {
    closing ??= close();
    return closing;
  };
}

/** Headers and limits. The policy allows the page its own files and nothing else: no inline script or style. */
async function secure(
  app: FastifyInstance,
  { requestsPerSecond = 200, phones, certificates }: HttpServerOptions,
  proxies: TrustedProxies,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'"],
        // The page's phone speaks SIP over a WebSocket on a port of its own.
        'connect-src': ["'self'", (raw) => (phones && phoneSource(phones, proxies.arrivalOf(raw))) ?? "'self'"],
        'media-src': ["'self'"],
        'manifest-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // In the clear it is for the proxy that adds TLS to say; not for subdomains, which need not be ours.
    strictTransportSecurity: certificates ? { maxAge: HSTS_SECONDS, includeSubDomains: false } : false,
    frameguard: { action: 'deny' },
  });
  await app.register(rateLimit, {
    global: true,
    max: requestsPerSecond,
    timeWindow: 1000,
    errorResponseBuilder: (_request, context) =>
      new HttpProblem(429, 'Too many requests', `At most ${context.max} requests per second are answered.`),
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-correlation-id', request.id);
  });
}

function observe(app: FastifyInstance, metrics: Registry, streams: EventStreams): void {
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

async function describe(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'SIP voice connector',
        version: '1.0.0',
        description: 'Calls the connector has taken and is taking: transcripts, transactions, recordings, live events.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      servers: [{ url: '/' }],
      tags: [{ name: 'calls' }, { name: 'calling out' }, { name: 'live' }, { name: 'sign-in' }, { name: 'operations' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The admin token' },
          session: { type: 'apiKey', in: 'cookie', name: 'svc_session', description: 'Set by POST /api/v1/login' },
        },
      },
      security: [{ bearer: [] }, { session: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `def-${i}`),
    },
  });
}

/** A caller may name its own correlation id; anything unfit for a log line is replaced. */
function correlationId(request: IncomingMessage): string {
  const given = request.headers['x-correlation-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}
