import type { CallQuery } from '../../call/record/records.ts';
import { Failure } from '../../core/errors.ts';

/** Largest page; a larger limit is cut to it. */
export const MAX_PAGE = 200;
/** What is asked for by another name is not there: Postgres would take it for an error. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_TERMS = 8;

/** A call's place in the list: newest first, then by id. Microseconds, as Postgres keeps them. */
export interface Position {
  startMicros: string;
  sessionId: string;
}

export function toCursor({ startMicros, sessionId }: Position): string {
  return Buffer.from(`${startMicros}.${sessionId}`).toString('base64url');
}

/** Throws Failure bad-cursor (400, blame caller) for anything that `toCursor` did not make. */
export function fromCursor(cursor: string): Position {
  const match = /^(-?\d{1,17})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(
    Buffer.from(cursor, 'base64url').toString('latin1'),
  );
  if (!match)
    throw new Failure('the cursor is not one of ours', { code: 'bad-cursor', blame: 'caller', sipStatus: 400 });
  return { startMicros: match[1]!, sessionId: match[2]! };
}

/** The terms of a search: words, and phrases in double quotes. Every one of them must occur in the call. */
export function searchTerms(text: string): string[] {
  const terms = text.match(/"[^"]*"?|[^\s"]+/g) ?? [];
  return terms
    .map((term) => term.replaceAll('\0', ''))
    .filter((term) => /[\p{L}\p{N}]/u.test(term))
    .slice(0, MAX_TERMS);
}

/**
 * How the person of a call is looked for: who called, or whom we called. By a number's end: exactly by index for four and
 * six digits and more.
 */
export interface CallerMatch {
  last4: string | undefined;
  last6: string | undefined;
  /** ILIKE pattern on the number and on the identity. */
  pattern: string | undefined;
}

export function callerMatch(caller: string | undefined): CallerMatch {
  const wanted = caller?.replaceAll('\0', '').trim() ?? '';
  if (wanted === '') return { last4: undefined, last6: undefined, pattern: undefined };
  if (!/^[+\d\s().\-/]+$/.test(wanted) || !/\d/.test(wanted)) {
    return { last4: undefined, last6: undefined, pattern: `%${wanted.replace(/[\\%_]/g, '\\$&')}%` };
  }
  const digits = wanted.replace(/\D/g, '');
  return {
    last4: digits.length >= 4 && digits.length < 6 ? digits.slice(-4) : undefined,
    last6: digits.length >= 6 ? digits.slice(-6) : undefined,
    // With all digits of the index compared there is nothing left to match.
    pattern: digits.length === 4 || digits.length === 6 ? undefined : `%${digits}`,
  };
}

/** Clause and values for the calls of a query, without its text. `$n` continue after `values`. */
export function filterOf(query: CallQuery): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const clauses: string[] = [];
  const add = (clause: (p: string) => string, value: unknown) => {
    values.push(value);
    clauses.push(clause(`$${values.length}`));
  };
  const { last4, last6, pattern } = callerMatch(query.caller);
  if (query.status !== undefined) add((p) => `s.status = ${p}`, query.status);
  if (last4 !== undefined) add((p) => `s.caller_last4 = ${p}`, last4);
  if (last6 !== undefined) add((p) => `s.caller_last6 = ${p}`, last6);
  if (pattern !== undefined) {
    const inbound = (p: string) => `s.caller_phone ILIKE ${p} OR s.caller_identity ILIKE ${p}`;
    add((p) => `CASE s.direction WHEN 'OUTBOUND' THEN s.called_number ILIKE ${p} ELSE ${inbound(p)} END`, pattern);
  }
  if (query.from !== undefined) add((p) => `s.call_start_time >= ${p}`, query.from);
  if (query.to !== undefined) add((p) => `s.call_start_time < ${p}`, query.to);
  if (query.cursor !== undefined) {
    const { startMicros, sessionId } = fromCursor(query.cursor);
    values.push(startMicros, sessionId);
    const start = `${POSITION_TIME(`$${values.length - 1}`)}`;
    clauses.push(
      `s.call_start_time <= ${start} AND (s.call_start_time < ${start} OR s.session_id > $${values.length}::uuid)`,
    );
  }
  return { where: clauses.length > 0 ? `WHERE ${clauses.join(' AND ')}` : '', values };
}

/** The time of a cursor, to the microsecond (to_timestamp goes through a double, which has them until the year 2255). */
export const POSITION_TIME = (parameter: string) =>
  `(timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond')`;
