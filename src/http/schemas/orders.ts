import { MACHINE_MANNERS, ORDER_STATES, RETRY_CAUSES } from '../../call/orders/order.ts';
import { object, orNull, text, time, uuid } from './parts.ts';

/** Orders, and the bots that call. */

const variableName = '^[a-z][a-z0-9_]{0,31}$';

const retryRule = {
  type: 'object',
  additionalProperties: false,
  required: ['maxAttempts', 'afterMinutes'],
  properties: {
    maxAttempts: {
      type: 'integer',
      minimum: 1,
      maximum: 10,
      description: 'How often it is dialled at most, the first time included',
    },
    afterMinutes: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        RETRY_CAUSES.map((cause) => [cause, { type: 'number', minimum: 1, maximum: 10_080 }]),
      ),
      description: 'Minutes until it is dialled again, by cause; a cause that is not named is not tried again',
    },
  },
};

/** A telephone number with or without separators, or a SIP URI. */
export const destination = {
  type: 'string',
  minLength: 1,
  maxLength: 256,
  pattern: '^(\\+?[().\\s-]*[0-9*#][0-9*#().\\s-]*|sips?:[^\\s<>"]+)$',
} as const;

export const orderRequest = {
  type: 'object',
  additionalProperties: false,
  required: ['to', 'bot'],
  properties: {
    to: {
      ...destination,
      description: 'A telephone number such as +4930123456, or a SIP URI where a gateway allows its host',
    },
    bot: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'A bot of sip-config/ that may call (`outbound`)',
    },
    purpose: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      description: 'What the call is about, told word for word once it is clear who answers; default: the bot’s',
    },
    variables: {
      type: 'object',
      maxProperties: 30,
      propertyNames: {
        pattern: variableName,
        description: 'names in lower case: a letter, then letters, digits and _, at most 32',
      },
      additionalProperties: {
        type: 'string',
        maxLength: 200,
        pattern: '^[^\\u0000-\\u001f{}]*$',
        description: 'text that can be spoken: one line without { and }',
      },
      description:
        'What the bot’s words refer to as {name}. `customer_number` is given to the bank when the customer is verified',
    },
    earliest: { ...time, description: 'Not dialled before; default: now' },
    latest: { ...time, description: 'Not dialled after; default: 24 hours after `earliest`' },
    ringSeconds: { type: 'integer', minimum: 5, maximum: 180, description: 'Default: the gateway’s' },
    gateway: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'The only gateway to use; default: all that serve the number',
    },
    onMachine: {
      type: 'string',
      enum: [...MACHINE_MANNERS],
      description: 'When a machine answers; default: the bot’s',
    },
    retry: { ...retryRule, description: 'When it is dialled again; default: the bot’s, else never' },
  },
};

export const orderIdParams = { type: 'object', required: ['orderId'], properties: { orderId: uuid } };

export const ORDER_SCHEMA = {
  $id: 'CallOrder',
  ...object({
    orderId: uuid,
    state: {
      type: 'string',
      enum: [...ORDER_STATES],
      description:
        'QUEUED until it is due or there is room; DONE when somebody or something answered and was talked to',
    },
    outcome: {
      ...orNull(text),
      description:
        'How the last call ended (docs/data.md), or `expired`, `do-not-call`, `no-such-bot`; null until then',
    },
    answeredBy: { type: ['string', 'null'], enum: ['person', 'machine', null] },
    to: text,
    bot: text,
    purpose: orNull(text),
    variables: { type: 'object', additionalProperties: text },
    gateway: orNull(text),
    ringSeconds: orNull({ type: 'number' }),
    onMachine: orNull(text),
    retry: retryRule,
    latest: time,
    nextAttemptAt: { ...orNull(time), description: 'When it is due, while it waits' },
    cancelRequested: { type: 'boolean' },
    attempts: {
      type: 'array',
      description: 'Each time it was dialled; sessionId is the call’s record',
      items: object({
        sessionId: uuid,
        startedAt: time,
        endedAt: orNull(time),
        outcome: orNull(text),
        answeredBy: orNull(text),
        gateway: orNull(text),
      }),
    },
    createdAt: time,
    endedAt: orNull(time),
  }),
};

export const orderQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    state: { type: 'string', enum: [...ORDER_STATES] },
    to: { type: 'string', minLength: 1, maxLength: 256, description: 'The whole number or URI' },
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    cursor: { type: 'string', minLength: 1, maxLength: 512, description: 'nextCursor of the page before' },
  },
};

export const orderPage = object({
  orders: { type: 'array', items: { $ref: 'CallOrder#' } },
  nextCursor: { ...orNull(text), description: 'null on the last page' },
});

export const botsResponse = object({
  bots: {
    type: 'array',
    items: object({
      name: text,
      outbound: {
        type: ['object', 'null'],
        description: 'null: it only answers',
        required: ['variables', 'purpose', 'verify', 'onMachine'],
        properties: {
          variables: { type: 'array', items: text, description: 'Which its words name: an order must have them' },
          purpose: { ...orNull(text), description: 'What is said when the order has none' },
          verify: { type: 'boolean', description: 'It tells the purpose to nobody but a verified customer' },
          onMachine: { type: 'string', enum: [...MACHINE_MANNERS] },
        },
      },
    }),
  },
});
