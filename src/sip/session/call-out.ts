import type { Failure } from '../../core/errors.ts';
import { asFailure } from '../../core/errors.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import {
  askedAgain,
  goOnFrom,
  hasSeveralServers,
  isChallenge,
  MAX_CHALLENGES,
  refusalIn,
  sentAgain,
} from './exchange.ts';
import { type InviteEvents, OutgoingInvite } from './outgoing-invite.ts';
import { type CallPlace, type Outgoing, type OutgoingOptions, outgoingRequest } from './outgoing-request.ts';
import { Redirections, type RedirectPolicy } from './redirections.ts';
import type { Session } from './session.ts';
import { readMinSe } from './session-timer.ts';
import { allowHeader, EXTENSIONS, SDP, type Stack } from './stack.ts';

/** Our session description, or what makes it once it is known from where the peer will be called. */
export type Offer = string | ((place: CallPlace) => string | Promise<string>);

export interface CallOptions extends OutgoingOptions, InviteEvents {
  /** Reliable provisional responses (RFC 3262): spoken when asked (the default), insisted on, or not mentioned. */
  reliable?: 'supported' | 'required' | 'off' | undefined;
  /** Session timer to ask for (RFC 4028), in seconds. Default: none, unless the peer asks. */
  sessionExpires?: number | undefined;
  /** Which redirections (3xx) are followed. Default: none. */
  redirect?: RedirectPolicy | undefined;
}

/**
 * A call of ours, from the first INVITE to its outcome: credentials where they are asked for, a longer session interval
 * after 422, the next server after silence and 503, the next target after a redirection.
 * @throws Failure: see UserAgent.invite
 */
export async function callOut(stack: Stack, uri: string, offer: Offer, options: CallOptions): Promise<Session> {
  const targets = new Redirections(uri, options.redirect);
  let described: { place: CallPlace; sdp: string } | undefined;
  let before: SipRequest | undefined;
  let failure: Failure | undefined;
  for (let target = targets.next(); target !== undefined; target = targets.next()) {
    const outgoing = await outgoingRequest(stack, 'INVITE', target, options);
    const { request, contact } = outgoing;
    // A redirected call is the same call (8.1.3.4).
    if (before !== undefined) goOnFrom(before, request);
    if (typeof offer === 'string') request.setBody(SDP, offer);
    else {
      const place = { ...outgoing.place, callId: request.callId };
      // The same description, with its ports and keys, serves as long as it is for the same place.
      if (described === undefined || !isSame(described.place, place)) described = { place, sdp: await offer(place) };
      request.setBody(SDP, described.sdp);
    }
    request.headers.set('Contact', contact).set('Allow', allowHeader().Allow);
    announceExtensions(request, options, stack.sessionTimer.minSe);
    const called = await callTarget(stack, outgoing, options);
    if (!('failure' in called)) return called.session;
    before = called.request;
    failure = called.failure;
    targets.take(refusalIn(failure), failure);
  }
  throw failure!;
}

/** Keys that were made for an encrypted way are not for another. */
function isSame(one: CallPlace, other: CallPlace): boolean {
  return one.localAddress === other.localAddress && one.secure === other.secure;
}

type Called = { session: Session } | { failure: Failure; request: SipRequest };

/** One target, with all its servers. Resolves with the last request it was sent, where that failed. */
async function callTarget(stack: Stack, outgoing: Outgoing, options: CallOptions): Promise<Called> {
  const { contact, nextHop } = outgoing;
  const { auth } = options;
  const tried: Flow[] = [];
  let { request } = outgoing;
  let challenges = 0;
  let raised = false;
  let last: Failure | undefined;
  for (;;) {
    auth?.authorize(request);
    const invite = new OutgoingInvite(stack, request, contact, options);
    try {
      return { session: await invite.run(nextHop, tried) };
    } catch (error) {
      const failure = asFailure(error);
      const { flow } = invite;
      // No server is left: what the last one did is what became of it.
      if (flow === undefined)
        return { failure: failure.code === 'sip-transport' ? (last ?? failure) : failure, request };
      const refusal = refusalIn(failure);
      if (refusal !== undefined && isChallenge(refusal) && challenges++ < MAX_CHALLENGES) {
        if (!auth?.challenged(refusal, request)) return { failure, request };
        request = askedAgain(request);
      } else if (refusal?.status === 422 && !raised) {
        const minSe = readMinSe(refusal);
        if (minSe === undefined) return { failure, request };
        raised = true;
        request = askedAgain(request);
        request.headers.set('Session-Expires', String(minSe)).set('Min-SE', String(minSe));
      } else if (isServersFault(failure) && !invite.progressed && hasSeveralServers(nextHop)) {
        last = failure;
        tried.push(flow);
        request = sentAgain(request);
      } else return { failure, request };
    }
  }
}

/** RFC 3263 4.3: 503, a transport that fails, and silence. */
function isServersFault({ code, sipStatus }: Failure): boolean {
  return code === 'sip-timeout' || code === 'sip-transport' || (code === 'sip-refused' && sipStatus === 503);
}

function announceExtensions(request: SipRequest, { reliable, sessionExpires }: CallOptions, minSe: number): void {
  const spoken = EXTENSIONS.filter((tag) => tag !== '100rel' || reliable !== 'off');
  request.headers.set('Supported', spoken.join(', '));
  if (reliable === 'required') request.headers.set('Require', '100rel');
  if (sessionExpires === undefined) return;
  request.headers.set('Session-Expires', String(sessionExpires)).set('Min-SE', String(minSe));
}
