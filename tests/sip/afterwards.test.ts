import { expect, it } from 'vitest';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import { stillHeld } from '../support/collect-garbage.ts';
import { ANSWER, listen, OFFER, PATIENT, UdpPeer } from './support.ts';

/** What the application does with an INVITE, and how the call comes to its end behind that. */
const LIVES: {
  how: string;
  take(invite: IncomingInvite): void;
  end(peer: UdpPeer, uri: string, callId: string): Promise<void>;
}[] = [
  {
    how: 'the caller hangs up',
    take: (invite) => void invite.answer(ANSWER),
    end: async (peer, uri, callId) => {
      const { toTag } = await peer.response(200, 'INVITE');
      peer.say('ACK', uri, { callId, toTag });
      peer.say('BYE', uri, { callId, toTag, cseq: 2 });
      await peer.response(200, 'BYE');
    },
  },
  {
    how: 'we hang up',
    take: (invite) => void invite.answer(ANSWER).then(() => invite.session.bye()),
    end: async (peer, uri, callId) => {
      const { toTag } = await peer.response(200, 'INVITE');
      peer.say('ACK', uri, { callId, toTag });
      peer.reply(await peer.request('BYE'), 200);
    },
  },
  {
    how: 'it is refused',
    take: (invite) => invite.reject({ status: 486 }),
    end: async (peer) => void (await peer.response(486)),
  },
];

it.each(LIVES)(
  'nothing is left of a call in which $how, while its transactions still rest (RFC 6026 7.1) and its timers would run',
  async ({ take, end }) => {
    const sessions: WeakRef<object>[] = [];
    const { ua, udp } = await listen({
      timers: PATIENT,
      onInvite: (invite) => {
        sessions.push(new WeakRef(invite.session));
        // What an application keeps of a call hangs on its handlers.
        invite.session.handlers.onOffer = () => (invite.session.ended ? OFFER : ANSWER);
        take(invite);
      },
    });
    const peer = await UdpPeer.open(udp);
    const uri = `sip:bank@127.0.0.1:${udp}`;
    try {
      for (let i = 0; i < 6; i++) {
        const callId = `call-${i}@there`;
        const headers = ['Supported: timer', 'Session-Expires: 1800;refresher=uas'];
        peer.say('INVITE', uri, { callId, body: OFFER, headers });
        await end(peer, uri, callId);
      }
      await expect.poll(() => stillHeld(sessions)).toBe(0);
      expect(sessions).toHaveLength(6);
      expect(ua.transactions).toBeGreaterThanOrEqual(6);
    } finally {
      peer.close();
      await ua.close();
    }
  },
);

it('nothing is left of what was asked in a call either, while copies of it are still awaited', async () => {
  const asked: WeakRef<object>[] = [];
  const { ua, udp } = await listen({
    timers: PATIENT,
    onRequest: (request) => {
      asked.push(new WeakRef(request));
      return 'accept';
    },
    onInvite: (invite) => void invite.answer(ANSWER),
  });
  const peer = await UdpPeer.open(udp);
  const uri = `sip:bank@127.0.0.1:${udp}`;
  try {
    for (let i = 0; i < 6; i++) {
      const callId = `call-${i}@there`;
      peer.say('INVITE', uri, { callId, body: OFFER });
      const { toTag } = await peer.response(200, 'INVITE');
      peer.say('ACK', uri, { callId, toTag });
      peer.say('BYE', uri, { callId, toTag, cseq: 2 });
      await peer.response(200, 'BYE');
    }
    await expect.poll(() => stillHeld(asked)).toBe(0);
    // An INVITE and a BYE of each.
    expect(asked).toHaveLength(12);
    expect(ua.transactions).toBe(12);
  } finally {
    peer.close();
    await ua.close();
  }
});
