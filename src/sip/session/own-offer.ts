import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { sipFailure } from '../errors.ts';
import type { SipResponse } from '../message/message.ts';
import { refusalIn } from './exchange.ts';
import type { Session } from './session.ts';
import { readMinSe } from './session-timer.ts';
import { allowHeader, SDP, type Stack } from './stack.ts';

/** Offers of ours inside a call (RFC 3264), and requests that refresh it; those of the peer: in-dialog.ts. */

/** @see Session.reinvite */
export async function reinvite(session: Session, stack: Stack, sdp: string): Promise<string | undefined> {
  try {
    return await offer(session, 'INVITE', sdp);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'sip-refused' || error.sipStatus !== 491) throw error;
    await new Promise<void>((resolve) => stack.scheduler.after(glarePause(session, stack), resolve));
    return offer(session, 'INVITE', sdp);
  }
}

/**
 * One offer by re-INVITE or UPDATE; resolves with the peer's answer. `sdp` undefined: an UPDATE that only refreshes.
 * A 422 is answered once, with the interval it asks for (RFC 4028 7.4).
 * @throws Failure 491 while another offer is under way, 481 when the call is over, else the peer's refusal
 */
export async function offer(
  session: Session,
  method: 'INVITE' | 'UPDATE',
  sdp: string | undefined,
  again = true,
): Promise<string | undefined> {
  if (session.ended) throw sipFailure(481, 'sip-ended', 'the call has ended', 'us');
  if (session.ourOffer || session.theirInvite) throw sipFailure(491, 'sip-pending', 'another offer is under way', 'us');
  session.ourOffer = true;
  let response: SipResponse;
  try {
    response = await session.request(method, (request) => {
      request.headers.set('Contact', session.contact).set('Allow', allowHeader().Allow);
      session.timer.ask(request);
      if (sdp !== undefined) request.setBody(SDP, sdp);
    });
  } catch (error) {
    const refusal = refusalIn(error);
    if (!again || refusal?.status !== 422 || !session.timer.raise(readMinSe(refusal))) throw error;
    session.ourOffer = false;
    return offer(session, method, sdp, false);
  } finally {
    session.ourOffer = false;
  }
  session.dialog.refreshTarget(response);
  session.timer.granted(response);
  session.localSdp = sdp ?? session.localSdp;
  session.remoteSdp = response.sdp ?? session.remoteSdp;
  return response.sdp;
}

/** How long to wait after a 491: longer for the one who made the call, so that the two do not meet again (14.1). */
export function glarePause({ dialog }: Session, { timers }: Stack): Ms {
  const scale = timers.t1 / 500;
  return scale * (dialog.initiator ? 2100 + Math.random() * 1900 : Math.random() * 2000);
}
