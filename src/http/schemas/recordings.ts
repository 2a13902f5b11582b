import { anyObject, count, ms, object, text, time, uuid } from './parts.ts';

/** Recordings: how they look and sound, how long they are kept. */

export const RECORDING_SCHEMA = {
  $id: 'Recording',
  ...object({
    recordingId: uuid,
    format: { type: 'string', enum: ['wav', 'ogg'], description: 'ogg is Opus' },
    channels: { type: 'integer', description: 'Left is the caller, right is the bot' },
    durationMs: ms,
    bytes: count,
    createdAt: time,
    url: text,
  }),
};

export const peaksResponse = object({
  durationMs: ms,
  sampleRate: { type: 'integer' },
  channels: {
    type: 'array',
    items: { type: 'array', items: { type: 'number', minimum: 0, maximum: 1 } },
    description: 'Per channel (caller, bot) the loudest sample of each slice, 0 to 1',
  },
});

export const holdRequest = {
  ...object({ hold: { type: 'boolean' }, reason: { ...text, maxLength: 500, description: 'For the record' } }, [
    'reason',
  ]),
  additionalProperties: false,
};

export const deletionPage = object({
  intact: {
    type: 'boolean',
    description: 'Every hash of the page is right and follows from the one before',
  },
  deletions: {
    type: 'array',
    items: object({
      sequence: { type: 'integer', minimum: 1 },
      deletedAt: time,
      sessionId: uuid,
      what: { type: 'string', enum: ['recording', 'contents'] },
      policy: text,
      details: anyObject,
      previousHash: text,
      hash: {
        ...text,
        description: 'SHA-256 of [previousHash, sequence, deletedAt, sessionId, what, policy, details] as JSON',
      },
    }),
  },
});
