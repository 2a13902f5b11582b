import { randomUUID } from 'node:crypto';
import type { LedgerCompletion, LedgerRow } from '../../../src/banking/ledger.ts';
import type {
  ContextRecord,
  EventRecord,
  RecordingRecord,
  SessionRecord,
  UtteranceRecord,
} from '../../../src/call/record/records.ts';

const START = new Date('2026-03-01T10:00:00.000Z');
export const secondsIn = (seconds: number) => new Date(START.getTime() + seconds * 1000);

export function aSession(change: Partial<SessionRecord> = {}): SessionRecord {
  return {
    sessionId: randomUUID(),
    callerPhone: '+15550100',
    callerIdentity: 'sip:+15550100@carrier.example',
    calledNumber: 'bank',
    direction: 'INBOUND',
    callStartTime: START,
    sipCallId: randomUUID(),
    correlationId: randomUUID(),
    status: 'ACTIVE',
    botProfile: 'bank',
    botProfileVersion: '1',
    aiProviderConfig: { llm: 'scripted' },
    signalling: { trusted: true, diversions: [{ uri: 'tel:+15550111', reason: 'no-answer', counter: 1 }] },
    trunk: 'carrier',
    ...change,
  };
}

export function ended(session: SessionRecord, change: Partial<SessionRecord> = {}): SessionRecord {
  return { ...session, status: 'COMPLETED', endCause: 'caller-hangup', callEndTime: secondsIn(60), ...change };
}

export function anUtterance(session: SessionRecord, change: Partial<UtteranceRecord> = {}): UtteranceRecord {
  const text = change.text ?? 'where is my new card';
  return {
    utteranceId: randomUUID(),
    sessionId: session.sessionId,
    sequence: 1,
    speaker: 'caller',
    text,
    heard: text,
    interrupted: false,
    startedAt: secondsIn(5),
    endedAt: secondsIn(7),
    confidence: 0.9,
    source: 'speech',
    ...change,
  };
}

export function anEvent(session: SessionRecord, change: Partial<EventRecord> = {}): EventRecord {
  return {
    eventId: randomUUID(),
    sessionId: session.sessionId,
    at: secondsIn(1),
    type: 'answered',
    data: {},
    ...change,
  };
}

export function aContext(session: SessionRecord, change: Partial<ContextRecord> = {}): ContextRecord {
  return {
    contextId: randomUUID(),
    sessionId: session.sessionId,
    conversationHistory: [{ role: 'caller', text: 'hello' }],
    customerData: {},
    lastUpdated: secondsIn(10),
    expiresAt: secondsIn(3600),
    ...change,
  };
}

export function aRecording(session: SessionRecord, change: Partial<RecordingRecord> = {}): RecordingRecord {
  return {
    recordingId: randomUUID(),
    sessionId: session.sessionId,
    path: `recordings/${session.sessionId}.wav`,
    format: 'wav',
    channels: 2,
    durationMs: 61_234.5,
    bytes: 979_756,
    createdAt: secondsIn(61),
    ...change,
  };
}

export function aLedgerRow(session: SessionRecord, change: Partial<LedgerRow> = {}): LedgerRow {
  return {
    transactionId: randomUUID(),
    sessionId: session.sessionId,
    customerId: undefined,
    transactionType: 'CARD_BLOCK',
    authenticationStatus: 'VERIFIED',
    idempotencyKey: `block-${randomUUID()}`,
    queryParameters: { card: '**** 4417' },
    createdAt: secondsIn(20),
    ...change,
  };
}

export function posted(change: Partial<LedgerCompletion> = {}): LedgerCompletion {
  return {
    outcome: 'POSTED',
    authenticationStatus: 'VERIFIED',
    customerId: '471920',
    responseData: { reference: 'R-1' },
    completedAt: secondsIn(21),
    ...change,
  };
}
