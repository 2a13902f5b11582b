import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { BotProfile } from '../../call/bot/bot-profile.ts';
import {
  type CallOrder,
  type MachineManner,
  NO_RETRY,
  type OrderRequest,
  type OrderState,
  type RetryRule,
} from '../../call/orders/order.ts';
import type { NewOrder, OrderBook } from '../../call/orders/order-book.ts';
import { missingVariables } from '../../call/orders/words.ts';
import { fingerprintOf, underItsKey } from '../idempotency.ts';
import { HttpProblem, invalid, notFound } from '../problems.ts';
import { idempotencyHeaders } from '../schemas/idempotency.ts';
import { orderIdParams, orderPage, orderQuery, orderRequest } from '../schemas/orders.ts';
import { problems } from '../schemas/problems.ts';

export interface OrderRoutesOptions {
  orders: Pick<OrderBook, 'place' | 'earlier' | 'get' | 'list' | 'cancel'>;
  /** The bots there are now. */
  bots(): ReadonlyMap<string, BotProfile>;
  /** Is there a gateway of this name? */
  gatewayKnown(name: string): boolean;
  now(): Date;
}

export interface OrderBody {
  to: string;
  bot: string;
  purpose?: string;
  variables?: Record<string, string>;
  earliest?: string;
  latest?: string;
  ringSeconds?: number;
  gateway?: string;
  onMachine?: MachineManner;
  retry?: RetryRule;
}

const DAY_MS = 24 * 3_600_000;
/** Orders are for the days to come, not for the years. */
const LONGEST_WAIT_MS = 31 * DAY_MS;

