import type { DialRequest, MediaAddress } from '../../call/legs/dialler.ts';
import type { MediaPolicy } from '../../media/sdp/media-policy.ts';
import type { CallOptions } from '../../sip/session/call-out.ts';
import type { CallPlace } from '../../sip/session/outgoing-request.ts';
import type { Session } from '../../sip/session/session.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import type { MediaPlace } from '../embedded/session-leg.ts';
import { dialFailure } from './outcome.ts';

/** A call of ours that was answered, for the leg that is made of it. */
export interface Answered {
  session: Session;
  /** The far end's session description. */
  answer: string;
  place: MediaAddress;
  /** The gateway, or the trunk of phones in browsers. */
  by: string;
}

interface CallFacts {
  userAgent: Pick<UserAgent, 'invite'>;
  uri: string;
  by: string;
  media: MediaPlace | undefined;
  policy: (place: CallPlace) => MediaPolicy;
}

/** Calls, whichever way it goes. @throws Failure as UserAgent.invite does; dial-media-refused for an answer without SDP */
export async function call(
  { userAgent, uri, by, media = {}, policy }: CallFacts,
  request: Pick<DialRequest, 'offer' | 'onProgress'>,
  options: Omit<CallOptions, 'onProgress'>,
): Promise<Answered> {
  let place: MediaAddress | undefined;
  const offer = (at: CallPlace) => {
    place = {
      localAddress: media.announce ?? at.localAddress,
      mediaBindAddress: media.bind ?? at.bindAddress,
      sipCallId: at.callId,
      mediaPolicy: policy(at),
    };
    return request.offer(place);
  };
  const session = await userAgent.invite(uri, offer, {
    ...options,
    onProgress: ({ status, sdp }) => request.onProgress?.({ status, sdp, gateway: by }),
  });
  const answer = session.remoteSdp;
  if (answer === undefined) {
    void session.bye();
    throw dialFailure('media-refused', 'the answer has no session description', { sipStatus: 488 });
  }
  return { session, answer, place: place!, by };
}
