import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { serializersWhenNeeded, validatorsWhenNeeded } from '../core/schema-compilers.ts';
import { Bank } from './bank.ts';
import { type FaultSettings, Faults } from './faults.ts';
import { IdempotentAnswers } from './idempotency.ts';
import { type Answer, problem, sendProblem } from './problems.ts';
import { addBankRoutes, type Serve } from './routes.ts';
import { faultsBody } from './schemas.ts';

export interface DemoBankOptions {
  apiKey: string;
  log: Logger;
  /** YYYY-MM-DD; undefined: the date in UTC, day by day. */
  today?: string;
  /** How long three wrong PINs in a row lock a customer, ms. */
  lockMs?: number;
  faults?: Partial<FaultSettings>;
  /** Opens /_test/faults, /_test/journal and /_test/reset. */
  testEndpoints?: boolean;
}

const CORRELATION_HEADER = 'x-correlation-id';

/** The demo bank as an HTTP service; `listen` it. Its state lives and dies with it. */
export async function createDemoBank(options: DemoBankOptions): Promise<FastifyInstance> {
  const now = () => Date.now();
  const bank = new Bank({ today: options.today, lockMs: options.lockMs ?? 15 * 60_000, now });
  const answers = new IdempotentAnswers();
  const faults = new Faults(options.faults);
  const server = Fastify({
    logger: false,
    bodyLimit: 16 * 1024,
    forceCloseConnections: true,
    genReqId: (request) => correlationOf(request.headers[CORRELATION_HEADER]),
    schemaController: {
      compilersFactory: { buildSerializer: serializersWhenNeeded(), buildValidator: validatorsWhenNeeded() },
    },
  });

  server.addHook('onRequest', async (request, reply) => {
    reply.header('X-Correlation-Id', request.id);
    if (isPublic(request.url)) return;
    if (!sameKey(request.headers.authorization, options.apiKey)) {
      return sendProblem(reply.header('WWW-Authenticate', 'Bearer'), problem('unauthorized'));
    }
  });
  server.addHook('onResponse', async (request, reply) => {
    options.log.info(
      {
        correlation_id: request.id,
        method: request.method,
        // The pattern, not the address: that holds customer numbers.
        route: request.routeOptions.url ?? '(none)',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    );
  });
  server.setNotFoundHandler((_request, reply) => sendProblem(reply, problem('not-found')));
  server.setErrorHandler((error: Error & { statusCode?: number; validation?: unknown }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) {
      // Only which field is wrong and how; a validation message never repeats the value.
      const detail = error.validation === undefined ? undefined : error.message;
      return sendProblem(reply, problem('invalid-request', { status, detail }));
    }
    options.log.error({ correlation_id: request.id, error: error.message }, 'request failed');
    return sendProblem(reply, problem('internal'));
  });

  const serve: Serve = async (request, reply, work) => {
    const trouble = faults.next(request.method);
    const asker = { correlationId: request.id, idempotencyKey: idempotencyKeyOf(request) };
    const doWork = () => {
      const key = request.method === 'POST' ? asker.idempotencyKey : undefined;
      const { answer, replayed } = answers.answer(key, [request.url, request.body ?? null], now(), () => work(asker));
      if (replayed) reply.header('Idempotency-Replayed', 'true');
      return answer;
    };
    if (trouble.when === 'before' && trouble.delayMs > 0) await delay(trouble.delayMs, undefined, { ref: false });
    const answer = trouble.kind === 'none' || trouble.when === 'after' ? doWork() : undefined;
    if (trouble.when === 'after' && trouble.delayMs > 0) await delay(trouble.delayMs, undefined, { ref: false });
    if (trouble.kind === 'hang') return reply.hijack();
    if (trouble.kind === 'drop') {
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if (trouble.kind === 'fail') return sendProblem(reply, problem('unavailable', { status: trouble.status }));
    return send(reply, answer ?? doWork());
  };

  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Demo bank',
        version: '1.0.0',
        description: 'A small retail bank with made-up customers, for trying out and testing the voice connector.',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
  });
  addBankRoutes(server, bank, serve);
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  server.get('/health', { schema: { hide: true } }, () => ({ status: 'ok' }));
  if (options.testEndpoints === true) addTestRoutes(server, bank, answers, faults);
  await server.ready();
  return server;
}

function addTestRoutes(server: FastifyInstance, bank: Bank, answers: IdempotentAnswers, faults: Faults): void {
  const hide = { hide: true };
  server.post<{ Body: Partial<FaultSettings> }>(
    '/_test/faults',
    { schema: { ...hide, body: faultsBody } },
    (request) => {
      faults.set(request.body);
      return faults.settings;
    },
  );
  server.get('/_test/faults', { schema: hide }, () => faults.settings);
  server.get('/_test/journal', { schema: hide }, () => ({ entries: bank.journal }));
  server.post('/_test/reset', { schema: hide }, () => {
    bank.reset();
    answers.reset();
    faults.set({});
    return { status: 'ok' };
  });
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.status >= 400) return sendProblem(reply, { ...problem('internal'), ...answer.body });
  return reply.status(answer.status).send(answer.body);
}

function isPublic(url: string): boolean {
  return url === '/openapi.json' || url === '/health' || url.startsWith('/_test/');
}

/** Compares digests, so that neither time nor length tells how much of a guess was right. */
function sameKey(header: string | undefined, apiKey: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${apiKey}`));
}

function correlationOf(header: string | string[] | undefined): string {
  const value = Array.isArray(header) ? header[0] : header;
  // What comes from outside goes into our log and back in a header: only harmless characters, and not too many.
  return value !== undefined && /^[\w.:@-]{1,128}$/.test(value) ? value : randomUUID();
}

function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const value = request.headers['idempotency-key'];
  return Array.isArray(value) ? value[0] : value;
}
