import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MediaReport } from '../../src/media/ports.ts';
import type { Connector } from './connector.ts';
import { readUntil } from './read-until.ts';

/** A call as the API shows it, as far as tests look at it. */
export interface RecordedSession {
  sessionId: string;
  sipCallId: string;
  callerPhone: string;
  callerIdentity: string;
  status: string;
  endCause?: string;
  summary?: string;
  callStartTime: string;
  callEndTime?: string;
}

export interface RecordedCall extends RecordedSession {
  utterances: {
    utteranceId: string;
    speaker: 'caller' | 'assistant' | 'agent';
    text: string;
    heard: string;
    interrupted: boolean;
    source: string;
    startedAt: string;
    endedAt?: string | null;
    timings?: { firstPacketMs?: number; endpointMs?: number; bargeInToSilenceMs?: number };
  }[];
  transactions: {
    transactionType: string;
    customerId?: string;
    authenticationStatus: string;
    outcome: string;
    idempotencyKey: string;
    completedAt?: string;
  }[];
  events: { type: string; data: Record<string, unknown> }[];
  recording?: unknown;
}

/** The call with this Call-ID once `settled` says it is as expected; fails with what it was otherwise. */
export async function recordedCall(
  connector: Connector,
  sipCallId: string,
  settled: (call: RecordedCall) => boolean = (call) => call.status !== 'ACTIVE',
  timeoutMs = 30_000,
): Promise<RecordedCall> {
  const read = async () => {
    const call = await findCall(connector, (one) => one.sipCallId === sipCallId);
    if (call === undefined) throw new Error('not found');
    return call;
  };
  const shown = (call: RecordedCall) =>
    `${transcript(call).join('\n')}\n${JSON.stringify({ ...call, utterances: undefined, events: undefined })}`;
  return readUntil('the call', read, settled, timeoutMs, shown);
}

/** The newest call from this number, as it is now. */
export const newestCallFrom = (connector: Connector, number: string) =>
  findCall(connector, ({ callerPhone }) => callerPhone === number);

async function findCall(
  connector: Connector,
  isIt: (call: RecordedSession) => boolean,
): Promise<RecordedCall | undefined> {
  const page = await connector.api<{ calls: RecordedSession[] }>('/api/v1/calls?limit=100');
  const summary = page.calls.find(isIt);
  return summary && connector.api<RecordedCall>(`/api/v1/calls/${summary.sessionId}`);
}

/** Its WAV file, as this connector keeps it. */
export function recordingOf({ dataDir }: Connector, { callStartTime, sessionId }: RecordedSession): Promise<Buffer> {
  return readFile(join(dataDir, 'recordings', callStartTime.slice(0, 10), `${sessionId}.wav`));
}

/** What the media plane wrote down of the call; nothing before that has come. */
export function mediaReportOf(call: RecordedCall): MediaReport | undefined {
  const data: unknown = call.events.find(({ type }) => type === 'media-report')?.data;
  return data as MediaReport | undefined;
}

/** One line for each utterance: who, and what was heard. */
export function transcript(call: RecordedCall): string[] {
  return call.utterances.map(
    (u) => `${u.speaker}: ${u.speaker === 'caller' ? u.text : u.heard}${u.interrupted ? ' --' : ''}`,
  );
}

export function heardFromBot(call: RecordedCall): string {
  return call.utterances
    .filter((u) => u.speaker === 'assistant')
    .map((u) => u.heard)
    .join(' ');
}
