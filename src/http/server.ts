import type { RequestListener } from 'node:http';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { Registry } from 'prom-client';
import type { AdmissionDesk } from '../call/admission.ts';
import type { OutboundDesk } from '../call/outbound.ts';
import type { PhoneDesk } from '../call/phone-desk.ts';
import type { CallArchive } from '../call/record/records.ts';
import type { RetentionDesk } from '../call/recording/retention.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Block } from '../core/address-set.ts';
import { Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { serializersWhenNeeded, validatorsWhenNeeded } from '../core/schema-compilers.ts';
import type { KeyRing } from '../media/recording/key-ring.ts';
import { Auth } from './auth.ts';
import { refuseUnreadable } from './client-errors.ts';
import { closer } from './closer.ts';
import { describeCommonRefusals } from './common-refusals.ts';
import { consolePage } from './console-page.ts';
import { EventStreams } from './event-streams.ts';
import { TrustedProxies } from './forwarded.ts';
import { type HealthCheck, ReadinessChecks } from './health.ts';
import { httpsServer, type ServerCertificates } from './https.ts';
import type { LiveCalls } from './live-calls.ts';
import { LiveTail } from './live-tail.ts';
import { correlationId, observe } from './observation.ts';
import { describe } from './openapi.ts';
import { handleError } from './problems.ts';
import { protect } from './protection.ts';
import { needMoments, refuseBrokenText } from './request-text.ts';
import { admissionRoutes } from './routes/admission.ts';
import { botRoutes } from './routes/bots.ts';
import { callRoutes } from './routes/calls.ts';
import { type CampaignRoutesOptions, campaignRoutes } from './routes/campaigns.ts';
import { doNotCallRoutes } from './routes/do-not-call.ts';
import { eventRoutes } from './routes/events.ts';
import { gatewayRoutes } from './routes/gateways.ts';
import { operationsRoutes } from './routes/operations.ts';
import { type OrderRoutesOptions, orderRoutes } from './routes/orders.ts';
import { pauseRoutes } from './routes/pause.ts';
import { phoneRoute } from './routes/phone.ts';
import { recordingRoutes } from './routes/recording.ts';
import { retentionRoutes } from './routes/retention.ts';
import { sayRoute } from './routes/say.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { sipRoutes } from './routes/sip.ts';
import { type SupervisionRoutesDesk, supervisionRoutes } from './routes/supervision.ts';
import { transferRoutes } from './routes/transfer.ts';
import { SHARED_SCHEMAS } from './schemas/shared.ts';

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
  /** With it, staff can act in live calls: end them, speak in them, hand them over. */
  live?: LiveCalls;
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

/** Starts the API and the page. Rejects with Failure code http-listen when the port cannot be had. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { certificates } = options;
  const proxies = new TrustedProxies(options.proxies ?? []);
  const app = fastify({
    ...(certificates && { serverFactory: (handler: RequestListener) => httpsServer(certificates, handler) }),
    // The same pino, whose type Fastify knows by a name of its own.
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
    schemaController: {
      compilersFactory: { buildSerializer: serializersWhenNeeded(), buildValidator: validatorsWhenNeeded() },
    },
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
    tail.close();
  });

  app.addHook('onRequest', async ({ raw }) => proxies.translate(raw));
  await protect(app, {
    phones: options.phones,
    proxies,
    encrypted: certificates !== undefined,
    requestsPerSecond: options.requestsPerSecond ?? 200,
  });
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
      callRoutes(api, { archive, registry, tail, live });
      sipRoutes(api, { archive, registry, live });
      recordingRoutes(api, { archive, registry, dataDir, keys: options.recordingKeys });
      if (live) {
        sayRoute(api, archive, live);
        transferRoutes(api, archive, live);
        pauseRoutes(api, archive, live);
      }
      if (options.supervision) supervisionRoutes(api, archive, options.supervision, options.phones);
      if (options.phones) phoneRoute(api, options.phones);
      if (options.outbound) {
        botRoutes(api, options.outbound);
        orderRoutes(api, options.outbound);
        campaignRoutes(api, options.outbound);
        doNotCallRoutes(api, options.outbound.campaigns);
      }
      if (options.retention) retentionRoutes(api, options.retention);
      if (options.admission) admissionRoutes(api, options.admission);
      if (options.waysOut) gatewayRoutes(api, options.waysOut);
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
