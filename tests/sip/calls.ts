import { afterEach } from 'vitest';
import type { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { SessionEnd } from '../../src/sip/session/session-end.ts';
import type { UserAgentOptions } from '../../src/sip/user-agent.ts';
import { ANSWER, listen, type MessageFacts, OFFER, UdpPeer } from './support.ts';

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const ended = (signal: AbortSignal) =>
  new Promise<SessionEnd>((resolve) => {
    if (signal.aborted) resolve(signal.reason as SessionEnd);
    else signal.addEventListener('abort', () => resolve(signal.reason as SessionEnd), { once: true });
  });

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A user agent with a peer that has sent it an INVITE, for the test to ring, answer and refuse. */
export async function ringing(facts: MessageFacts = {}, options: Partial<UserAgentOptions> = {}) {
  const { promise, resolve } = Promise.withResolvers<IncomingInvite>();
  const { ua, udp } = await listen({ onInvite: resolve, ...options });
  open.push(ua);
  const peer = await UdpPeer.open(udp);
  open.push(peer);
  const uri = `sip:bank@127.0.0.1:${udp}`;
  const branch = peer.branch();
  peer.say('INVITE', uri, { body: OFFER, branch, ...facts });
  const invite = await promise;
  invite.session.handlers.onOffer = () => ANSWER;
  return { ua, peer, uri, branch, invite, session: invite.session };
}

/** The same, answered and acknowledged. */
export async function talking(facts: MessageFacts = {}, options: Partial<UserAgentOptions> = {}) {
  const call = await ringing(facts, options);
  const answered = call.invite.answer(ANSWER);
  const ok = await call.peer.response(200, 'INVITE');
  call.peer.say('ACK', call.uri, { toTag: ok.toTag });
  await answered;
  return { ...call, ok, toTag: ok.toTag };
}

export const rackOf = (response: SipResponse) => `RAck: ${response.headers.get('rseq')} ${response.cseq.number} INVITE`;

export const optionTags = (message: SipRequest | SipResponse, key: string) => message.headers.list(key);
