import { newOrderedId } from '../../core/ordered-id.ts';
import type { HistoryItem } from '../../dialogue/models/language-model.ts';
import type { MediaReport } from '../../media/ports.ts';
import type { BotProfile } from '../bot/bot-profile.ts';
import type { CallDeps, CallOpening } from '../call-deps.ts';
import type { CallLeg } from '../legs/call-leg.ts';
import { IncomingLine } from '../legs/call-line.ts';
import { normaliseNumber } from './caller-number.ts';
import type { ContextRecord, RecordingRecord, SessionRecord } from './records.ts';

/** The rows a call begins and ends with, beside what its scribe writes. */

type Engines = Pick<CallDeps, 'time' | 'recognizer' | 'synthesizer' | 'model'>;

/** A call that comes in: how it begins, and what stands in its record from the first moment on. */
export function incomingOpening(leg: CallLeg, deps: CallDeps): CallOpening {
  const bot = deps.botFor(leg);
  const customerPhone = normaliseNumber(leg.remote.number);
  const record: SessionRecord = {
    sessionId: leg.id,
    callerPhone: customerPhone,
    callerIdentity: leg.remote.uri,
    signalling: leg.signalling,
    trunk: leg.trunk,
    calledNumber: leg.called.number ?? leg.called.uri,
    direction: 'INBOUND',
    sipCallId: leg.sipCallId,
    ...openingFacts(bot.profile, deps),
  };
  return { line: new IncomingLine(leg), bot, record, customerPhone };
}

/** What every record begins with, whoever dialled. */
export function openingFacts(
  profile: BotProfile,
  deps: Engines,
): Pick<
  SessionRecord,
  'callStartTime' | 'correlationId' | 'status' | 'botProfile' | 'botProfileVersion' | 'aiProviderConfig'
> {
  return {
    callStartTime: deps.time.wall(),
    correlationId: crypto.randomUUID(),
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

export function recordingRow(
  session: SessionRecord,
  path: string,
  { durationMs, bytes }: NonNullable<MediaReport['recording']>,
  beganAt = session.callStartTime,
): RecordingRecord {
  return {
    recordingId: newOrderedId(),
    sessionId: session.sessionId,
    path,
    format: 'wav',
    channels: 2,
    durationMs: Math.round(durationMs),
    bytes,
    createdAt: beganAt,
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
    contextId: newOrderedId(),
    sessionId,
    conversationHistory: [...history],
    currentIntent: history.findLast((item) => item.role === 'action')?.name,
    customerData: { ...customer },
    lastUpdated: now,
    expiresAt: new Date(now.getTime() + ttlMs),
  };
}
