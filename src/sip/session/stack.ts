import type { Logger } from '../../core/log.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import type { Scheduler } from '../scheduler.ts';
import type { TimerValues } from '../transactions/timers.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import type { TransactionLayer } from '../transactions/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import type { TransportLayer } from '../transport/transport-layer.ts';
import type { Session } from './session.ts';

/** What sessions share of their user agent. */
export interface Stack {
  readonly transactions: TransactionLayer;
  readonly transports: TransportLayer;
  readonly scheduler: Scheduler;
  readonly timers: TimerValues;
  readonly log: Logger;
  /** By Dialog.key. */
  readonly sessions: Map<string, Session>;
  /** Text of Server and User-Agent. */
  readonly product: string;
  readonly retryAfterSeconds: number;
}

/** Methods this user agent serves, as Allow lists them. */
export const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE'] as const;

/** Methods other specifications define: refused with 405; what nobody has defined is 501 (21.4.6, 21.5.2). */
const METHODS_ELSEWHERE = new Set(['REGISTER', 'PRACK', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'MESSAGE', 'REFER']);

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

/** Extensions we speak. None yet: PRACK (100rel) and session timers (timer) will stand here. */
export const EXTENSIONS: readonly string[] = [];

export function allowHeader(): { Allow: string } {
  return { Allow: METHODS.join(', ') };
}

/** 405 or 501 for a method that is not served; undefined for one that is. */
export function methodFault(method: string): 405 | 501 | undefined {
  if ((METHODS as readonly string[]).includes(method)) return undefined;
  return METHODS_ELSEWHERE.has(method) ? 405 : 501;
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
  if (request.contentType !== undefined && types.includes(request.contentType)) return undefined;
  // The sender says himself that it may be ignored.
  if (/;\s*handling\s*=\s*optional/i.test(request.headers.get('content-disposition') ?? '')) return undefined;
  return { Accept: types.join(', ') };
}

/** Contact of a dialog over this flow. */
export function contactUri(user: string | undefined, address: { host: string; port: number }, flow: Flow): string {
  const transport = flow.protocol === 'udp' ? '' : `;transport=${flow.protocol}`;
  return `<sip:${user === undefined ? '' : `${user}@`}${address.host}:${address.port}${transport}>`;
}
