import type { CallDetail, CallSummary, SessionRecord, UtteranceRecord } from '../call/record/records.ts';
import type { LiveEvent } from '../call/registry.ts';

/** Records as the API shows them: dates as RFC 3339 text, absent values as null or left out as the schemas say. */

const time = (date: Date | undefined): string | null => date?.toISOString() ?? null;

export function sessionView(session: SessionRecord, live: boolean) {
  const { callStartTime, callEndTime, answerTime } = session;
  return {
    sessionId: session.sessionId,
    callerPhone: session.callerPhone,
    callerIdentity: session.callerIdentity,
    signalling: session.signalling ?? null,
    trunk: session.trunk ?? null,
    legalHold: session.legalHold ?? false,
    orderId: session.orderId ?? null,
    answeredBy: session.answeredBy ?? null,
    calledNumber: session.calledNumber,
    direction: session.direction,
    callStartTime: callStartTime.toISOString(),
    answerTime: time(answerTime),
    callEndTime: time(callEndTime),
    durationMs: callEndTime ? Math.max(0, callEndTime.getTime() - callStartTime.getTime()) : null,
    sipCallId: session.sipCallId,
    correlationId: session.correlationId,
    status: session.status,
    live,
    endCause: session.endCause ?? null,
    summary: session.summary ?? null,
    botProfile: session.botProfile,
    botProfileVersion: session.botProfileVersion,
  };
}

export function summaryView(call: CallSummary, live: boolean) {
  return {
    ...sessionView(call, live),
    utteranceCount: call.utteranceCount,
    transactionCount: call.transactionCount,
    hasRecording: call.hasRecording,
  };
}

function utteranceView(row: UtteranceRecord) {
  return {
    utteranceId: row.utteranceId,
    sequence: row.sequence,
    speaker: row.speaker,
    text: row.text,
    heard: row.heard,
    interrupted: row.interrupted,
    startedAt: row.startedAt.toISOString(),
    endedAt: time(row.endedAt),
    confidence: row.confidence ?? null,
    source: row.source,
    timings: row.timings ?? null,
  };
}

/** Each answer of the assistant that has timings, with the caller's utterance it answers. */
function turnViews(utterances: UtteranceRecord[]) {
  const turns = [];
  let caller: UtteranceRecord | undefined;
  for (const row of utterances) {
    if (row.speaker === 'caller') caller = row;
    if (row.speaker !== 'assistant' || !row.timings) continue;
    turns.push({
      turn: turns.length + 1,
      utteranceId: row.utteranceId,
      callerUtteranceId: caller?.utteranceId ?? null,
      startedAt: row.startedAt.toISOString(),
      interrupted: row.interrupted,
      timings: row.timings,
    });
    caller = undefined;
  }
  return turns;
}

/** `archived` is false when the archive could not be read and only what is live is shown. */
export function detailView(detail: CallDetail, live: boolean, archived: boolean) {
  const { recording } = detail;
  return {
    ...sessionView(detail.session, live),
    aiProviderConfig: detail.session.aiProviderConfig,
    archived,
    utterances: detail.utterances.map(utteranceView),
    turns: turnViews(detail.utterances),
    events: detail.events.map((row) => ({
      eventId: row.eventId,
      at: row.at.toISOString(),
      type: row.type,
      data: row.data,
    })),
    transactions: detail.transactions.map((row) => ({
      transactionId: row.transactionId,
      customerId: row.customerId ?? null,
      transactionType: row.transactionType,
      authenticationStatus: row.authenticationStatus,
      outcome: row.outcome,
      idempotencyKey: row.idempotencyKey,
      queryParameters: row.queryParameters,
      responseData: row.responseData ?? null,
      createdAt: row.createdAt.toISOString(),
      completedAt: time(row.completedAt),
    })),
    recording: recording
      ? {
          recordingId: recording.recordingId,
          format: recording.format,
          channels: recording.channels,
          durationMs: recording.durationMs,
          bytes: recording.bytes,
          createdAt: recording.createdAt.toISOString(),
          url: `/api/v1/calls/${detail.session.sessionId}/recording`,
        }
      : null,
  };
}

/** A live event as it goes over the event stream: name and data. */
export function liveEventView(event: LiveEvent): { name: string; data: unknown } {
  switch (event.type) {
    case 'session':
      return { name: 'session', data: sessionView(event.session, event.session.status === 'ACTIVE') };
    case 'utterance':
      return {
        name: 'utterance',
        data: { sessionId: event.utterance.sessionId, utterance: utteranceView(event.utterance) },
      };
    case 'event': {
      const { eventId, sessionId, at, type, data } = event.event;
      return { name: 'event', data: { sessionId, event: { eventId, at: at.toISOString(), type, data } } };
    }
    case 'missed':
      return { name: 'missed', data: { count: event.count } };
  }
}
