import { type Blame, Failure } from '../core/errors.ts';

/** A failure with the SIP status that answers it. 4xx blame the peer, 5xx us, unless `blame` says otherwise. */
export function sipFailure(status: number, code: string, message: string, blame?: Blame): Failure {
  return new Failure(message, {
    code,
    sipStatus: status,
    blame: blame ?? (status < 500 ? 'caller' : 'us'),
    retryable: status === 503 || status === 491,
  });
}

/** A header or start line that breaks the grammar. */
export function malformed(what: string, status = 400): Failure {
  return sipFailure(status, 'sip-malformed', what, 'caller');
}

/** The peer could not be reached, or its connection broke: RFC 3261 17.1.4 treats it as 503. */
export function transportFailure(message: string, cause?: unknown): Failure {
  return new Failure(message, { code: 'sip-transport', blame: 'network', retryable: true, sipStatus: 503, cause });
}

/** No answer in time: RFC 3261 8.1.3.1 treats it as 408. */
export function timeoutFailure(message: string): Failure {
  return new Failure(message, { code: 'sip-timeout', blame: 'network', retryable: true, sipStatus: 408 });
}

/** A port that is taken, or an address that is not ours: the operator's business, so the start stops with one line. */
export function bindFailure(what: string, cause: Error): Failure {
  return new Failure(`${what}: ${cause.message}`, { code: 'sip-bind', blame: 'us', sipStatus: 503, cause });
}
