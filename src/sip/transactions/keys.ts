import { MAGIC_COOKIE } from '../identifiers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';

/**
 * What a request is matched to a server transaction by (RFC 3261 17.2.3); ACK and CANCEL can be asked for as the
 * INVITE they belong to. @throws Failure 400
 */
export function serverKey(request: SipRequest, method = request.method): string {
  const via = request.via;
  const branch = via.params.get('branch') ?? '';
  // The bare cookie identifies nothing: such a peer is matched as if it knew of no cookie (RFC 4475 3.2.1).
  if (branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length)
    return `${branch}|${via.host}:${via.port ?? ''}|${method}`;
  // RFC 2543 peers: the branch says nothing. The To tag is left out, because an ACK has the tag of our answer.
  const sentBy = `${via.host}:${via.port ?? ''};${branch}`;
  return `2543|${request.uri}|${request.fromTag ?? ''}|${request.callId}|${request.cseq.number}|${sentBy}|${method}`;
}

/** Requests outside dialogs that are the same request on another path (8.2.2.2). @throws Failure 400 */
export function mergeKey(request: SipRequest): string {
  return `${request.callId}|${request.fromTag ?? ''}|${request.cseq.number}|${request.method}`;
}

/** 17.1.3. @throws Failure 400 */
export function clientKey(message: SipRequest | SipResponse): string {
  return `${message.via.params.get('branch') ?? ''}|${message.cseq.method}`;
}
