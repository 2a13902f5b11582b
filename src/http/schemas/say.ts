import { object, uuid } from './parts.ts';

/** Speaking on request. */

export const sayRequest = {
  type: 'object',
  additionalProperties: false,
  required: ['text'],
  properties: {
    text: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      pattern: '[\\p{L}\\p{N}]',
      description: 'What the caller is to hear: plain text with at least one letter or digit',
    },
    priority: {
      type: 'integer',
      minimum: 1,
      maximum: 10,
      default: 5,
      description: 'Higher goes first; among equals the first come. A lower one never cuts a higher one',
    },
    mode: {
      type: 'string',
      enum: ['queue', 'replace'],
      description: [
        '`queue`: said when neither side speaks. `replace`: cuts what is being said, except a read-back that waits for',
        'the caller’s yes. Default: `replace` for priority 8 to 10, else `queue`. Never said over the caller.',
      ].join(' '),
    },
    interruptible: {
      type: 'boolean',
      default: true,
      description: 'False: the caller’s voice and keys do not cut it; what they say meanwhile is taken up after it',
    },
  },
};

export const sayResponse = object({
  sessionId: uuid,
  utteranceId: { ...uuid, description: 'The utterance in the transcript, once it is being said' },
});
