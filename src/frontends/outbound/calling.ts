import type { DialRequest, MediaAddress } from '../../call/legs/dialler.ts';
import { Failure } from '../../core/errors.ts';
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
  /** A phone, or a queue of people, knows of the call. */
  onRinging?: () => void;
}

/**
 * Calls, whichever way it goes. Where encryption is optional our keys stand beside the plain profile (RFC 8643), which some
 * far ends, FreeSWITCH among them, refuse instead of passing them over: they are called once more without.
 * @throws Failure as UserAgent.invite does; dial-media-refused for an answer without SDP
 */
export async function call(
  facts: CallFacts,
  request: Pick<DialRequest, 'offer' | 'onProgress' | 'onPickUp'>,
  options: Omit<CallOptions, 'onProgress' | 'onPickUp'>,
): Promise<Answered> {
  let rang = false;
  let keysBesidePlain = false;
  const policy = (at: CallPlace) => {
    const one = facts.policy(at);
    keysBesidePlain = one.encryption === 'optional' && one.sdes;
    return one;
  };
  const onRinging = () => {
    rang = true;
    facts.onRinging?.();
  };
  try {
    return await callOnce({ ...facts, policy, onRinging }, request, options);
  } catch (error) {
    if (!keysBesidePlain || rang || options.signal?.aborted || !refusesMedia(error)) throw error;
    const withoutKeys = (at: CallPlace) => ({ ...facts.policy(at), sdes: false });
    return callOnce({ ...facts, policy: withoutKeys }, request, options);
  }
}

function refusesMedia(error: unknown): boolean {
  return error instanceof Failure && error.code === 'sip-refused' && [415, 488, 606].includes(error.sipStatus);
}

async function callOnce(
  { userAgent, uri, by, media = {}, policy, onRinging }: CallFacts,
  request: Pick<DialRequest, 'offer' | 'onProgress' | 'onPickUp'>,
  options: Omit<CallOptions, 'onProgress' | 'onPickUp'>,
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
    onPickUp: request.onPickUp,
    onProgress: ({ status, sdp }) => {
      // 183 is the network's.
      if (status >= 180 && status <= 182) onRinging?.();
      request.onProgress?.({ status, sdp, gateway: by });
    },
  });
  const answer = session.remoteSdp;
  if (answer === undefined) {
    void session.bye();
    throw dialFailure('media-refused', 'the answer has no session description', { sipStatus: 488 });
  }
  return { session, answer, place: place!, by };
}
