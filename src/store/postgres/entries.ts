import { crc32 } from 'node:zlib';
import type { LedgerCompletion, LedgerRow } from '../../banking/ledger.ts';
import type { JournalEntry } from '../../call/record/records.ts';

/** What the store writes behind: the journal's rows, and the ledger's when they had to go to the spool. */
export type StoreEntry =
  | JournalEntry
  | { kind: 'transaction'; row: LedgerRow & { attemptId: string } }
  | { kind: 'completion'; row: LedgerCompletion & { transactionId: string } }
  /** A beginning that was refused to the caller although its commit may have arrived. */
  | { kind: 'withdrawal'; row: { transactionId: string; attemptId: string } };

export type EntryKind = StoreEntry['kind'];

/** An entry as it is queued, spooled and sent: serialised once, at the moment it was appended. */
export interface PackedEntry {
  kind: EntryKind;
  /** Key of the row: within a batch the last entry of a kind with the same id stands. */
  id: string;
  /** The process run that produced it, which may be an earlier one than the run that writes it. */
  run: string;
  /** The row as JSON, times in ISO 8601. */
  json: string;
}

const KINDS: ReadonlySet<string> = new Set<EntryKind>([
  'session',
  'utterance',
  'event',
  'context',
  'recording',
  'sip-ladder',
  'transaction',
  'completion',
  'withdrawal',
]);

function idOf(entry: StoreEntry): string {
  switch (entry.kind) {
    case 'session':
      return entry.row.sessionId;
    case 'utterance':
      return entry.row.utteranceId;
    case 'event':
      return entry.row.eventId;
    case 'context':
      return entry.row.contextId;
    case 'recording':
      return entry.row.recordingId;
    case 'sip-ladder':
      return entry.row.sessionId;
    case 'transaction':
    case 'completion':
    case 'withdrawal':
      return entry.row.transactionId;
  }
}

/** The row as JSON. */
function jsonOf(entry: StoreEntry): string {
  switch (entry.kind) {
    case 'session':
      return JSON.stringify(timesAsText(entry.row, 'callStartTime', 'answerTime', 'callEndTime'));
    case 'event': {
      // By hand: of every call a dozen and more. Ids and the time need no escapes.
      const { eventId, sessionId, at, type, data } = entry.row;
      const rest = `"type":${JSON.stringify(type)},"data":${JSON.stringify(data)}`;
      return `{"eventId":"${eventId}","sessionId":"${sessionId}","at":"${at.toISOString()}",${rest}}`;
    }
    case 'utterance':
      return JSON.stringify(timesAsText(entry.row, 'startedAt', 'endedAt'));
    case 'recording':
      return JSON.stringify(timesAsText(entry.row, 'createdAt'));
    default:
      return JSON.stringify(entry.row);
  }
}

/**
 * A copy whose times are text already: JSON.stringify writes the same, but asks each Date for its toJSON, which takes longer
 * than all the rest of the row.
 */
function timesAsText<T extends object>(row: T, ...fields: (keyof T & string)[]): object {
  const texts: Partial<Record<string, string>> = {};
  for (const field of fields) {
    const time = row[field];
    if (time instanceof Date) texts[field] = time.toISOString();
  }
  return { ...row, ...texts };
}

/**
 * JSON that PostgreSQL takes: it knows neither U+0000 nor lone surrogates. JSON.stringify writes both as escapes, so
 * they are found here wherever they stand, keys included; an escaped backslash is skipped over.
 */
function postgresJson(json: string): string {
  return json.includes('\\u')
    ? json.replace(/\\\\|\\u0000|\\ud[89a-f][0-9a-f]{2}/g, (m) => (m === '\\\\' ? m : '\\ufffd'))
    : json;
}

/** Throws when the row cannot be written as JSON (a cycle, a BigInt). */
export function pack(entry: StoreEntry, run: string): PackedEntry {
  return { kind: entry.kind, id: idOf(entry), run, json: postgresJson(jsonOf(entry)) };
}

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0');
const CHECKSUM_FIELD = /,"crc":"([0-9a-f]{8})"\}$/;

/** One line of a spool file, without its line end: JSON whose last field is the CRC-32 of what stands before it. */
export function toLine(entry: PackedEntry): string {
  const body = `{"kind":"${entry.kind}","id":${JSON.stringify(entry.id)},"run":"${entry.run}","row":${entry.json}`;
  return `${body},"crc":"${checksum(body)}"}`;
}

/** Undefined for a line that is torn or damaged. */
export function fromLine(line: string): PackedEntry | undefined {
  const match = CHECKSUM_FIELD.exec(line);
  if (!match || checksum(line.slice(0, match.index)) !== match[1]) return undefined;
  try {
    const { kind, id, run, row } = JSON.parse(line) as { kind: unknown; id: unknown; run: unknown; row: unknown };
    if (typeof kind !== 'string' || !KINDS.has(kind) || typeof id !== 'string' || typeof run !== 'string')
      return undefined;
    return { kind: kind as EntryKind, id, run, json: JSON.stringify(row) };
  } catch {
    return undefined;
  }
}
