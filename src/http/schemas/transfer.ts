import { HANDOVER_ASKERS, HANDOVER_ENDS, HANDOVER_STATES, HANDOVER_WAYS } from '../../call/handover/handover-status.ts';
import { count, object, orNull, text, time, uuid } from './parts.ts';

/** Handing a call over to a person. */

export const transferRequest = {
  type: 'object',
  additionalProperties: false,
  properties: {
    to: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      pattern: '^(\\+?[0-9*#().\\s-]+|(sips?|tel|phone):[^\\s<>"]+)$',
      description: 'A telephone number, a sip:, sips: or tel: URI, or `phone:` and the name of a phone in a browser',
    },
    queue: { type: 'string', minLength: 1, maxLength: 64, description: 'A hand-over queue of sip-config/' },
    how: {
      type: 'string',
      enum: [...HANDOVER_WAYS],
      description: [
        '`refer`: the caller’s side is asked to call the person and leaves us. `attended`: we call the person and have',
        'the two connected. `bridge`: the call goes on through us. `auto`: `refer` where the caller’s side takes it, else',
        '`bridge`. Default: what the queue says, else `auto`',
      ].join(' '),
    },
  },
  oneOf: [{ required: ['to'] }, { required: ['queue'] }],
};

export const transferResponse = object({
  handoverId: uuid,
  state: { type: 'string', enum: [...HANDOVER_STATES] },
  by: { type: 'string', enum: [...HANDOVER_ASKERS] },
  queue: orNull(text),
  startedAt: time,
  endedAt: orNull(time),
  outcome: { type: ['string', 'null'], enum: [...HANDOVER_ENDS, null] },
  position: { ...orNull(count), description: 'In line, from 1' },
  attempts: {
    type: 'array',
    items: object(
      {
        target: text,
        way: text,
        outcome: {
          ...text,
          description:
            '`trying`, `ringing`, `answered`; then how it went: `connected`, `busy`, `no-answer`, `declined` ...',
        },
        status: { type: 'integer', description: 'The last SIP status that was heard of it' },
      },
      ['status'],
    ),
  },
});
