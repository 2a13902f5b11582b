import { Failure } from '../../core/errors.ts';
import type { SipResponse } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import type { ServerTransaction } from '../transactions/transaction.ts';
import { parseDtmfInfo } from './dtmf-info.ts';
import { IncomingReferral } from './incoming-referral.ts';
import type { Session } from './session.ts';
import { reasonOf } from './session-end.ts';
import type { Terms } from './session-timer.ts';
import { allowHeader, bodyFault, DTMF_TYPES, EXTENSIONS, refuse, SDP, type Stack } from './stack.ts';

/** Serves a request inside a dialog (RFC 3261 12.2.2). Methods and extensions have been checked by the user agent. */
export function receiveInDialog(session: Session, tx: ServerTransaction, stack: Stack): void {
  const { request } = tx;
  if (!session.dialog.takeRemoteSeq(request.cseq.number)) {
    refuse(tx, 500);
    return;
  }
  if (session.ended) {
    // Our BYE is on its way; theirs has crossed it.
    refuse(tx, request.method === 'BYE' ? 200 : 481);
    return;
  }
  switch (request.method) {
    case 'BYE':
      receiveBye(session, tx);
      break;
    case 'INVITE':
      receiveReinvite(session, tx, stack);
      break;
    case 'UPDATE':
      receiveUpdate(session, tx, stack);
      break;
    case 'PRACK':
      receivePrack(session, tx, stack);
      break;
    case 'INFO':
      receiveInfo(session, tx);
      break;
    case 'REFER':
      receiveRefer(session, tx, stack);
      break;
    default:
      tx.respond(answerTo(tx, 200, session, stack));
  }
}

function receiveBye(session: Session, tx: ServerTransaction): void {
  refuse(tx, 200);
  session.onEarlyBye?.();
  session.end({ by: 'remote', how: 'bye', ...reasonOf(tx.request) });
  tx.letGo();
}

function receiveReinvite(session: Session, tx: ServerTransaction, stack: Stack): void {
  // An ACK may be lost or overtaken: behind a final answer that ended offer and answer, the next INVITE is served (RFC
  // 5407 3.1.4); where the ACK has to bring the answer, it meets our offer (3.1.5).
  if (session.inviteOpen) {
    // A second INVITE before the first has a final answer (14.2).
    refuse(tx, 500, { 'Retry-After': String(Math.floor(Math.random() * 11)) });
    return;
  }
  if (session.ourOffer) {
    refuse(tx, 491);
    return;
  }
  const timer = acceptable(session, tx);
  if (timer === undefined) return;
  const offer = tx.request.sdp;
  const sdp = agree(session, tx, offer);
  if (sdp === undefined) return;
  session.dialog.refreshTarget(tx.request);
  // Without an offer in it our 2xx makes one, which is open until the ACK: an UPDATE with another one meets it.
  if (offer === undefined) session.ourOffer = true;
  const response = answerTo(tx, 200, session, stack).setBody(SDP, sdp);
  session.timer.answer(response, timer.terms);
  session
    .sendAnswer(tx, response)
    .finally(() => {
      if (offer === undefined) session.ourOffer = false;
    })
    .then((ack) => {
      if (offer !== undefined || ack.sdp === undefined) return;
      session.remoteSdp = ack.sdp;
      session.handlers.onAnswer?.(ack.sdp);
    })
    // An answer nobody can use, or no ACK at all, which ends the session by itself.
    .catch((error: unknown) => stack.log.info({ err: error }, 'the answer to our offer was not taken'));
}

