import { join } from 'node:path';
import type { HistoryItem } from '../dialogue/language-model.ts';
import type { MediaReport } from '../media/ports.ts';
import type { Bot } from './bots.ts';
import type { CallDeps } from './call.ts';
import type { CallLeg } from './call-leg.ts';
import { normaliseNumber } from './caller-number.ts';
import type { ContextRecord, RecordingRecord, SessionRecord } from './records.ts';

/** The rows a call begins and ends with, beside what its scribe writes. */

/** What stands in the record from the first moment on. */
export function openingRecord(leg: CallLeg, deps: CallDeps, { profile }: Bot, correlationId: string): SessionRecord {
  return {
    sessionId: leg.id,
    callerPhone: normaliseNumber(leg.remote.number),
    callerIdentity: leg.remote.uri,
    signalling: leg.signalling,
    trunk: leg.trunk,
    calledNumber: leg.called.number ?? leg.called.uri,
    direction: 'INBOUND',
    callStartTime: deps.time.wall(),
    sipCallId: leg.sipCallId,
    correlationId,
    status: 'ACTIVE',
    botProfile: profile.name,
    botProfileVersion: profile.version,
    aiProviderConfig: {
      recognizer: deps.recognizer.name,
      synthesizer: deps.synthesizer.name,
      languageModel: deps.model.name,
      language: profile.language,
      ...(profile.voice !== undefined && { voice: profile.voice }),
    },
  };
}

/** Relative to the data folder. */
export function recordingPath(session: SessionRecord): string {
  return join('recordings', session.callStartTime.toISOString().slice(0, 10), `${session.sessionId}.wav`);
}

export function recordingRow(
  session: SessionRecord,
  { durationMs, bytes }: NonNullable<MediaReport['recording']>,
): RecordingRecord {
  return {
    recordingId: crypto.randomUUID(),
    sessionId: session.sessionId,
    path: recordingPath(session),
    format: 'wav',
    channels: 2,
    durationMs: Math.round(durationMs),
    bytes,
    createdAt: session.callStartTime,
  };
}

/** What another call, or a person, may take up later; kept for `ttlMs`. */
export function contextRow(
  sessionId: string,
  now: Date,
  ttlMs: number,
  { history, customer }: { history: readonly HistoryItem[]; customer: Record<string, unknown> | undefined },
): ContextRecord {
  return {
    contextId: crypto.randomUUID(),
    sessionId,
    conversationHistory: [...history],
    currentIntent: history.findLast((item) => item.role === 'action')?.name,
    customerData: { ...customer },
    lastUpdated: now,
    expiresAt: new Date(now.getTime() + ttlMs),
  };
}
