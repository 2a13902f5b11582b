import { describe, expect, it } from 'vitest';
import { ended, optionTags, pause, rackOf, ringing } from './calls.ts';
import { ANSWER, FAST, listen, OFFER, UdpPeer } from './support.ts';

const SUPPORTS = ['Supported: 100rel'];
const REQUIRES = ['Require: 100rel'];

describe('a caller who acknowledges provisional responses (RFC 3262)', () => {
  it.each([
    ['supports', SUPPORTS],
    ['requires', REQUIRES],
  ])('and %s it, hears 180 until its PRACK comes, and no longer', async (_what, headers) => {
    const { peer, uri, invite } = await ringing({ headers });
    invite.progress();
    const first = await peer.response(180);
    expect(optionTags(first, 'require')).toEqual(['100rel']);
    const again = await peer.response(180);
    expect(again.headers.get('rseq')).toBe(first.headers.get('rseq'));
    peer.say('PRACK', uri, { toTag: first.toTag, cseq: 2, headers: [rackOf(first)] });
    await peer.response(200, 'PRACK');
    await pause(20);
    peer.heard.length = 0;
    await pause(400);
    expect(peer.summary()).toBe('');
  });

  it('who does not say so, hears a plain 180', async () => {
    const { peer, invite } = await ringing();
    invite.progress();
    const plain = await peer.response(180);
    expect([plain.headers.has('rseq'), plain.headers.has('require')]).toEqual([false, false]);
  });

  it('hears the early media described in 183, and no second description in the 200', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress(ANSWER);
    const early = await peer.response(183);
    expect(early.sdp).toBe(ANSWER);
    const answered = invite.answer(ANSWER);
    await pause(120);
    // The 200 waits for the PRACK.
    expect(peer.summary()).not.toContain('200');
    peer.say('PRACK', uri, { toTag: early.toTag, cseq: 2, headers: [rackOf(early)] });
    await peer.response(200, 'PRACK');
    const ok = await peer.response(200, 'INVITE');
    expect(ok.body.length).toBe(0);
    peer.say('ACK', uri, { toTag: ok.toTag });
    await answered;
  });

  it('gets one response at a time, numbered one by one', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress();
    invite.progress(undefined, 182);
    invite.progress(ANSWER);
    const numbers: number[] = [];
    for (const [at, status] of [180, 182, 183].entries()) {
      const response = await peer.response(status);
      numbers.push(Number(response.headers.get('rseq')));
      expect(peer.summary()).not.toMatch(/18[23]/);
      peer.say('PRACK', uri, { toTag: response.toTag, cseq: 2 + at, headers: [rackOf(response)] });
      await peer.response(200, 'PRACK');
    }
    expect(numbers.map((n) => n - (numbers[0] ?? 0))).toEqual([0, 1, 2]);
  });

  it('is answered when a PRACK that is late comes only behind the ACK', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress();
    const early = await peer.response(180);
    const answered = invite.answer(ANSWER);
    const { toTag } = await peer.response(200, 'INVITE');
    peer.say('ACK', uri, { toTag });
    await answered;
    await pause(20);
    const late = { toTag, cseq: 2, headers: [rackOf(early)] };
    peer.say('PRACK', uri, late);
    expect((await peer.response(200, 'PRACK')).status).toBe(200);
    // Nobody knows of that one.
    peer.say('PRACK', uri, { toTag, cseq: 3, headers: ['RAck: 77 1 INVITE'] });
    expect((await peer.response(481, 'PRACK')).status).toBe(481);
  });

  it('hears 481 for a PRACK that names nothing of ours, and 200 for one that comes again', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress();
    const { toTag, headers, cseq } = await peer.response(180);
    const rseq = headers.get('rseq');
    const wrong = [
      `RAck: ${Number(rseq) + 1} 1 INVITE`,
      `RAck: ${rseq} 2 INVITE`,
      `RAck: ${rseq} 1 BYE`,
      'RAck: x',
      'X: y',
    ];
    for (const [at, header] of wrong.entries()) {
      peer.say('PRACK', uri, { toTag, cseq: 2 + at, headers: [header] });
      await peer.response(481, 'PRACK');
    }
    for (const at of [10, 11]) {
      peer.say('PRACK', uri, { toTag, cseq: at, headers: [`RAck: ${rseq} ${cseq.number} INVITE`] });
      await peer.response(200, 'PRACK');
    }
  });

  it('may offer anew in the PRACK', async () => {
    const { peer, uri, invite, session } = await ringing({ headers: SUPPORTS });
    invite.progress(ANSWER);
    const early = await peer.response(183);
    const changed = ANSWER.replace('4002', '4004');
    session.handlers.onOffer = () => changed;
    peer.say('PRACK', uri, { toTag: early.toTag, cseq: 2, headers: [rackOf(early)], body: OFFER });
    expect((await peer.response(200, 'PRACK')).sdp).toBe(changed);
  });

  it('and sends no offer, gets ours in the 183 and answers it in the PRACK; never a 180 that could make none', async () => {
    const { peer, uri, invite, session } = await ringing({ headers: REQUIRES, body: '' });
    const answers: string[] = [];
    session.handlers.onAnswer = (sdp) => answers.push(sdp);
    invite.progress();
    invite.progress(OFFER);
    const early = await peer.response(183);
    expect([early.sdp, peer.summary()]).toEqual([OFFER, '']);
    const answered = invite.answer(OFFER);
    peer.say('PRACK', uri, { toTag: early.toTag, cseq: 2, headers: [rackOf(early)], body: ANSWER });
    await peer.response(200, 'PRACK');
    const ok = await peer.response(200, 'INVITE');
    peer.say('ACK', uri, { toTag: ok.toTag });
    await answered;
    expect([ok.body.length, answers]).toEqual([0, [ANSWER]]);
  });

  it('who never sends the PRACK is refused after 64*T1', async () => {
    const { peer, invite, uri, branch } = await ringing({ headers: SUPPORTS }, { timers: { ...FAST, t1: 10, t2: 40 } });
    invite.progress();
    const refused = await peer.response(504);
    peer.say('ACK', uri, { branch, toTag: refused.toTag });
    expect(await ended(invite.signal)).toMatchObject({ by: 'network', how: 'transport', status: 504 });
  });

  it('may CANCEL while the answer waits for the PRACK', async () => {
    const { peer, uri, invite, branch } = await ringing({ headers: SUPPORTS });
    invite.progress(ANSWER);
    await peer.response(183);
    const answered = invite.answer(ANSWER);
    answered.catch(() => undefined);
    peer.say('CANCEL', uri, { branch });
    await peer.response(200, 'CANCEL');
    const gone = await peer.response(487, 'INVITE');
    peer.say('ACK', uri, { branch, toTag: gone.toTag });
    await expect(answered).rejects.toMatchObject({ sipStatus: 487 });
  });

  it('may BYE the early dialog while the answer waits for the PRACK', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress(ANSWER);
    const early = await peer.response(183);
    const answered = invite.answer(ANSWER);
    answered.catch(() => undefined);
    peer.say('BYE', uri, { toTag: early.toTag, cseq: 2 });
    await peer.response(200, 'BYE');
    await peer.response(487, 'INVITE');
    await expect(answered).rejects.toMatchObject({ sipStatus: 487 });
    expect(await ended(invite.signal)).toEqual({ by: 'remote', how: 'bye' });
  });

  it('may PRACK a ringing that was answered meanwhile', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress();
    const early = await peer.response(180);
    const answered = invite.answer(ANSWER);
    const ok = await peer.response(200, 'INVITE');
    peer.say('PRACK', uri, { toTag: early.toTag, cseq: 2, headers: [rackOf(early)] });
    await peer.response(200, 'PRACK');
    peer.say('ACK', uri, { toTag: ok.toTag });
    await answered;
  });

  it('may change the session by UPDATE before the answer, once its offer is answered; before that it gets 500', async () => {
    const { peer, uri, invite } = await ringing({ headers: SUPPORTS });
    invite.progress();
    const early = await peer.response(180);
    const { toTag } = early;
    peer.say('PRACK', uri, { toTag, cseq: 2, headers: [rackOf(early)] });
    peer.say('UPDATE', uri, { toTag, cseq: 3, body: OFFER });
    expect((await peer.response(500, 'UPDATE')).headers.has('retry-after')).toBe(true);
    invite.progress(ANSWER);
    const described = await peer.response(183);
    peer.say('PRACK', uri, { toTag, cseq: 4, headers: [rackOf(described)] });
    peer.say('UPDATE', uri, { toTag, cseq: 5, body: OFFER });
    expect((await peer.response(200, 'UPDATE')).sdp).toBe(ANSWER);
  });
});