function receiveUpdate(session: Session, tx: ServerTransaction, stack: Stack): void {
  const timer = acceptable(session, tx);
  if (timer === undefined) return;
  const response = answerTo(tx, 200, session, stack);
  const offer = tx.request.sdp;
  if (offer !== undefined) {
    // RFC 3311 5.2: an offer of theirs that we have not answered, or one of ours that they have not.
    if (session.offerOpen) {
      refuse(tx, 500, { 'Retry-After': String(Math.floor(Math.random() * 11)) });
      return;
    }
    if (session.ourOffer) {
      refuse(tx, 491);
      return;
    }
    const sdp = agree(session, tx, offer);
    if (sdp === undefined) return;
    response.setBody(SDP, sdp);
  }
  session.dialog.refreshTarget(tx.request);
  if (session.dialog.state === 'confirmed') session.timer.answer(response, timer.terms);
  tx.respond(response);
}

/** What a re-INVITE or UPDATE wants of the session timer. Undefined: its body cannot be read, or it wants too much, and it has been refused. */
function acceptable(session: Session, tx: ServerTransaction): { terms: Terms | undefined } | undefined {
  const fault = bodyFault(tx.request, [SDP]);
  if (fault !== undefined) {
    refuse(tx, 415, fault);
    return undefined;
  }
  const timer = session.timer.negotiate(tx.request);
  if ('tooSmall' in timer) {
    refuse(tx, 422, { 'Min-SE': String(timer.tooSmall) });
    return undefined;
  }
  return timer;
}

/** PRACK (RFC 3262 3); it may carry the answer to an offer in our 183, or a new offer (RFC 3262 5). */
function receivePrack(session: Session, tx: ServerTransaction, stack: Stack): void {
  const fault = bodyFault(tx.request, [SDP]);
  if (fault !== undefined) {
    refuse(tx, 415, fault);
    return;
  }
  if (session.onPrack?.(tx.request) !== true) {
    refuse(tx, 481);
    return;
  }
  const response = answerTo(tx, 200, session, stack);
  const { sdp } = tx.request;
  if (sdp !== undefined && session.ourOffer) {
    session.ourOffer = false;
    session.remoteSdp = sdp;
    session.handlers.onAnswer?.(sdp);
  } else if (sdp !== undefined) {
    const answer = agree(session, tx, sdp);
    if (answer === undefined) return;
    response.setBody(SDP, answer);
  }
  tx.respond(response);
}

/** Whom our calls go to is not for everybody to say: whoever uses the session says who may. */
function receiveRefer(session: Session, tx: ServerTransaction, stack: Stack): void {
  const { onRefer } = session.handlers;
  if (onRefer === undefined || session.dialog.state !== 'confirmed') {
    refuse(tx, 403);
    return;
  }
  onRefer(new IncomingReferral(session, tx, stack));
}

function receiveInfo(session: Session, tx: ServerTransaction): void {
  const fault = bodyFault(tx.request, DTMF_TYPES);
  if (fault !== undefined) {
    refuse(tx, 415, fault);
    return;
  }
  const digit = tx.request.body.length > 0 ? parseDtmfInfo(tx.request) : undefined;
  refuse(tx, 200);
  if (digit !== undefined) session.handlers.onDtmf?.(digit);
}

/** Our description for an offer, or for the lack of one; undefined when the request has been refused. */
function agree(session: Session, tx: ServerTransaction, offer: string | undefined): string | undefined {
  try {
    const sdp =
      offer === undefined
        ? (session.handlers.onOfferWanted?.() ?? session.localSdp)
        : session.handlers.onOffer?.(offer);
    if (sdp === undefined) {
      refuse(tx, 488);
      return undefined;
    }
    session.localSdp = sdp;
    if (offer !== undefined) session.remoteSdp = offer;
    return sdp;
  } catch (error) {
    refuse(tx, error instanceof Failure ? error.sipStatus : 488);
    return undefined;
  }
}

function answerTo(tx: ServerTransaction, status: number, session: Session, stack: Stack): SipResponse {
  const response = createResponse(tx.request, status, tx.localTag);
  response.headers.set('Contact', session.contact).set('Allow', allowHeader().Allow).set('Server', stack.product);
  response.headers.set('Supported', EXTENSIONS.join(', '));
  if (tx.request.method === 'OPTIONS') response.headers.set('Accept', SDP);
  return response;
}
