import { HANDOVER_ENDS, HANDOVER_STATES, HANDOVER_WAYS } from '../call/handover/handover-status.ts';
import { CAMPAIGN_SCHEMA } from './campaign-schemas.ts';
import { ORDER_SCHEMA } from './order-schemas.ts';
import { anyObject, count, ms, object, orNull, text, time, uuid } from './schema-parts.ts';

/**
 * JSON Schemas of the API. They validate requests, serialise responses (a field not named here is not sent) and become
 * the OpenAPI document, so the three cannot differ.
 */

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
      'Why the caller was taken to be done: `complete` (a whole of what was expected), `incomplete`, `unheard` (nothing was understood), `too-long`, `model` (the end-of-turn model was sure)',
  },
};

export const SHARED_SCHEMAS = [
  ORDER_SCHEMA,
  CAMPAIGN_SCHEMA,
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
      source: { ...text, description: 'speech, dtmf, prompt, say:api or the language model’s name' },
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
  {
    $id: 'Problem',
    description: 'RFC 9457',
    ...object(
      {
        type: text,
        title: text,
        status: { type: 'integer' },
        detail: text,
        correlationId: text,
        errors: { type: 'array', items: object({ field: text, in: text, message: text }) },
      },
      ['errors'],
    ),
  },
];

/** Responses of the given error statuses, as problem+json. */
export function problems(...statuses: number[]): Record<number, unknown> {
  const schema = { $ref: 'Problem#' };
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: PROBLEM_TEXT[status], content: { 'application/problem+json': { schema } } },
    ]),
  );
}

const PROBLEM_TEXT: Record<number, string> = {
  400: 'The request is not valid; errors names the fields',
  401: 'Not signed in, or a wrong token',
  403: 'The request came from another origin',
  404: 'There is no such thing',
  409: 'Not possible in the call’s present state',
  413: 'The request is too large',
  416: 'The range lies outside the recording',
  422: 'The recording has another format',
  429: 'Too many requests; see Retry-After',
  503: 'Temporarily unavailable; see Retry-After',
};

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

export const phoneSession = object({
  username: { type: 'string', description: 'User part of the From, and of the digest credentials' },
  password: { type: 'string' },
  realm: { type: 'string' },
  webSocket: { type: 'string', description: 'Where to connect, e.g. wss://bot.example:5066' },
  expiresAt: { type: 'string', format: 'date-time' },
});

export const transferRequest = {
  type: 'object',
  additionalProperties: false,
  properties: {
    to: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      pattern: '^(\\+?[0-9*#().\\s-]+|(sips?|tel):[^\\s<>"]+)$',
      description: 'A telephone number, or a sip:, sips: or tel: URI',
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
  by: { type: 'string', enum: ['caller', 'api'] },
  queue: orNull(text),
  startedAt: time,
  endedAt: orNull(time),
  outcome: { type: ['string', 'null'], enum: [...HANDOVER_ENDS, null] },
  position: { ...orNull(count), description: 'In line, from 1' },
  attempts: {
    type: 'array',
    items: object({ target: text, way: text, outcome: text, status: { type: 'integer' } }, ['status']),
  },
});

export const sessionIdParams = { type: 'object', required: ['sessionId'], properties: { sessionId: uuid } };

export const callQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    status: { type: 'string', enum: STATUS },
    caller: { type: 'string', minLength: 1, maxLength: 64, description: 'Digits of the caller’s number' },
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

export const readinessResponse = object({
  status: { type: 'string', enum: ['ready', 'degraded', 'draining', 'down'] },
  dependencies: {
    type: 'array',
    items: object(
      {
        name: text,
        required: { type: 'boolean' },
        state: { type: 'string', enum: ['up', 'down'] },
        latencyMs: ms,
        detail: { ...text, description: 'Told to signed-in clients only' },
      },
      ['detail'],
    ),
  },
});

export const signInState = object({
  signedIn: { type: 'boolean' },
  expiresAt: { ...orNull(time), description: 'When the sign-in ends; null for a bearer token' },
});

export const admissionResponse = object({
  state: { type: 'string', enum: ['open', 'stopped', 'draining', 'overloaded'] },
  overload: { type: ['string', 'null'], description: 'What is exhausted: cpu, memory or loopDelayMs' },
  load: object({
    cpu: { type: 'number', description: 'Of the cores this process may use, 0 to 1' },
    memory: { type: 'number', description: 'Of the memory this process may use, 0 to 1' },
    loopDelayMs: { ...ms, description: 'How late timers of the main thread fire, the worst of a hundred' },
  }),
  calls: count,
  maxCalls: count,
  blockedSources: count,
  accepted: { ...count, description: 'INVITEs let in since the start' },
  refused: {
    type: 'object',
    additionalProperties: count,
    description: 'Requests refused or left without an answer since the start, by reason',
  },
});

export const trunksResponse = object({
  config: object({
    version: text,
    loadedAt: time,
    error: { ...orNull(text), description: 'Why the newest edit is not in force: file:line:column of each mistake' },
  }),
  trunks: {
    type: 'array',
    items: object({
      name: text,
      calls: count,
      accepted: { ...count, description: 'Since the start' },
      refused: { ...count, description: 'Since the start' },
      limits: object({ calls: orNull(count), callsPerSecond: orNull({ type: 'number' }) }),
      knownBy: { type: 'array', items: { type: 'string', enum: ['address', 'digest', 'certificate', 'edge'] } },
      trustIdentity: { type: 'boolean', description: 'Its word on who is calling is believed' },
    }),
  },
});

export const gatewaysResponse = object({
  gateways: {
    type: 'array',
    items: object({
      name: text,
      state: {
        type: 'string',
        enum: ['up', 'resting', 'suspect', 'down'],
        description: 'resting: it has asked for a pause; suspect: it failed a moment ago; down: it answers no OPTIONS',
      },
      calls: { ...count, description: 'Dialled or up' },
      callsToday: { ...count, description: 'Dialled in the last 24 hours' },
      limits: object({ calls: count, callsPerSecond: { type: 'number' }, callsPerDay: count }),
      outcomes: {
        type: 'object',
        additionalProperties: count,
        description: 'Calls since the start: answered, or why not',
      },
      lastFailure: orNull(object({ reason: text, at: time })),
    }),
  },
});

export const registrationsResponse = object({
  registrations: {
    type: 'array',
    items: object({
      name: text,
      registrar: text,
      aor: { ...text, description: 'The address of record' },
      registered: { type: 'boolean', description: 'The registrar knows us: calls can come in' },
      state: { type: 'string', enum: ['idle', 'asking', 'registered', 'waiting', 'leaving', 'gone'] },
      expiresAt: orNull(time),
      lastFailure: { ...orNull(text), description: 'Why the last REGISTER failed' },
    }),
  },
});

export const blockedResponse = object({
  sources: {
    type: 'array',
    items: object({
      source: { ...text, description: 'IPv4 address, or IPv6 /64' },
      reason: text,
      since: time,
      until: time,
      dropped: { ...count, description: 'Requests it has sent since' },
    }),
  },
});
