import { describe, expect, it } from 'vitest';
import type { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { ended, pause, ringing, talking } from './calls.ts';
import { ANSWER, OFFER } from './support.ts';

const isOk = (message: SipRequest | SipResponse, cseq: number) =>
  !('uri' in message) && message.status === 200 && message.cseq.number === cseq;

describe('offers that cross', () => {
  it('our re-INVITE is refused with 491, and comes once more after a pause', async () => {
    const { peer, session } = await talking();
    const changed = session.reinvite(OFFER);
    peer.reply(await peer.request('INVITE'), 491);
    await peer.request('ACK');
    const second = await peer.request('INVITE');
    expect(second.sdp).toBe(OFFER);
    peer.reply(second, 200, ANSWER);
    await peer.request('ACK');
    expect(await changed).toBe(ANSWER);
  });

  it('and not a third time', async () => {
    const { peer, session, invite } = await talking();
    const changed = session.reinvite(OFFER);
    const refused = expect(changed).rejects.toMatchObject({ sipStatus: 491, retryable: true });
    peer.reply(await peer.request('INVITE'), 491);
    peer.reply(await peer.request('INVITE'), 491);
    await refused;
    expect(invite.signal.aborted).toBe(false);
  });

  it('theirs goes first when it comes during our pause, and ours follows', async () => {
    const { peer, uri, toTag, session } = await talking();
    const changed = session.reinvite(OFFER);
    peer.reply(await peer.request('INVITE'), 491);
    await peer.request('ACK');
    peer.say('INVITE', uri, { toTag, cseq: 2, body: OFFER });
    await peer.response(200, 'INVITE');
    peer.say('ACK', uri, { toTag, cseq: 2 });
    peer.reply(await peer.request('INVITE'), 200, ANSWER);
    expect(await changed).toBe(ANSWER);
  });

  it('UPDATE against our re-INVITE is 491 as well, and our UPDATE waits for their INVITE', async () => {
    const { peer, uri, toTag, session } = await talking();
    const changed = session.reinvite(OFFER);
    const ours = await peer.request('INVITE');
    peer.say('UPDATE', uri, { toTag, cseq: 2, body: OFFER });
    await peer.response(491, 'UPDATE');
    peer.reply(ours, 200, ANSWER);
    await changed;
    peer.say('INVITE', uri, { toTag, cseq: 3, body: OFFER });
    await peer.response(200, 'INVITE');
    await expect(session.update(OFFER)).rejects.toMatchObject({ sipStatus: 491 });
  });

  it('a second INVITE before the first has a final answer gets 500, and is to come again later', async () => {
    const { peer, uri, invite } = await ringing();
    invite.progress();
    const { toTag } = await peer.response(180);
    peer.say('INVITE', uri, { toTag, cseq: 2, body: OFFER });
    expect((await peer.response(500)).headers.has('retry-after')).toBe(true);
  });

  it('an INVITE that overtakes the ACK of the one before is served, both are acknowledged, and the call goes on', async () => {
    const { peer, uri, invite } = await ringing();
    const answered = invite.answer(ANSWER);
    const { toTag } = await peer.response(200, 'INVITE');
    peer.say('INVITE', uri, { toTag, cseq: 2, body: OFFER });
    await peer.next((message) => isOk(message, 2), '200 to the second INVITE');
    await expect(invite.session.update(OFFER)).rejects.toMatchObject({ sipStatus: 491 });
    peer.say('ACK', uri, { toTag, cseq: 2 });
    peer.say('ACK', uri, { toTag });
    await answered;
    peer.say('INVITE', uri, { toTag, cseq: 3, body: OFFER });
    await peer.next((message) => isOk(message, 3), '200 to the third INVITE');
    expect(invite.signal.aborted).toBe(false);
  });

  it('an INVITE while our offer waits for the answer in an ACK gets 491', async () => {
    const { peer, uri, invite } = await ringing({ body: '' });
    const answered = invite.answer(OFFER);
    const { toTag } = await peer.response(200, 'INVITE');
    peer.say('INVITE', uri, { toTag, cseq: 2, body: OFFER });
    await peer.response(491, 'INVITE');
    peer.say('ACK', uri, { toTag, body: ANSWER });
    expect((await answered).sdp).toBe(ANSWER);
  });

  it('our offer in a 200 is answered by the ACK; until then an UPDATE of theirs gets 491', async () => {
    const { peer, uri, invite } = await ringing({ body: '' });
    const answered = invite.answer(OFFER);
    const { toTag } = await peer.response(200, 'INVITE');
    peer.say('UPDATE', uri, { toTag, cseq: 2, body: OFFER });
    await peer.response(491, 'UPDATE');
    peer.say('ACK', uri, { toTag, body: ANSWER });
    expect((await answered).sdp).toBe(ANSWER);
    peer.say('UPDATE', uri, { toTag, cseq: 3, body: OFFER });
    await peer.response(200, 'UPDATE');
  });
});

/** CANCEL, BYE and our answer in every order, at every moment of the first milliseconds (RFC 3261 9.2, 15). */
describe('CANCEL against the answer', () => {
  it('in one breath with the INVITE ends the call before it rings', async () => {
    const { peer, uri, invite, branch } = await ringing();
    peer.say('CANCEL', uri, { branch });
    await peer.response(200, 'CANCEL');
    await peer.response(487, 'INVITE');
    expect(await ended(invite.signal)).toEqual({ by: 'remote', how: 'cancel' });
  });

  it.each([0, 1, 2, 3, 5, 8])(
    'sent %i ms after the answer: 200 or 487 for the INVITE, never both, and 200 for the CANCEL',
    async (ms) => {
      const { ua, peer, uri, invite, branch } = await ringing();
      const answered = invite.answer(ANSWER);
      answered.catch(() => undefined);
      if (ms > 0) await pause(ms);
      peer.say('CANCEL', uri, { branch });
      await peer.response(200, 'CANCEL');
      const ok = await peer.response(200, 'INVITE');
      peer.say('ACK', uri, { toTag: ok.toTag });
      await answered;
      expect(peer.summary()).not.toContain('487');
      expect(invite.signal.aborted).toBe(false);
      peer.say('BYE', uri, { toTag: ok.toTag, cseq: 2 });
      await peer.response(200, 'BYE');
      expect(ua.dialogs).toBe(0);
    },
  );

  it('and the answer in the same tick: whoever is first wins, and the other learns of it', async () => {
    for (const first of ['cancel', 'answer'] as const) {
      const { peer, uri, invite, branch } = await ringing();
      if (first === 'answer') void invite.answer(ANSWER).catch(() => undefined);
      peer.say('CANCEL', uri, { branch });
      await peer.response(200, 'CANCEL');
      if (first === 'cancel') {
        await peer.response(487, 'INVITE');
        await expect(invite.answer(ANSWER)).rejects.toMatchObject({ sipStatus: 487 });
      } else {
        await peer.response(200, 'INVITE');
        expect(invite.state).toBe('answered');
      }
    }
  });

  it('twice gets 200 twice', async () => {
    const { peer, uri, branch } = await ringing();
    for (let i = 0; i < 2; i++) {
      peer.say('CANCEL', uri, { branch });
      await peer.response(200, 'CANCEL');
    }
  });

  it('after our refusal changes nothing', async () => {
    const { peer, uri, invite, branch } = await ringing();
    invite.reject({ status: 486 });
    await peer.response(486);
    peer.say('CANCEL', uri, { branch });
    await peer.response(200, 'CANCEL');
    expect(invite.signal.reason).toEqual({ by: 'local', how: 'rejected', status: 486 });
  });
});

describe('BYE against the answer', () => {
  it('of a caller who hangs up before its ACK: the 200 is not repeated and the call is over', async () => {
    const { ua, peer, uri, invite } = await ringing();
    const answered = invite.answer(ANSWER);
    answered.catch(() => undefined);
    const { toTag } = await peer.response(200, 'INVITE');
    peer.say('BYE', uri, { toTag, cseq: 2 });
    await peer.response(200, 'BYE');
    await expect(answered).rejects.toMatchObject({ sipStatus: 487 });
    peer.heard.length = 0;
    await pause(300);
    expect([peer.summary(), ua.dialogs]).toEqual(['', 0]);
  });

  it('of both sides at once: each is confirmed', async () => {
    const { peer, uri, toTag, session } = await talking();
    const over = session.bye();
    const bye = await peer.request('BYE');
    peer.say('BYE', uri, { toTag, cseq: 2 });
    await peer.response(200, 'BYE');
    peer.reply(bye, 481);
    await over;
    expect(session.ended).toBe(true);
  });
});
