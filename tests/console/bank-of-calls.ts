import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionRecord, UtteranceRecord } from '../../src/call/record/records.ts';
import { packLadder, type TracedMessage } from '../../src/call/record/sip-ladder.ts';
import {
  event,
  liveSession,
  recordingRow,
  session,
  stereoWav,
  type TestServer,
  transaction,
  utterance,
} from '../http/fixtures.ts';

const QUESTIONS = [
  'where is my new card',
  'what is my balance',
  'my last transactions please',
  'please block my card',
  'I want to speak to somebody',
];

/** Stores `count` calls, one every three minutes back from `newest`. */
export function storeCalls(it: TestServer, count: number, newest: Date): void {
  for (let i = 0; i < count; i++) {
    const start = new Date(newest.getTime() - i * 180_000);
    const status = i % 11 === 3 ? 'INTERRUPTED' : i % 23 === 7 ? 'FAILED' : 'COMPLETED';
    const cause = { COMPLETED: 'caller-hangup', INTERRUPTED: 'rtp-timeout', FAILED: 'engine-failure' }[status];
    const call = session({
      callerPhone: i % 37 === 5 ? '' : `+1555${String(100_000 + ((i * 7919) % 900_000))}`,
      callStartTime: start,
      answerTime: new Date(start.getTime() + 900),
      callEndTime: new Date(start.getTime() + 40_000 + ((i * 37) % 200) * 1000),
      status: status as SessionRecord['status'],
      endCause: cause,
    });
    it.archive.session(call);
    it.archive.utterance(utterance(call.sessionId, 1, { text: QUESTIONS[i % QUESTIONS.length], startedAt: start }));
    if (i % 3 === 0) it.archive.transaction(transaction(call.sessionId));
  }
}

/** One whole banking conversation with a barge-in, a transaction, events and a recording of 24 s. */
export async function storeConversation(it: TestServer, start: Date): Promise<SessionRecord> {
  const at = (seconds: number) => new Date(start.getTime() + seconds * 1000);
  const call = session({
    callerPhone: '+15550100',
    callStartTime: start,
    answerTime: at(0),
    callEndTime: at(24),
    summary: 'Asked where the new card is.',
    aiProviderConfig: { asr: 'grammar', languageModel: 'scripted', tts: 'flite rms' },
  });
  const id = call.sessionId;
  it.archive.session(call);
  const rows: Partial<UtteranceRecord>[] = [
    {
      speaker: 'assistant',
      text: 'Welcome to the bank. How can I help you today?',
      startedAt: at(0.1),
      source: 'prompt',
    },
    { speaker: 'caller', text: 'where is my new card', startedAt: at(3), confidence: 0.94 },
    {
      speaker: 'assistant',
      text: 'I can look that up for you. First, please tell me your customer number, or key it in on your telephone.',
      heard: 'I can look that up for you. First, please',
      interrupted: true,
      startedAt: at(6),
      source: 'scripted',
      timings: {
        endpointMs: 214,
        asrFinalMs: 236,
        firstTokenMs: 241,
        firstAudioMs: 298,
        firstPacketMs: 312,
        bargeInToSilenceMs: 94,
      },
    },
    { speaker: 'caller', text: '••••••', startedAt: at(9), source: 'dtmf' },
    {
      speaker: 'assistant',
      text: 'Thank you, you are verified. Your credit card was shipped yesterday. The tracking number is 1 2 3 4 5.',
      startedAt: at(12),
      source: 'scripted',
      timings: { endpointMs: 220, asrFinalMs: 244, firstTokenMs: 510, firstAudioMs: 566, firstPacketMs: 584 },
    },
    { speaker: 'caller', text: 'thank you goodbye', startedAt: at(18), confidence: 0.52 },
    {
      speaker: 'assistant',
      text: 'Thank you for calling. Goodbye.',
      startedAt: at(21),
      source: 'prompt',
      timings: { endpointMs: 210, asrFinalMs: 230, firstTokenMs: 232, firstAudioMs: 250, firstPacketMs: 268 },
    },
  ];
  for (const [index, row] of rows.entries()) {
    it.archive.utterance(utterance(id, index + 1, { heard: row.text, endedAt: undefined, ...row }));
  }
  it.archive.event(event(id, 'call-started', { at: at(-0.9), data: { transport: 'udp' } }));
  it.archive.event(event(id, 'answered', { at: at(0), data: { codec: 'PCMU' } }));
  it.archive.event(event(id, 'barge-in', { at: at(8), data: { turn: 2 } }));
  it.archive.event(event(id, 'customer-verified', { at: at(11.6), data: { customerId: '471920' } }));
  it.archive.event(event(id, 'hangup', { at: at(24), data: { by: 'caller' } }));
  const quality = { callerLoss: 0.012, callerMos: 4.21, botLoss: 0, botMos: 4.36, roundTripMs: 38.4 };
  it.archive.event(event(id, 'media-report', { at: at(24.1), data: { codec: 'G722', quality } }));
  it.archive.transaction(
    transaction(id, {
      transactionType: 'VERIFY_CUSTOMER',
      queryParameters: {},
      responseData: { verified: true },
      createdAt: at(11.4),
    }),
  );
  it.archive.transaction(transaction(id, { createdAt: at(11.8), completedAt: at(11.9) }));
  const wav = stereoWav(24);
  await mkdir(join(it.dataDir, 'recordings'), { recursive: true });
  await writeFile(join(it.dataDir, 'recordings', `${id}.wav`), wav);
  it.archive.addRecording(recordingRow(id, `recordings/${id}.wav`, wav.length));
  it.archive.ladders.set(id, await packLadder(id, { messages: ladderOf(start), dropped: 0 }));
  return call;
}

