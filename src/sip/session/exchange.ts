import { isIP } from 'node:net';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { DigestClient } from '../auth/digest-client.ts';
import { timeoutFailure } from '../errors.ts';
import { type SipRequest, SipResponse } from '../message/message.ts';
import { parseSipUri } from '../message/uri.ts';
import type { Flow } from '../transport/flow.ts';
import { hopOf } from '../transport/next-hop.ts';
import type { Stack } from './stack.ts';

/** Challenges that are answered for one request: each proxy on the way may have one, and a nonce may be stale. */
export const MAX_CHALLENGES = 4;

export interface ExchangeOptions {
  auth?: DigestClient | undefined;
  /** See TransportLayer.route. */
  hint?: Flow | undefined;
  /** A server that has said nothing for this long is given up. Default: 64*T1. */
  silenceMs?: Ms | undefined;
  /** Each 2xx, also those that come again: an INVITE's has to be acknowledged each time. */
  onSuccess?: ((request: SipRequest) => void) | undefined;
}

/** What became of a request: the final response to it, or why there is none. */
export type Exchanged = { request: SipRequest; flow: Flow } & (
  | { response: SipResponse; failure?: undefined }
  | { response?: undefined; failure: Failure }
);

/**
 * Sends a request and does what its answers ask for: credentials after 401 and 407, the next server of the same name
 * after silence and 503 (RFC 3263 4.3). `build` makes the request, and makes it anew with the next CSeq where it is
 * challenged. Not for INVITEs that make calls: see callOut.
 * @throws Failure when it could not be sent: no way there, or no room for a transaction
 */
export async function exchange(
  stack: Stack,
  build: () => SipRequest,
  nextHop: string,
  options: ExchangeOptions = {},
): Promise<Exchanged> {
  const { auth } = options;
  const tried: Flow[] = [];
  let challenges = 0;
  let last: Exchanged | undefined;
  let request = build();
  for (;;) {
    auth?.authorize(request);
    let sent: Exchanged;
    try {
      sent = await sendOnce(stack, request, nextHop, options, tried);
    } catch (error) {
      // No server is left: what the last one did is what became of it.
      if (last === undefined) throw error;
      return last;
    }
    const { response, flow } = sent;
    if (response === undefined || response.status === 503) {
      if (!hasSeveralServers(nextHop)) return sent;
      last = sent;
      tried.push(flow);
      request = sentAgain(request);
    } else if (isChallenge(response) && challenges++ < MAX_CHALLENGES && auth?.challenged(response, request)) {
      request = build();
    } else return sent;
  }
}

/** @throws Failure when there is no way, or no room */
async function sendOnce(
  stack: Stack,
  request: SipRequest,
  nextHop: string,
  { hint, silenceMs, onSuccess }: ExchangeOptions,
  tried: readonly Flow[],
): Promise<Exchanged> {
  const { promise, resolve } = Promise.withResolvers<{ response: SipResponse } | { failure: Failure }>();
  const unanswered = () => timeoutFailure(`${request.method} was not answered`);
  let stop: (() => void) | undefined;
  const tx = await stack.transactions.request(
    request,
    nextHop,
    {
      onResponse: (response) => {
        stop?.();
        if (response.isProvisional) return;
        if (response.isSuccess) onSuccess?.(request);
        resolve({ response });
      },
      onFailed: (error) => resolve({ failure: error ?? unanswered() }),
    },
    hint,
    tried,
  );
  const { flow } = tx;
  if (silenceMs !== undefined) {
    stop = stack.scheduler.after(silenceMs, () => {
      tx.terminate();
      stack.transports.suspect(flow);
      resolve({ failure: unanswered() });
    });
  }
  const outcome = await promise;
  stop?.();
  return { request, flow, ...outcome };
}

/** Only a name may stand for several servers. */
export function hasSeveralServers(nextHop: string): boolean {
  return isIP(hopOf(parseSipUri(nextHop)).host) === 0;
}

export function isChallenge({ status }: SipResponse): boolean {
  return status === 401 || status === 407;
}

/** The same request for another transaction: it gets a branch of its own. */
export function sentAgain(request: SipRequest): SipRequest {
  const copy = request.clone();
  copy.headers.delete('via');
  return copy;
}

/** The same request as a new one of its dialog-to-be: the next CSeq (RFC 3261 8.1.3.5). */
export function askedAgain(request: SipRequest): SipRequest {
  const copy = sentAgain(request);
  const { number, method } = request.cseq;
  copy.headers.set('CSeq', `${number + 1} ${method}`);
  return copy;
}

/** For `exchange`: this request first, then each time the same as a new one. */
export function anewFrom(request: SipRequest): () => SipRequest {
  let last: SipRequest | undefined;
  return () => {
    last = last === undefined ? request : askedAgain(last);
    return last;
  };
}

/** Makes a request the next one of what another has begun: To, From and Call-ID stay, CSeq counts on. */
export function goOnFrom(before: SipRequest, request: SipRequest): void {
  for (const name of ['From', 'To', 'Call-ID']) request.headers.set(name, before.headers.get(name.toLowerCase()) ?? '');
  request.headers.set('CSeq', `${before.cseq.number + 1} ${request.method}`);
}

/** What a peer has refused with; undefined for failures that are no refusals. */
export function refusalIn(error: unknown): SipResponse | undefined {
  return error instanceof Failure && error.cause instanceof SipResponse ? error.cause : undefined;
}