describe('our own calls', () => {
  it('acknowledge reliable provisional responses in their order, once each', async () => {
    const near = await listen();
    const far = await UdpPeer.open();
    const heard: number[] = [];
    const calling = near.ua.invite(`sip:bank@127.0.0.1:${far.port}`, OFFER, {
      onProgress: ({ status }) => heard.push(status),
    });
    const invite = await far.request('INVITE');
    expect(optionTags(invite, 'supported')).toContain('100rel');
    const provisional = (status: number, rseq: number) =>
      far.reply(invite, status, undefined, ['Require: 100rel', `RSeq: ${rseq}`]);
    provisional(183, 7);
    const prack = await far.request('PRACK');
    expect(prack.headers.get('rack')).toBe(`7 ${invite.cseq.number} INVITE`);
    far.reply(prack, 200);
    provisional(183, 7);
    provisional(180, 9);
    provisional(180, 8);
    const second = await far.request('PRACK');
    expect(second.headers.get('rack')).toBe(`8 ${invite.cseq.number} INVITE`);
    far.reply(second, 200);
    far.reply(invite, 200, ANSWER);
    const session = await calling;
    expect(heard).toEqual([183, 180]);
    void session.bye();
    far.reply(await far.request('BYE'), 200);
    far.close();
    await near.ua.close();
  });
});
