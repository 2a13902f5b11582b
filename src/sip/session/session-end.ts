import { readReasons } from '../message/identity.ts';
import type { SipRequest } from '../message/message.ts';

/** Why and by whom a session ended; the reason its AbortSignal aborts with. */
export interface SessionEnd {
  by: 'remote' | 'local' | 'network';
  how: 'bye' | 'cancel' | 'rejected' | 'no-ack' | 'transport' | 'expired' | 'shutdown';
  status?: number;
  /** `text` of the peer's Reason header (RFC 3326), else its `protocol;cause`. */
  reason?: string;
  /** Its protocol and cause. */
  release?: { protocol: string; cause: number };
}

/** What the Reason headers of a BYE or CANCEL say; the first one with a cause counts. */
export function reasonOf(request: SipRequest): Pick<SessionEnd, 'reason' | 'release'> {
  const reasons = readReasons(request.headers);
  const first = reasons.find(({ cause }) => cause !== undefined) ?? reasons[0];
  if (first === undefined) return {};
  const { protocol, cause, text } = first;
  const reason = (text ?? (cause === undefined ? protocol : `${protocol};cause=${cause}`)).slice(0, 200);
  return { reason, ...(cause === undefined ? {} : { release: { protocol: protocol.slice(0, 40), cause } }) };
}
