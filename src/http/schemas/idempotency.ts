/** Requests that may be sent again. */

export const idempotencyHeaders = {
  type: 'object',
  required: ['idempotency-key'],
  properties: {
    'idempotency-key': {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description:
        'Made by the client. The same key with the same contents is the same order or campaign, however often it is sent',
    },
  },
};
