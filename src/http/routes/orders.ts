import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { CallOrder, OrderState } from '../../call/orders/order.ts';
import type { OrderBook } from '../../call/orders/order-book.ts';
import { fingerprintOf, underItsKey } from '../idempotency.ts';
import { HttpProblem, notFound } from '../problems.ts';
import { idempotencyHeaders } from '../schemas/idempotency.ts';
import { orderIdParams, orderPage, orderQuery, orderRequest } from '../schemas/orders.ts';
import { problems } from '../schemas/problems.ts';
import { normalised, type OrderBody, type OrderFacts, requestOf, timesOf } from './order-request.ts';

export interface OrderRoutesOptions extends OrderFacts {
  orders: Pick<OrderBook, 'place' | 'earlier' | 'get' | 'list' | 'cancel'>;
  now(): Date;
}

/** Calling out: orders, and what became of them. */
export function orderRoutes(app: FastifyInstance, { orders, now, ...facts }: OrderRoutesOptions): void {
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
          ...problems(400, 401, 403, 409, 503),
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
            request: requestOf(body, facts),
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
        response: { 200: { description: 'A page of orders', ...orderPage }, ...problems(400, 401, 503) },
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
        response: { 200: { description: 'The order', $ref: 'CallOrder#' }, ...problems(400, 401, 404, 503) },
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
          ...problems(400, 401, 403, 404, 409, 503),
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

function orderView(order: CallOrder) {
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

const noSuchOrder = () => notFound('There is no order with this orderId.');
