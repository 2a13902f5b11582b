import type { CallSignalling } from '../../call/legs/call-leg.ts';
import type {
  AuthenticationStatus,
  CallSummary,
  EventRecord,
  RecordingRecord,
  SessionRecord,
  SessionStatus,
  Speaker,
  TransactionOutcome,
  TransactionRecord,
  TurnTimes,
  UtteranceRecord,
} from '../../call/record/records.ts';

/** Rows as the driver gives them, and how they become records. NULL is undefined in a record. */

type Json = Record<string, unknown>;

export interface SessionRow {
  session_id: string;
  caller_phone: string;
  caller_identity: string;
  called_number: string;
  direction: 'INBOUND' | 'OUTBOUND';
  call_start_time: Date;
  answer_time: Date | null;
  call_end_time: Date | null;
  sip_call_id: string;
  correlation_id: string;
  status: SessionStatus;
  end_cause: string | null;
  summary: string | null;
  bot_profile: string;
  bot_profile_version: string;
  ai_provider_config: Json;
  signalling: Partial<CallSignalling>;
  trunk: string | null;
  legal_hold: boolean;
  order_id: string | null;
  answered_by: 'person' | 'machine' | null;
}

export const SESSION_COLUMNS = `s.session_id, s.caller_phone, s.caller_identity, s.called_number, s.direction,
  s.call_start_time, s.answer_time, s.call_end_time, s.sip_call_id, s.correlation_id, s.status, s.end_cause, s.summary,
  s.bot_profile, s.bot_profile_version, s.ai_provider_config, s.signalling, s.trunk, s.legal_hold,
  s.order_id, s.answered_by`;

export function toSession(row: SessionRow): SessionRecord {
  return {
    sessionId: row.session_id,
    callerPhone: row.caller_phone,
    callerIdentity: row.caller_identity,
    calledNumber: row.called_number,
    direction: row.direction,
    callStartTime: row.call_start_time,
    answerTime: row.answer_time ?? undefined,
    callEndTime: row.call_end_time ?? undefined,
    sipCallId: row.sip_call_id,
    correlationId: row.correlation_id,
    status: row.status,
    endCause: row.end_cause ?? undefined,
    summary: row.summary ?? undefined,
    botProfile: row.bot_profile,
    botProfileVersion: row.bot_profile_version,
    aiProviderConfig: row.ai_provider_config,
    signalling: row.signalling.trusted === undefined ? undefined : (row.signalling as CallSignalling),
    trunk: row.trunk ?? undefined,
    legalHold: row.legal_hold || undefined,
    orderId: row.order_id ?? undefined,
    answeredBy: row.answered_by ?? undefined,
  };
}

export interface SummaryRow extends SessionRow {
  utterance_count: number;
  transaction_count: number;
  has_recording: boolean;
}

export function toSummary(row: SummaryRow): CallSummary {
  return {
    ...toSession(row),
    utteranceCount: row.utterance_count,
    transactionCount: row.transaction_count,
    hasRecording: row.has_recording,
  };
}

export interface UtteranceRow {
  utterance_id: string;
  session_id: string;
  sequence: number;
  speaker: Speaker;
  generated: string;
  heard: string;
  interrupted: boolean;
  started_at: Date;
  ended_at: Date | null;
  confidence: number | null;
  source: string;
  timings: TurnTimes | null;
}

export const UTTERANCE_COLUMNS = `utterance_id, session_id, sequence, speaker, generated, heard, interrupted, started_at,
  ended_at, confidence, source, timings`;

export function toUtterance(row: UtteranceRow): UtteranceRecord {
  return {
    utteranceId: row.utterance_id,
    sessionId: row.session_id,
    sequence: row.sequence,
    speaker: row.speaker,
    text: row.generated,
    heard: row.heard,
    interrupted: row.interrupted,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    confidence: row.confidence ?? undefined,
    source: row.source,
    timings: row.timings ?? undefined,
  };
}

export interface EventRow {
  event_id: string;
  session_id: string;
  occurred_at: Date;
  event_type: string;
  event_data: Json;
}

export function toEvent(row: EventRow): EventRecord {
  return {
    eventId: row.event_id,
    sessionId: row.session_id,
    at: row.occurred_at,
    type: row.event_type,
    data: row.event_data,
  };
}

export interface TransactionRow {
  transaction_id: string;
  session_id: string;
  customer_id: string | null;
  transaction_type: string;
  authentication_status: AuthenticationStatus;
  outcome: TransactionOutcome;
  idempotency_key: string;
  query_parameters: Json;
  response_data: Json | null;
  created_at: Date;
  completed_at: Date | null;
}

export const TRANSACTION_COLUMNS = `transaction_id, session_id, customer_id, transaction_type, authentication_status,
  outcome, idempotency_key, query_parameters, response_data, created_at, completed_at`;

export function toTransaction(row: TransactionRow): TransactionRecord {
  return {
    transactionId: row.transaction_id,
    sessionId: row.session_id,
    customerId: row.customer_id ?? undefined,
    transactionType: row.transaction_type,
    authenticationStatus: row.authentication_status,
    outcome: row.outcome,
    idempotencyKey: row.idempotency_key,
    queryParameters: row.query_parameters,
    responseData: row.response_data ?? undefined,
    createdAt: row.created_at,
    completedAt: row.completed_at ?? undefined,
  };
}

export interface RecordingRow {
  recording_id: string;
  session_id: string;
  path: string;
  format: 'wav' | 'ogg';
  channels: 2;
  duration_ms: number;
  bytes: number;
  created_at: Date;
}

export const RECORDING_COLUMNS = 'recording_id, session_id, path, format, channels, duration_ms, bytes, created_at';

export function toRecording(row: RecordingRow): RecordingRecord {
  return {
    recordingId: row.recording_id,
    sessionId: row.session_id,
    path: row.path,
    format: row.format,
    channels: row.channels,
    durationMs: row.duration_ms,
    bytes: row.bytes,
    createdAt: row.created_at,
  };
}
