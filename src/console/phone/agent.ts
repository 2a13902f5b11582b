import { UserAgent, type UserAgentDelegate, Web } from 'sip.js';
import type { PhoneSession } from '../api/types.ts';

const CONNECT_WITHIN_S = 5;
/**
 * The connector is the lite side of ICE (RFC 8445 2.5): it answers the browser's checks and needs none of its candidates.
 * Those of UDP are there at once; the rest (TCP, other interfaces) took a tenth of a second in which nobody was heard.
 */
const GATHER_WITHIN_MS = 20;

/**
 * A SIP user agent that is connected: WebSocket, DTLS-SRTP. `microphone` is asked when a call needs it.
 * @throws Error whose message is fit to be shown
 */
export async function connectAgent(
  place: PhoneSession,
  microphone: () => Promise<MediaStream>,
  delegate: UserAgentDelegate,
): Promise<UserAgent> {
  const uri = UserAgent.makeURI(`sip:${place.username}@${place.realm}`);
  if (!uri) throw new Error('The connector’s answer makes no address.');
  const agent = new UserAgent({
    uri,
    authorizationUsername: place.username,
    authorizationPassword: place.password,
    transportOptions: { server: place.webSocket, connectionTimeout: CONNECT_WITHIN_S },
    sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(microphone),
    sessionDescriptionHandlerFactoryOptions: {
      iceGatheringTimeout: GATHER_WITHIN_MS,
      peerConnectionConfiguration: { iceServers: [], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' },
    },
    logBuiltinEnabled: false,
    delegate,
  });
  // A WebSocket that the browser forbids is neither opened nor refused: it is not waited for.
  await within(agent.start(), (CONNECT_WITHIN_S + 1) * 1000).catch(() => {
    void agent.stop().catch(() => undefined);
    throw new Error(`The connector cannot be reached at ${place.webSocket}. Reload this page, and try again.`);
  });
  return agent;
}

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => reject(new Error('too late')), ms);
    work.then(resolve, reject).finally(() => window.clearTimeout(timer));
  });
}
