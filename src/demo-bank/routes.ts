import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Bank } from './bank.ts';
import type { Answer } from './problems.ts';
import { bodies, cardParams, changeHeaders, customerParams, problemSchema, queries, replies } from './schemas.ts';

/** Success in JSON, everything else as a problem. */
function responses(status: number, schema: object): Record<string, object> {
  return {
    [status]: { description: 'Done', content: { 'application/json': { schema } } },
    '4xx': problemSchema,
    '5xx': problemSchema,
  };
}

/** Answers one request: does the work (once per idempotency key), with the trouble that was ordered. */
export type Serve = (
  request: FastifyRequest,
  reply: FastifyReply,
  work: (asker: { correlationId: string; idempotencyKey: string | undefined }) => Answer,
) => Promise<FastifyReply>;

/** The API itself: what is asked of the bank under /v1. */
export function addBankRoutes(server: FastifyInstance, bank: Bank, serve: Serve): void {
  server.get<{ Querystring: { phone: string } }>(
    '/v1/customers',
    {
      schema: {
        operationId: 'findCustomers',
        summary: 'Customers with this telephone number. A hint only: a caller number proves nothing.',
        querystring: queries.phone,
        response: responses(200, replies.customers),
      },
    },
    (request, reply) => serve(request, reply, () => bank.findByPhone(request.query.phone)),
  );

  server.post<{ Params: { number: string }; Body: { pin: string } }>(
    '/v1/customers/:number/verification',
    {
      schema: {
        operationId: 'verifyCustomer',
        summary: 'Checks a PIN. Three wrong ones in a row lock the customer for a while (423).',
        params: customerParams,
        headers: changeHeaders,
        body: bodies.pin,
        response: responses(200, replies.verified),
      },
    },
    (request, reply) => serve(request, reply, (asker) => bank.verify(request.params.number, request.body.pin, asker)),
  );

  server.get<{ Params: { number: string } }>(
    '/v1/customers/:number/cards',
    {
      schema: {
        operationId: 'listCards',
        summary: 'The cards of a customer',
        params: customerParams,
        response: responses(200, replies.cards),
      },
    },
    (request, reply) => serve(request, reply, () => bank.cards(request.params.number)),
  );

  server.get<{ Params: { number: string; card: string } }>(
    '/v1/customers/:number/cards/:card/delivery',
    {
      schema: {
        operationId: 'cardDelivery',
        summary: 'Where a card is on its way to the customer',
        params: cardParams,
        response: responses(200, replies.delivery),
      },
    },
    (request, reply) => serve(request, reply, () => bank.delivery(request.params.number, request.params.card)),
  );

  server.get<{ Params: { number: string }; Querystring: { kind?: string } }>(
    '/v1/customers/:number/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        summary: 'Accounts with their balances',
        params: customerParams,
        querystring: queries.accounts,
        response: responses(200, replies.accounts),
      },
    },
    (request, reply) => serve(request, reply, () => bank.accounts(request.params.number, request.query.kind)),
  );

  server.get<{ Params: { number: string }; Querystring: { limit: number; account?: string } }>(
    '/v1/customers/:number/transactions',
    {
      schema: {
        operationId: 'listTransactions',
        summary: 'The last transactions, newest first',
        params: customerParams,
        querystring: queries.transactions,
        response: responses(200, replies.transactions),
      },
    },
    (request, reply) =>
      serve(request, reply, () => bank.transactions(request.params.number, request.query.limit, request.query.account)),
  );

  server.post<{ Params: { number: string; card: string } }>(
    '/v1/customers/:number/cards/:card/block',
    {
      schema: {
        operationId: 'blockCard',
        summary: 'Blocks a card for good',
        params: cardParams,
        headers: changeHeaders,
        response: responses(200, replies.card),
      },
    },
    (request, reply) => serve(request, reply, (asker) => bank.block(request.params.number, request.params.card, asker)),
  );

  server.post<{ Body: { phone?: string; customerNumber?: string; topic?: string } }>(
    '/v1/callback-requests',
    {
      schema: {
        operationId: 'requestCallback',
        summary: 'Asks for a call back by a person',
        headers: changeHeaders,
        body: bodies.callback,
        response: responses(201, replies.callback),
      },
    },
    (request, reply) => serve(request, reply, (asker) => bank.requestCallback(request.body, asker)),
  );
}
