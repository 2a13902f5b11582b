import { count, object, text, time, uuid } from './parts.ts';

/** SIP messages of a call. */

const endpoint = object({ address: text, port: { type: 'integer' } });

export const sipLadder = object({
  sessionId: uuid,
  dropped: { ...count, description: 'Messages between the first and the last that had no room' },
  messages: {
    type: 'array',
    items: object({
      at: { ...time, description: 'With microseconds' },
      offsetUs: { ...count, description: 'Microseconds since the first message' },
      direction: { type: 'string', enum: ['in', 'out'] },
      protocol: { type: 'string', enum: ['udp', 'tcp', 'tls', 'ws', 'wss'] },
      local: endpoint,
      remote: endpoint,
      leg: { type: 'integer', minimum: 1, description: 'Messages with one Call-ID are one leg' },
      callId: text,
      startLine: text,
      cseq: text,
      bytes: count,
      retransmission: { type: 'boolean', description: 'The same message has gone the same way before' },
      text: { ...text, description: 'The whole message; each byte of a secret is an x' },
    }),
  },
});
