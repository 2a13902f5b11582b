/** JSON Schemas of the API: Fastify validates and serializes with them, and /openapi.json is made of them. */

const text = { type: 'string' } as const;
const date = { type: 'string', format: 'date' } as const;

const money = {
  type: 'object',
  required: ['amount', 'currency'],
  properties: {
    amount: { type: 'string', pattern: '^-?[0-9]+\\.[0-9]{2}$', description: 'Decimal string, e.g. 1204.50' },
    currency: { type: 'string', enum: ['USD'] },
  },
} as const;

const card = {
  type: 'object',
  required: ['id', 'kind', 'last4', 'status'],
  properties: {
    id: text,
    kind: { type: 'string', enum: ['credit', 'debit'] },
    last4: { type: 'string', pattern: '^[0-9]{4}$' },
    status: { type: 'string', enum: ['active', 'in-production', 'shipped', 'blocked'] },
  },
} as const;

const customer = {
  type: 'object',
  required: ['number', 'name'],
  properties: { number: text, name: text },
} as const;

const list = (name: string, items: object) =>
  ({ type: 'object', required: [name], properties: { [name]: { type: 'array', items } } }) as const;

export const replies = {
  customers: list('customers', customer),
  verified: {
    type: 'object',
    required: ['verified', 'customer'],
    properties: { verified: { type: 'boolean' }, customer },
  },
  cards: list('cards', card),
  card: { type: 'object', required: ['card'], properties: { card } },
  delivery: {
    type: 'object',
    required: ['cardId', 'kind', 'last4', 'cardStatus', 'status'],
    properties: {
      cardId: text,
      kind: card.properties.kind,
      last4: card.properties.last4,
      cardStatus: card.properties.status,
      status: { type: 'string', enum: ['in-production', 'shipped', 'delivered'] },
      orderedOn: date,
      shippedOn: date,
      expectedOn: date,
      deliveredOn: date,
      carrier: text,
      trackingNumber: text,
    },
  },
  accounts: list('accounts', {
    type: 'object',
    required: ['id', 'kind', 'balance'],
    properties: { id: text, kind: { type: 'string', enum: ['current', 'savings'] }, balance: money },
  }),
  transactions: list('transactions', {
    type: 'object',
    required: ['id', 'account', 'bookedOn', 'direction', 'amount', 'counterparty'],
    properties: {
      id: text,
      account: { type: 'string', enum: ['current', 'savings'] },
      bookedOn: date,
      direction: { type: 'string', enum: ['debit', 'credit'] },
      amount: money,
      counterparty: text,
    },
  }),
  callback: {
    type: 'object',
    required: ['id', 'phone', 'withinMinutes'],
    properties: { id: text, phone: text, withinMinutes: { type: 'integer' } },
  },
} as const;

export const problemSchema = {
  description: 'Problem details (RFC 9457); `type` says which problem it is',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status'],
        properties: { type: { type: 'string', format: 'uri' }, title: text, status: { type: 'integer' }, detail: text },
        additionalProperties: true,
      },
    },
  },
} as const;

const accountKind = { type: 'string', enum: ['current', 'savings'] } as const;
const number = { type: 'string', pattern: '^[0-9]{6}$', description: 'Customer number' } as const;

export const customerParams = { type: 'object', required: ['number'], properties: { number } } as const;
export const cardParams = {
  type: 'object',
  required: ['number', 'card'],
  properties: { number, card: { type: 'string', maxLength: 64 } },
} as const;

export const changeHeaders = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'The same key gets the same answer; the request is carried out once. With another request: 422.',
    },
  },
} as const;

export const bodies = {
  pin: {
    type: 'object',
    required: ['pin'],
    additionalProperties: false,
    properties: { pin: { type: 'string', pattern: '^[0-9]{4}$' } },
  },
  callback: {
    type: 'object',
    additionalProperties: false,
    properties: {
      phone: { type: 'string', pattern: '^\\+[0-9]{5,15}$' },
      customerNumber: number,
      topic: { type: 'string', maxLength: 200 },
    },
  },
} as const;

export const queries = {
  phone: {
    type: 'object',
    required: ['phone'],
    properties: { phone: { type: 'string', maxLength: 32, description: 'E.164, the plus sign as %2B' } },
  },
  accounts: { type: 'object', properties: { kind: accountKind } },
  transactions: {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, maximum: 50, default: 10 }, account: accountKind },
  },
} as const;

export const faultsBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    delayMs: { type: 'number', minimum: 0, maximum: 600_000 },
    failNext: { type: 'integer', minimum: 0 },
    failRate: { type: 'number', minimum: 0, maximum: 1 },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    // As a union, lest type coercion make true of 1.
    hang: { type: ['boolean', 'integer'], minimum: 0 },
    drop: { type: ['boolean', 'integer'], minimum: 0 },
    when: { type: 'string', enum: ['before', 'after'] },
    method: { type: 'string', enum: ['GET', 'POST'] },
    seed: { type: 'integer', minimum: 0 },
  },
} as const;
