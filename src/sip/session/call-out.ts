import { type InviteEvents, OutgoingInvite } from './outgoing-invite.ts';
import { type CallPlace, type OutgoingOptions, outgoingRequest } from './outgoing-request.ts';
import type { Session } from './session.ts';
import { allowHeader, EXTENSIONS, SDP, type Stack } from './stack.ts';

/** Our session description, or what makes it once it is known from where the peer will be called. */
export type Offer = string | ((place: CallPlace) => string | Promise<string>);

/** A call of ours, from the first INVITE to its outcome. @throws Failure: see UserAgent.invite */
export async function callOut(
  stack: Stack,
  uri: string,
  offer: Offer,
  options: OutgoingOptions & InviteEvents,
): Promise<Session> {
  const { request, contact, nextHop, place } = await outgoingRequest(stack, 'INVITE', uri, options);
  request.headers.set('Contact', contact).set('Allow', allowHeader().Allow).set('Supported', EXTENSIONS.join(', '));
  request.setBody(SDP, typeof offer === 'string' ? offer : await offer(place));
  return new OutgoingInvite(stack, request, contact, options).run(nextHop);
}
