import type { Logger } from '../../core/log.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { isDefinedMethod } from '../message/methods.ts';
import type { BodyPart } from '../message/multipart.ts';
import { createResponse } from '../message/response.ts';
import { mediaTypeOf } from '../message/values.ts';
import type { Scheduler } from '../scheduler.ts';
import type { TimerValues } from '../transactions/timers.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import type { TransactionLayer } from '../transactions/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import type { TransportLayer } from '../transport/transport-layer.ts';
import type { Refusal } from './incoming-invite.ts';
import type { Referral } from './referral.ts';
import type { Session } from './session.ts';
import { negotiate, type SessionTimerOptions } from './session-timer.ts';

/** What sessions share of their user agent. */
export interface Stack {
  readonly transactions: TransactionLayer;
  readonly transports: TransportLayer;
  readonly scheduler: Scheduler;
  readonly timers: TimerValues;
  readonly sessionTimer: SessionTimerOptions;
  readonly log: Logger;
  /** By Dialog.key. */
  readonly sessions: Map<string, Session>;
  /** REFERs of ours whose NOTIFYs may still come, also behind the end of the session; by Dialog.key, one for each. */
  readonly referrals: Map<string, Referral>;
  /** Text of Server and User-Agent. */
  readonly product: string;
  readonly retryAfterSeconds: number;
}

/** Methods this user agent serves, as Allow lists them. */
const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY'] as const;

export const SDP = 'application/sdp';

/** Bodies of INFO that carry DTMF. */
export const DTMF_TYPES = ['application/dtmf-relay', 'application/dtmf'] as const;

/** Answers a request with no more than its status and the headers that status calls for. */
export function refuse(tx: ServerTransaction, status: number, extra: Readonly<Record<string, string>> = {}): void {
  tx.respond(withHeaders(createResponse(tx.request, status, tx.localTag), extra));
}

export function withHeaders(response: SipResponse, extra: Readonly<Record<string, string>>): SipResponse {
  for (const [name, value] of Object.entries(extra)) response.headers.set(name, value);
  return response;
}

/** Extensions we speak, as Supported lists them: RFC 3262, RFC 4028, RFC 3891, RFC 4488. */
export const EXTENSIONS: readonly string[] = ['100rel', 'timer', 'replaces', 'norefersub'];

export function allowHeader(): { Allow: string } {
  return { Allow: METHODS.join(', ') };
}

/** 405 or 501 for a method that is not served; undefined for one that is. */
export function methodFault(method: string): 405 | 501 | undefined {
  if ((METHODS as readonly string[]).includes(method)) return undefined;
  return isDefinedMethod(method) ? 405 : 501;
}

/** Option tags of Require that we do not know (8.2.2.3). */
export function unknownExtensions(request: SipRequest): string[] {
  return request.headers.list('require').filter((tag) => !EXTENSIONS.includes(tag.toLowerCase()));
}

/**
 * What is wrong with the body, as status and headers (8.2.3): a type or an encoding we do not read. `types` are the
 * ones this method may carry.
 */
export function bodyFault(request: SipRequest, types: readonly string[]): Record<string, string> | undefined {
  if (request.body.length === 0) return undefined;
  const encoding = request.headers.get('content-encoding');
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') return { 'Accept-Encoding': 'identity' };
  const { parts } = request;
  const readable = (part: BodyPart) => types.includes(part.type) || isOptional(part);
  if (parts?.every(readable)) return undefined;
  return { Accept: `${types.join(', ')}, multipart/mixed` };
}

/** Handling is `required` unless the sender says otherwise (RFC 5621 8.3); ISUP says so by itself (RFC 3204 5). */
function isOptional(part: BodyPart): boolean {
  const disposition = part.headers.get('content-disposition') ?? '';
  if (/;\s*handling\s*=\s*optional/i.test(disposition)) return true;
  return (part.type === 'application/isup' || part.type === 'application/qsig') && !/handling/i.test(disposition);
}

/** May the answer carry SDP? Without Accept it may (20.1). */
function acceptsSdp(request: SipRequest): boolean {
  const accepted = request.headers.list('accept');
  if (accepted.length === 0) return !request.headers.has('accept');
  return accepted.some((range) => ['application/sdp', 'application/*', '*/*'].includes(mediaTypeOf(range)));
}

/**
 * What is wrong with an INVITE that would make a call, or with the session it asks for: 415, 406, 422.
 * undefined: nothing.
 */
export function inviteFault(request: SipRequest, timer: SessionTimerOptions): Refusal | undefined {
  const fault = bodyFault(request, [SDP]);
  if (fault !== undefined) return { status: 415, headers: fault };
  if (!acceptsSdp(request)) {
    return { status: 406, headers: { Warning: '399 sip "nothing but application/sdp can be answered"' } };
  }
  const negotiated = negotiate(request, timer, undefined);
  return 'tooSmall' in negotiated ? { status: 422, headers: { 'Min-SE': String(negotiated.tooSmall) } } : undefined;
}

/**
 * Contact of a dialog over this flow. sips: where the peer asked for that (12.1.1), and ws for both kinds of WebSocket,
 * which only the scheme tells apart (RFC 7118 5.2).
 */
export function contactUri(
  user: string | undefined,
  address: { host: string; port: number },
  flow: Flow,
  secure = false,
): string {
  const scheme = secure && flow.secure ? 'sips' : 'sip';
  const named = flow.protocol === 'wss' ? 'ws' : flow.protocol;
  const transport = named === 'udp' || (scheme === 'sips' && named === 'tls') ? '' : `;transport=${named}`;
  return `<${scheme}:${user === undefined ? '' : `${user}@`}${address.host}:${address.port}${transport}>`;
}
