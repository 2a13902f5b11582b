import { SUPERVISION_MODES } from '../../call/people/supervision-mode.ts';
import { sessionIdParams } from './calls.ts';
import { phoneSession } from './operations.ts';
import { object, orNull, text, time } from './parts.ts';

/** People who listen to live calls, and speak in them. */

const mode = {
  type: 'string',
  enum: [...SUPERVISION_MODES],
  description: [
    '`listen`: hears all, nobody hears them. `whisper`: the agent hears them. `join`: everybody does.',
    '`take-over`: the caller does, in the place of the bot, which is silent until another mode or the end.',
  ].join(' '),
};

const properties = {
  supervisionId: text,
  name: text,
  state: {
    type: 'string',
    enum: ['calling', 'waiting', 'active', 'gone'],
    description: '`waiting`: dialled in, in no call',
  },
  mode: { type: ['string', 'null'], enum: [...SUPERVISION_MODES, null] },
  sessionId: orNull(text),
  since: time,
};

export const supervision = object(properties);
/** For a phone in a browser, with what it is let in with. */
export const supervisionWithPhone = object({ ...properties, phone: phoneSession }, ['phone']);

export const superviseRequest = {
  type: 'object',
  additionalProperties: false,
  required: ['mode'],
  properties: {
    mode,
    to: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      pattern: '^(\\+?[0-9*#().\\s-]+|(sips?|phone):[^\\s<>"]+)$',
      description: 'Who is dialled for it: a telephone number or SIP URI that a gateway of sip-config/ serves',
    },
    gateway: { type: 'string', minLength: 1, maxLength: 64 },
    supervisionId: { type: 'string', maxLength: 64, description: 'Or one who has dialled in and waits' },
    phone: {
      type: 'boolean',
      const: true,
      description: [
        'Or a phone in a browser, which is about to call: the answer has credentials for SIP over WebSocket that are good',
        'for this one place in this one call, once, within half a minute. Whatever number it dials.',
      ].join(' '),
    },
    name: { type: 'string', minLength: 1, maxLength: 64, description: 'Who it is, for the record' },
  },
  oneOf: [{ required: ['to'] }, { required: ['supervisionId'] }, { required: ['phone'] }],
};

export const superviseChange = {
  type: 'object',
  additionalProperties: false,
  required: ['mode'],
  properties: { mode },
};

export const supervisionParams = {
  type: 'object',
  required: ['sessionId', 'supervisionId'],
  properties: { ...sessionIdParams.properties, supervisionId: { type: 'string', maxLength: 64 } },
};

export const supervisionState = object({
  most: { type: 'integer', description: 'Supervisors there may be at the same time' },
  calls: {
    type: 'array',
    items: object({
      sessionId: text,
      shortNumber: text,
      agent: { type: 'boolean', description: 'A person speaks with the caller, not the bot' },
    }),
  },
  supervisors: { type: 'array', items: supervision },
});