/** How the call was signalled: answered after a retransmission, a transfer tried, hung up by the caller. */
function ladderOf(start: Date): TracedMessage[] {
  const connector = { address: '10.0.0.1', port: 5060 };
  const carrier = { address: '192.0.2.7', port: 5060 };
  const desk = { address: '198.51.100.9', port: 5060 };
  const rows: [number, 'in' | 'out', typeof desk, string, string, string][] = [
    [0, 'in', carrier, 'INVITE sip:bank@10.0.0.1 SIP/2.0', '1 INVITE', 'a@carrier'],
    [0.5002, 'in', carrier, 'INVITE sip:bank@10.0.0.1 SIP/2.0', '1 INVITE', 'a@carrier'],
    [0.5021, 'out', carrier, 'SIP/2.0 180 Ringing', '1 INVITE', 'a@carrier'],
    [0.9, 'out', carrier, 'SIP/2.0 200 OK', '1 INVITE', 'a@carrier'],
    [0.93, 'in', carrier, 'ACK sip:bank@10.0.0.1 SIP/2.0', '1 ACK', 'a@carrier'],
    [15.1, 'out', desk, 'INVITE sip:desk@198.51.100.9 SIP/2.0', '1 INVITE', 'b@10.0.0.1'],
    [15.2, 'in', desk, 'SIP/2.0 486 Busy Here', '1 INVITE', 'b@10.0.0.1'],
    [15.21, 'out', desk, 'ACK sip:desk@198.51.100.9 SIP/2.0', '1 ACK', 'b@10.0.0.1'],
    [24.8, 'in', carrier, 'BYE sip:bank@10.0.0.1 SIP/2.0', '2 BYE', 'a@carrier'],
    [24.801, 'out', carrier, 'SIP/2.0 200 OK', '2 BYE', 'a@carrier'],
  ];
  return rows.map(([seconds, direction, remote, startLine, cseq, callId]) => ({
    at: (start.getTime() - 900) * 1000 + Math.round(seconds * 1e6),
    direction,
    protocol: 'udp',
    local: connector,
    remote,
    text: `${startLine}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\nContent-Length: 0\r\n\r\n`,
  }));
}

/** A live call, known to the registry and the archive. */
export function startLiveCall(it: TestServer, callerPhone: string, start: Date): SessionRecord {
  const call = liveSession({ callerPhone, callStartTime: start, answerTime: start });
  it.archive.session(call);
  it.registry.update(call);
  return call;
}

/** Somebody says something in a live call. */
export function say(it: TestServer, call: SessionRecord, sequence: number, row: Partial<UtteranceRecord>): void {
  const startedAt = new Date(call.callStartTime.getTime() + sequence * 3000);
  const spoken = utterance(call.sessionId, sequence, { utteranceId: randomUUID(), startedAt, heard: row.text, ...row });
  it.archive.utterance(spoken);
  it.registry.utterance(spoken);
}

export function endCall(it: TestServer, call: SessionRecord): void {
  const over: SessionRecord = { ...call, status: 'COMPLETED', callEndTime: new Date(), endCause: 'caller-hangup' };
  it.archive.session(over);
  it.registry.update(over);
}
