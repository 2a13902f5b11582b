import { type SipRequest, SipResponse } from './message.ts';
import type { NameAddr } from './values.ts';

/**
 * A response to this request with the headers every response copies (RFC 3261 8.2.6.2). `toTag` is put on To unless
 * the request has a tag there or this is a 100. Works on a request that is only partly there.
 */
export function createResponse(request: SipRequest, status: number, toTag: string, reason?: string): SipResponse {
  const response = new SipResponse(status, reason);
  const { headers } = response;
  for (const line of request.headers.lines('via')) headers.appendParsed('Via', line);
  headers.appendParsed('From', request.headers.get('from') ?? '');
  headers.appendParsed('To', status === 100 ? (request.headers.get('to') ?? '') : tagged(request, toTag));
  headers.appendParsed('Call-ID', request.headers.get('call-id') ?? '');
  headers.appendParsed('CSeq', request.headers.get('cseq') ?? '');
  const timestamp = request.headers.get('timestamp');
  if (status === 100 && timestamp !== undefined) headers.appendParsed('Timestamp', timestamp);
  return response;
}

function tagged(request: SipRequest, tag: string): string {
  const value = request.headers.get('to') ?? '';
  let to: NameAddr;
  try {
    to = request.to;
  } catch {
    return value;
  }
  if (to.params.has('tag')) return value;
  // In the bare form `sip:a@b` the parameter would be taken for the header's all the same (20.10).
  return `${value};tag=${tag}`;
}

/** Can this request be answered at all? Needs what routes and matches the answer. */
export function isAnswerable(request: SipRequest): boolean {
  return ['via', 'from', 'to', 'call-id', 'cseq'].every((key) => request.headers.has(key));
}
