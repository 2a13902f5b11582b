import { anyObject, count, ms, object, orNull, text, time, uuid } from './parts.ts';

/** Calls, their transcripts, turns and events. */

const STATUS = ['ACTIVE', 'COMPLETED', 'FAILED', 'INTERRUPTED'];

const session = {
  sessionId: uuid,
  callerPhone: { ...text, description: 'E.164 where it can be; empty for an anonymous caller' },
  callerIdentity: {
    ...text,
    description:
      'URI of the caller: asserted by a trusted trunk, else the From; anonymous where the caller asked to be',
  },
  signalling: {
    ...orNull(anyObject),
    description:
      'Further facts of signalling: trusted, anonymous, claimed, asserted, diversions, history, userToUser; absent ones are left out',
  },
  trunk: { ...orNull(text), description: 'Trunk the call came by, or gateway it went by, where it is known' },
  orderId: { ...orNull(uuid), description: 'The order a call of ours was made for' },
  answeredBy: {
    type: ['string', 'null'],
    enum: ['person', 'machine', null],
    description: 'Who answered a call of ours, where that was found out',
  },
  legalHold: { type: 'boolean', description: 'Kept whatever the retention policy says' },
  calledNumber: text,
  direction: { type: 'string', enum: ['INBOUND', 'OUTBOUND'] },
  callStartTime: time,
  answerTime: orNull(time),
  callEndTime: orNull(time),
  durationMs: { ...orNull(ms), description: 'From the INVITE to the end; null while the call goes on' },
  sipCallId: text,
  correlationId: text,
  status: { type: 'string', enum: STATUS },
  live: { type: 'boolean', description: 'The call is going on in this process now' },
  endCause: orNull(text),
  summary: orNull(text),
  botProfile: text,
  botProfileVersion: text,
};

const timingProperties = {
  endpointMs: { ...ms, description: 'The turn was given to the bot' },
  asrFinalMs: { ...ms, description: 'The final transcript came' },
  firstTokenMs: { ...ms, description: 'The first token of the answer' },
  firstAudioMs: { ...ms, description: 'The first audio of the answer' },
  firstPacketMs: { ...ms, description: 'The first RTP packet with sound: voice-to-voice as the connector sees it' },
  bargeInToSilenceMs: { ...ms, description: 'From the caller’s first voice to the bot’s last packet' },
  endpointReason: {
    ...text,
    description:
      'Why the caller was taken to be done: `complete` (a whole of what was expected), `incomplete`, `doubtful` (hardly understood), `unheard` (nothing was understood), `too-long`, `model` (the end-of-turn model was sure)',
  },
};

export const CALL_SCHEMAS = [
  { $id: 'CallSession', ...object(session) },
  {
    $id: 'CallSummary',
    ...object({ ...session, utteranceCount: count, transactionCount: count, hasRecording: { type: 'boolean' } }),
  },
  {
    $id: 'TurnTimings',
    description: 'Milliseconds from the end of the caller’s speech; a step that did not happen is left out',
    ...object(timingProperties, Object.keys(timingProperties)),
  },
  {
    $id: 'Utterance',
    ...object({
      utteranceId: uuid,
      sequence: { type: 'integer', minimum: 1 },
      speaker: { type: 'string', enum: ['caller', 'assistant', 'agent', 'system'] },
      text: { ...text, description: 'Caller: what was understood. Assistant: what was generated' },
      heard: { ...text, description: 'What the other side heard of it' },
      interrupted: { type: 'boolean' },
      startedAt: time,
      endedAt: orNull(time),
      confidence: orNull({ type: 'number' }),
      source: {
        ...text,
        description:
          'speech, dtmf, prompt, say:api or the language model’s name; between people overheard, and recording when it was listened to behind the call',
      },
      timings: { anyOf: [{ $ref: 'TurnTimings#' }, { type: 'null' }] },
    }),
  },
  {
    $id: 'Turn',
    ...object({
      turn: { type: 'integer', minimum: 1 },
      utteranceId: uuid,
      callerUtteranceId: orNull(uuid),
      startedAt: time,
      interrupted: { type: 'boolean' },
      timings: { $ref: 'TurnTimings#' },
    }),
  },
  { $id: 'CallEvent', ...object({ eventId: uuid, at: time, type: text, data: anyObject }) },
  {
    $id: 'Transaction',
    ...object({
      transactionId: uuid,
      customerId: orNull(text),
      transactionType: text,
      authenticationStatus: { type: 'string', enum: ['PENDING', 'VERIFIED', 'FAILED'] },
      outcome: { type: 'string', enum: ['PENDING', 'POSTED', 'FAILED', 'UNKNOWN'] },
      idempotencyKey: text,
      queryParameters: anyObject,
      responseData: orNull(anyObject),
      createdAt: time,
      completedAt: orNull(time),
    }),
  },
  {
    $id: 'CallDetail',
    ...object({
      ...session,
      aiProviderConfig: anyObject,
      archived: { type: 'boolean', description: 'False when the archive is away and only live data is shown' },
      utterances: { type: 'array', items: { $ref: 'Utterance#' } },
      turns: { type: 'array', items: { $ref: 'Turn#' } },
      events: { type: 'array', items: { $ref: 'CallEvent#' } },
      transactions: { type: 'array', items: { $ref: 'Transaction#' } },
      recording: { anyOf: [{ $ref: 'Recording#' }, { type: 'null' }] },
    }),
  },
];

export const sessionIdParams = { type: 'object', required: ['sessionId'], properties: { sessionId: uuid } };

export const callQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    status: { type: 'string', enum: STATUS },
    caller: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description:
        'The person’s number, or its end: of who called, and in calls of ours of whom we called. Else part of their address',
    },
    from: { ...time, description: 'Calls that started at this time or later' },
    to: { ...time, description: 'Calls that started before this time' },
    text: { type: 'string', minLength: 1, maxLength: 200, description: 'Words searched in the transcripts' },
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    cursor: { type: 'string', minLength: 1, maxLength: 512, description: 'nextCursor of the page before' },
  },
};

export const callPage = object({
  calls: { type: 'array', items: { $ref: 'CallSummary#' } },
  nextCursor: { ...orNull(text), description: 'null on the last page' },
});