/** Calling out: orders, and what became of them. */
export function orderRoutes(app: FastifyInstance, { orders, bots, gatewayKnown, now }: OrderRoutesOptions): void {
  const tags = ['calling out'];

  app.post<{ Body: OrderBody; Headers: { 'idempotency-key': string } }>(
    '/calls',
    {
      schema: {
        operationId: 'orderCall',
        summary: 'Orders a call to somebody',
        description: [
          'Taken down before it is answered; dialled when it is due and there is room, once, by one connector, whatever',
          'becomes of the request or of a process. Repeat a request whose answer was lost with the same Idempotency-Key.',
        ].join(' '),
        tags,
        headers: idempotencyHeaders,
        body: orderRequest,
        response: {
          202: { description: 'Taken; Location tells where to ask for it', $ref: 'CallOrder#' },
          ...problems(400, 401, 403, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const asked = { idempotencyKey: request.headers['idempotency-key'], fingerprint: fingerprintOf(body) };
      const { order, repeated } = await underItsKey('an order', {
        take: async () =>
          orders.place({
            orderId: randomUUID(),
            ...asked,
            ...timesOf(body, now()),
            request: requestOf(body, { bots: bots(), gatewayKnown }),
          }),
        earlier: () => orders.earlier(asked),
      });
      request.log.info({ order_id: order.orderId, repeated }, 'call ordered');
      return reply.code(202).header('location', `/api/v1/orders/${order.orderId}`).send(orderView(order));
    },
  );

  app.get<{ Querystring: { state?: OrderState; to?: string; limit: number; cursor?: string } }>(
    '/orders',
    {
      schema: {
        operationId: 'listOrders',
        summary: 'Orders, the latest first',
        tags,
        querystring: orderQuery,
        response: { 200: { description: 'A page of orders', ...orderPage }, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { to, ...rest } = request.query;
      const page = await orders.list({ ...rest, ...(to !== undefined && { to: normalised(to) }) });
      return { orders: page.orders.map(orderView), nextCursor: page.nextCursor ?? null };
    },
  );

  app.get<{ Params: { orderId: string } }>(
    '/orders/:orderId',
    {
      schema: {
        operationId: 'getOrder',
        summary: 'One order, with each time it was dialled',
        tags,
        params: orderIdParams,
        response: { 200: { description: 'The order', $ref: 'CallOrder#' }, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request) => {
      const order = await orders.get(request.params.orderId);
      if (!order) throw noSuchOrder();
      return orderView(order);
    },
  );

  app.delete<{ Params: { orderId: string } }>(
    '/orders/:orderId',
    {
      schema: {
        operationId: 'cancelOrder',
        summary: 'Takes an order back',
        description:
          'At once while it waits; while it rings the call is given up. Somebody who has answered is not cut off.',
        tags,
        params: orderIdParams,
        response: {
          200: { description: 'Cancelled', $ref: 'CallOrder#' },
          202: { description: 'It is being dialled, and is given up', $ref: 'CallOrder#' },
          ...problems(400, 401, 403, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const done = await orders.cancel(request.params.orderId);
      if (!done) throw noSuchOrder();
      const { order, outcome } = done;
      request.log.info({ order_id: order.orderId, outcome }, 'order to be cancelled');
      if (outcome === 'talking') {
        throw new HttpProblem(409, 'Answered', 'It was answered: end the call by its sessionId instead.');
      }
      if (outcome === 'over') throw new HttpProblem(409, 'Over', `This order is ${order.state} already.`);
      return reply.code(outcome === 'cancelled' ? 200 : 202).send(orderView(order));
    },
  );
}

/** Between when it may be dialled. Throws 400 for what has passed, or is far off. */
function timesOf({ earliest, latest }: OrderBody, now: Date): Pick<NewOrder, 'notBefore' | 'notAfter'> {
  const notBefore = earliest === undefined ? now : new Date(earliest);
  const notAfter = latest === undefined ? new Date(notBefore.getTime() + DAY_MS) : new Date(latest);
  if (notAfter <= notBefore) throw invalid('latest must be after earliest.', 'latest');
  if (notAfter <= now) throw invalid('latest lies in the past.', 'latest');
  if (notBefore.getTime() > now.getTime() + LONGEST_WAIT_MS)
    throw invalid('earliest lies more than 31 days ahead.', 'earliest');
  return { notBefore, notAfter };
}

/** What is asked for, with what the bot says where the client says nothing. Throws 400 for what could not be carried out. */
export function requestOf(
  body: OrderBody,
  { bots, gatewayKnown }: { bots: ReadonlyMap<string, BotProfile>; gatewayKnown(name: string): boolean },
): OrderRequest {
  const profile = bots.get(body.bot);
  const manner = profile?.outbound;
  if (!profile || !manner) {
    const callers = [...bots].flatMap(([name, one]) => (one.outbound ? [name] : []));
    const there =
      callers.length > 0
        ? `Those that call are ${callers.slice(0, 20).join(', ')}.`
        : 'No bot of sip-config/ has `outbound`.';
    throw invalid(`There is no bot "${body.bot}" that calls out. ${there}`, 'bot');
  }
  if (body.gateway !== undefined && !gatewayKnown(body.gateway)) {
    throw invalid(`There is no gateway "${body.gateway}": name one of GET /gateways, or leave it out.`, 'gateway');
  }
  const request: OrderRequest = {
    to: normalised(body.to),
    bot: body.bot,
    purpose: body.purpose,
    variables: body.variables ?? {},
    gateway: body.gateway,
    ringMs: body.ringSeconds && body.ringSeconds * 1000,
    onMachine: body.onMachine,
    retry: body.retry ?? manner.retry ?? NO_RETRY,
  };
  const missing = missingVariables(profile, manner, request);
  if (missing.length > 0) {
    const fields = missing.map((name) => `variables.${name}`);
    throw invalid(`The bot's words need these variables: ${missing.join(', ')}.`, ...fields);
  }
  if ((request.onMachine ?? manner.onMachine) === 'leave-message' && manner.message === undefined) {
    throw invalid('This bot has no message to leave: give it `outbound.message`, or ask for hang-up.', 'onMachine');
  }
  return request;
}

export function orderView(order: CallOrder) {
  const { request } = order;
  return {
    orderId: order.orderId,
    state: order.state,
    outcome: order.outcome ?? null,
    answeredBy: order.attempts.at(-1)?.answeredBy ?? null,
    to: request.to,
    bot: request.bot,
    purpose: request.purpose ?? null,
    variables: request.variables,
    gateway: request.gateway ?? null,
    ringSeconds: request.ringMs === undefined ? null : request.ringMs / 1000,
    onMachine: request.onMachine ?? null,
    retry: request.retry,
    latest: order.notAfter.toISOString(),
    nextAttemptAt: order.nextAttemptAt?.toISOString() ?? null,
    cancelRequested: order.cancelRequested,
    attempts: order.attempts.map((one) => ({
      sessionId: one.sessionId,
      startedAt: one.startedAt,
      endedAt: one.endedAt ?? null,
      outcome: one.outcome ?? null,
      answeredBy: one.answeredBy ?? null,
      gateway: one.gateway ?? null,
    })),
    createdAt: order.createdAt.toISOString(),
    endedAt: order.endedAt?.toISOString() ?? null,
  };
}

/** Numbers without their separators: one number is one destination, however it was written. */
export function normalised(to: string): string {
  return /^sips?:/i.test(to) ? to : to.replace(/[().\s-]/g, '');
}

const noSuchOrder = () => notFound('There is no order with this orderId.');
