import type {
  CallArchive,
  CallDetail,
  CallQuery,
  CallSummary,
  EventRecord,
  RecordingRecord,
  SessionRecord,
  TransactionRecord,
  UtteranceRecord,
} from '../../src/call/record/records.ts';
import type { SipLadderRecord } from '../../src/call/record/sip-ladder.ts';
import { Failure } from '../../src/core/errors.ts';

/** A CallArchive in memory: newest call first, keyset pages, words searched in transcripts. For tests and demos. */
export class MemoryArchive implements CallArchive {
  readonly #calls = new Map<string, CallDetail>();
  #sorted: CallDetail[] | undefined;
  /** While set, every read fails with it, as when the database is away. */
  failure: Failure | undefined;

  session(row: SessionRecord): void {
    const detail = this.#calls.get(row.sessionId);
    if (detail) detail.session = row;
    else
      this.#calls.set(row.sessionId, {
        session: row,
        utterances: [],
        events: [],
        transactions: [],
        recording: undefined,
      });
    this.#sorted = undefined;
  }

  utterance(row: UtteranceRecord): void {
    upsert(this.#of(row.sessionId).utterances, row, (one) => one.utteranceId);
  }

  event(row: EventRecord): void {
    upsert(this.#of(row.sessionId).events, row, (one) => one.eventId);
  }

  transaction(row: TransactionRecord): void {
    upsert(this.#of(row.sessionId).transactions, row, (one) => one.transactionId);
  }

  addRecording(row: RecordingRecord): void {
    this.#of(row.sessionId).recording = row;
  }

  readonly ladders = new Map<string, SipLadderRecord>();

  async sipLadder(sessionId: string): Promise<SipLadderRecord | undefined> {
    if (this.failure) throw this.failure;
    return this.ladders.get(sessionId);
  }

  async list(query: CallQuery): Promise<{ calls: CallSummary[]; nextCursor: string | undefined }> {
    if (this.failure) throw this.failure;
    this.#sorted ??= [...this.#calls.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
    const after = query.cursor === undefined ? undefined : decode(query.cursor);
    const digits = query.caller?.replace(/\D/g, '') ?? '';
    const words = (query.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const found: CallDetail[] = [];
    for (const call of this.#sorted) {
      const { session } = call;
      if (after !== undefined && keyOf(call) >= after) continue;
      if (query.status && session.status !== query.status) continue;
      const person = session.direction === 'OUTBOUND' ? session.calledNumber : session.callerPhone;
      if (digits && !person.includes(digits)) continue;
      if (query.from && session.callStartTime < query.from) continue;
      if (query.to && session.callStartTime >= query.to) continue;
      if (words.length > 0) {
        const text = call.utterances
          .map((row) => row.text)
          .join(' ')
          .toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
      }
      found.push(call);
      if (found.length > query.limit) break;
    }
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      calls: page.map(summary),
      nextCursor: found.length > query.limit && last ? Buffer.from(keyOf(last)).toString('base64url') : undefined,
    };
  }

  async get(sessionId: string): Promise<CallDetail | undefined> {
    if (this.failure) throw this.failure;
    const call = this.#calls.get(sessionId);
    return call && { ...call, utterances: [...call.utterances], events: [...call.events] };
  }

  async recording(sessionId: string): Promise<RecordingRecord | undefined> {
    if (this.failure) throw this.failure;
    return this.#calls.get(sessionId)?.recording;
  }

  #of(sessionId: string): CallDetail {
    const call = this.#calls.get(sessionId);
    if (!call) throw new Error(`no session ${sessionId} in the memory archive`);
    return call;
  }
}

const keyOf = (call: CallDetail) => `${call.session.callStartTime.toISOString()} ${call.session.sessionId}`;

function decode(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (!/^\d{4}-\S+Z \S+$/.test(key)) {
    throw new Failure('cursor is not one of ours', { code: 'bad-cursor', blame: 'caller' });
  }
  return key;
}

function summary(call: CallDetail): CallSummary {
  return {
    ...call.session,
    utteranceCount: call.utterances.length,
    transactionCount: call.transactions.length,
    hasRecording: call.recording !== undefined,
  };
}

function upsert<T>(rows: T[], row: T, idOf: (row: T) => string): void {
  const at = rows.findIndex((one) => idOf(one) === idOf(row));
  if (at >= 0) rows[at] = row;
  else rows.push(row);
}
