import { count, ms, object, orNull, text, time } from './parts.ts';

/** What operators see: readiness, admission, trunks, gateways, registrations; signing in. */

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

export const phoneSession = object({
  username: { type: 'string', description: 'User part of the From, and of the digest credentials' },
  password: { type: 'string' },
  realm: { type: 'string' },
  webSocket: { type: 'string', description: 'Where to connect, e.g. wss://bot.example:5066' },
  expiresAt: { type: 'string', format: 'date-time' },
});

export const admissionResponse = object({
  state: { type: 'string', enum: ['open', 'stopped', 'draining', 'overloaded'] },
  overload: {
    type: ['string', 'null'],
    description: 'What is exhausted: cpu, memory, loopDelayMs, setupMs or receiveMs',
  },
  share: {
    type: 'number',
    description: 'How many of the new calls are taken, as far as load decides it: 1 all, 0 none',
  },
  load: object({
    cpu: { type: 'number', description: 'Of the cores this process may use, 0 to 1' },
    memory: { type: 'number', description: 'Of the memory this process may use, 0 to 1' },
    loopDelayMs: { ...ms, description: 'How late timers of the main thread fire, the worst of a hundred' },
    setupMs: {
      ...ms,
      description: 'From the beginning of a call to our answer, in the middle of all calls; 0 while few come',
    },
    receiveMs: { ...ms, description: 'How long requests waited until they were read' },
  }),
  bounds: object({
    perSecond: { ...orNull({ type: 'number' }), description: 'New calls taken in a second; null: as many as come' },
    atOnce: { ...orNull({ type: 'number' }), description: 'Calls being set up at once; null: as many as come' },
  }),
  calls: count,
  maxCalls: count,
  waiting: { ...count, description: 'Calls that wait until there is time for them' },
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
  counted: {
    type: 'string',
    enum: ['everywhere', 'here'],
    description: 'Whose calls are counted: all connectors’, or only this one’s while the database is away',
  },
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
