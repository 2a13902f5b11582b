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
  for (const [key, name] of COPIED) {
    const value = request.headers.get(key);
    if (value !== undefined)
      headers.appendParsed(name, key === 'to' && status !== 100 ? tagged(request, value, toTag) : value);
  }
  const timestamp = request.headers.get('timestamp');
  if (status === 100 && timestamp !== undefined) headers.appendParsed('Timestamp', timestamp);
  return response;
}

const COPIED = [
  ['from', 'From'],
  ['to', 'To'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
] as const;

function tagged(request: SipRequest, value: string, tag: string): string {
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

/** Can this request be answered at all? What the answer copies may be missing, but for the Via (RFC 4475 3.3.1). */
export function isAnswerable(request: SipRequest): boolean {
  return request.method !== 'ACK' && request.headers.has('via');
}
