/** What the connector's HTTP API answers (see /api/v1/openapi.json). The console's own copy: it imports no server code. */

export type CallStatus = 'ACTIVE' | 'COMPLETED' | 'FAILED' | 'INTERRUPTED';

export interface Session {
  sessionId: string;
  callerPhone: string;
  callerIdentity: string;
  signalling: Signalling | null;
  trunk: string | null;
  /** Of a call of ours. */
  orderId: string | null;
  answeredBy: 'person' | 'machine' | null;
  calledNumber: string;
  direction: 'INBOUND' | 'OUTBOUND';
  callStartTime: string;
  answerTime: string | null;
  callEndTime: string | null;
  durationMs: number | null;
  sipCallId: string;
  correlationId: string;
  status: CallStatus;
  live: boolean;
  endCause: string | null;
  summary: string | null;
  botProfile: string;
  botProfileVersion: string;
}

export interface Signalling {
  trusted: boolean;
  anonymous?: boolean;
  claimed?: string;
  diversions?: { uri: string; reason?: string }[];
  history?: { uri: string; index?: string; cause?: number }[];
  userToUser?: { value: string }[];
}

export interface CallSummary extends Session {
  utteranceCount: number;
  transactionCount: number;
  hasRecording: boolean;
}

export interface Timings {
  endpointMs?: number;
  asrFinalMs?: number;
  firstTokenMs?: number;
  firstAudioMs?: number;
  firstPacketMs?: number;
  bargeInToSilenceMs?: number;
  endpointReason?: string;
}

export interface Utterance {
  utteranceId: string;
  sequence: number;
  speaker: 'caller' | 'assistant' | 'agent' | 'system';
  text: string;
  heard: string;
  interrupted: boolean;
  startedAt: string;
  endedAt: string | null;
  confidence: number | null;
  source: string;
  timings: Timings | null;
}

export interface CallEvent {
  eventId: string;
  at: string;
  type: string;
  data: Record<string, unknown>;
}

export interface Transaction {
  transactionId: string;
  customerId: string | null;
  transactionType: string;
  authenticationStatus: 'PENDING' | 'VERIFIED' | 'FAILED';
  outcome: 'PENDING' | 'POSTED' | 'FAILED' | 'UNKNOWN';
  queryParameters: Record<string, unknown>;
  responseData: Record<string, unknown> | null;
  createdAt: string;
  completedAt: string | null;
}

export interface Recording {
  durationMs: number;
  bytes: number;
  url: string;
}

export interface CallDetail extends Session {
  aiProviderConfig: Record<string, unknown>;
  archived: boolean;
  utterances: Utterance[];
  events: CallEvent[];
  transactions: Transaction[];
  recording: Recording | null;
}

export interface SipMessage {
  at: string;
  offsetUs: number;
  direction: 'in' | 'out';
  protocol: string;
  local: { address: string; port: number };
  remote: { address: string; port: number };
  leg: number;
  startLine: string;
  cseq: string;
  bytes: number;
  retransmission: boolean;
  text: string;
}

export interface SipLadder {
  messages: SipMessage[];
  dropped: number;
}

export interface CallPage {
  calls: CallSummary[];
  nextCursor: string | null;
}

export interface Peaks {
  durationMs: number;
  channels: number[][];
}

/** What a phone in this page needs to call. */
export interface PhoneSession {
  username: string;
  password: string;
  realm: string;
  webSocket: string;
  expiresAt: string;
}

export type SupervisionMode = 'listen' | 'whisper' | 'join' | 'take-over';

/** Who supervises which call, and who waits on the line. */
export interface SupervisionState {
  calls: { sessionId: string; shortNumber: string; agent: boolean }[];
  supervisors: {
    supervisionId: string;
    name: string;
    state: 'calling' | 'waiting' | 'active' | 'gone';
    mode: SupervisionMode | null;
    sessionId: string | null;
  }[];
}
