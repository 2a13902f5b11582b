import type { CallId } from '../../core/ids.ts';
import type { TurnTimes } from '../../dialogue/speaking/voice.ts';
import type { CallSignalling } from '../legs/call-leg.ts';
import type { SipLadderRecord } from './sip-ladder.ts';

export type { TurnTimes };

/** Rows as the call produces them and the API shows them. All ids are UUIDs made by us, so that writing twice is writing once. */

export type SessionStatus = 'ACTIVE' | 'COMPLETED' | 'FAILED' | 'INTERRUPTED';

export interface SessionRecord {
  sessionId: CallId;
  /** Normalised E.164 where it can be; '' for an anonymous caller. */
  callerPhone: string;
  /** Who calls, as a URI: asserted by a trusted network, else the From; anonymous where the caller asked to be. */
  callerIdentity: string;
  calledNumber: string;
  direction: 'INBOUND' | 'OUTBOUND';
  callStartTime: Date;
  answerTime?: Date;
  callEndTime?: Date;
  sipCallId: string;
  correlationId: string;
  status: SessionStatus;
  /** One of END_CAUSES in outcome.ts. */
  endCause?: string;
  summary?: string;
  botProfile: string;
  botProfileVersion: string;
  aiProviderConfig: Record<string, unknown>;
  signalling?: CallSignalling | undefined;
  /** Name of the trunk it came by, or of the gateway it went by; undefined where none is known. */
  trunk?: string | undefined;
  /** It is kept whatever the retention policy says. Set through the API, never by the call. */
  legalHold?: boolean | undefined;
  /** The order a call of ours is made for. */
  orderId?: string | undefined;
  /** Who answered a call of ours, once that is known. */
  answeredBy?: 'person' | 'machine' | undefined;
}

export type Speaker = 'caller' | 'assistant' | 'agent' | 'system';

export interface UtteranceRecord {
  utteranceId: string;
  sessionId: CallId;
  /** Order in the transcript, from 1. */
  sequence: number;
  speaker: Speaker;
  /** Caller: what was understood (secrets masked). Assistant: what was generated. */
  text: string;
  /** Assistant: what the caller heard of it. Caller: same as text. */
  heard: string;
  interrupted: boolean;
  startedAt: Date;
  endedAt?: Date;
  confidence?: number;
  /**
   * dtmf | speech | prompt | language-model name; between people: overheard (as the recogniser understood it at once), then
   * recording (as it was understood behind the call)
   */
  source: string;
  /** Assistant utterances: the turn's latencies. */
  timings?: TurnTimes;
}

export interface EventRecord {
  eventId: string;
  sessionId: CallId;
  at: Date;
  /** kebab-case, e.g. call-started, answered, dtmf, barge-in, action-requested, hangup. */
  type: string;
  data: Record<string, unknown>;
}

export interface ContextRecord {
  contextId: string;
  sessionId: CallId;
  conversationHistory: unknown[];
  currentIntent?: string;
  customerData: Record<string, unknown>;
  lastUpdated: Date;
  expiresAt: Date;
}

export interface RecordingRecord {
  recordingId: string;
  sessionId: CallId;
  /** Relative to DATA_DIR. */
  path: string;
  format: 'wav' | 'ogg';
  channels: 2;
  durationMs: number;
  bytes: number;
  /** When it begins; of a call that a crash ended, when the call did. */
  createdAt: Date;
}

export type AuthenticationStatus = 'PENDING' | 'VERIFIED' | 'FAILED';
export type TransactionOutcome = 'PENDING' | 'POSTED' | 'FAILED' | 'UNKNOWN';

export interface TransactionRecord {
  transactionId: string;
  sessionId: CallId;
  customerId: string | undefined;
  transactionType: string;
  authenticationStatus: AuthenticationStatus;
  outcome: TransactionOutcome;
  idempotencyKey: string;
  queryParameters: Record<string, unknown>;
  responseData?: Record<string, unknown>;
  createdAt: Date;
  completedAt?: Date;
}

export type JournalEntry =
  | { kind: 'session'; row: SessionRecord }
  | { kind: 'utterance'; row: UtteranceRecord }
  | { kind: 'event'; row: EventRecord }
  | { kind: 'context'; row: ContextRecord }
  | { kind: 'recording'; row: RecordingRecord }
  | { kind: 'sip-ladder'; row: SipLadderRecord };

/**
 * What calls write. `append` never blocks and never throws: entries go to Postgres in order, or to the spool on disk
 * while Postgres is away, and from there to Postgres when it is back. Whole rows, upserted by id.
 */
export interface CallJournal {
  append(entry: JournalEntry): void;
  /** Resolves when everything appended so far is durable (in Postgres or in the spool). */
  flush(): Promise<void>;
}

export interface CallQuery {
  status?: SessionStatus;
  /** Of the person: who called, or whom we called. The end of a number, or part of a name or address. */
  caller?: string;
  from?: Date;
  to?: Date;
  /** Words searched in the transcripts. */
  text?: string;
  limit: number;
  /** Opaque keyset cursor from a page before. */
  cursor?: string;
}

export interface CallSummary extends SessionRecord {
  utteranceCount: number;
  transactionCount: number;
  hasRecording: boolean;
}

export interface CallDetail {
  session: SessionRecord;
  utterances: UtteranceRecord[];
  events: EventRecord[];
  transactions: TransactionRecord[];
  recording: RecordingRecord | undefined;
}

/** What the API and the console read. */
export interface CallArchive {
  list(query: CallQuery): Promise<{ calls: CallSummary[]; nextCursor: string | undefined }>;
  get(sessionId: CallId): Promise<CallDetail | undefined>;
  recording(sessionId: CallId): Promise<RecordingRecord | undefined>;
  sipLadder(sessionId: CallId): Promise<SipLadderRecord | undefined>;
}
