import { afterEach, describe, expect, it } from 'vitest';
import type { CallLeg, LegEnd } from '../../src/call/legs/call-leg.ts';
import { Failure } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import { EmbeddedFrontEnd, type EmbeddedFrontEndOptions } from '../../src/frontends/embedded/embedded-front-end.ts';
import { partyOf } from '../../src/frontends/embedded/party.ts';
import { ANSWER, FAST, OFFER, UdpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function front(options: Partial<EmbeddedFrontEndOptions> = {}) {
  const legs: CallLeg[] = [];
  const frontEnd = new EmbeddedFrontEnd({
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    log: silentLogger,
    maxCalls: 2,
    timers: FAST,
    ...options,
  });
  await frontEnd.start((leg) => legs.push(leg));
  const port = frontEnd.bound.find((place) => place.protocol === 'udp')?.port ?? 0;
  const peer = await UdpPeer.open(port);
  open.push(frontEnd, peer);
  const ring = async (facts: Parameters<UdpPeer['say']>[2] = {}) => {
    const before = legs.length;
    peer.say('INVITE', 'sip:bank@127.0.0.1', { body: OFFER, ...facts });
    await expect.poll(() => legs.length).toBe(before + 1);
    return legs[before]!;
  };
  return { frontEnd, peer, ring, uri: 'sip:bank@127.0.0.1' };
}

const answerByes = async (peer: UdpPeer) => peer.reply(await peer.request('BYE'), 200);

describe('the embedded front end', () => {
  it('brings a call with both parties, the offer and the addresses for its media', async () => {
    const { ring } = await front();
    const leg = await ring();
    expect(leg.remote).toEqual({ uri: 'sip:+15550100@127.0.0.1', displayName: 'Ada', number: '+15550100' });
    expect(leg.called).toEqual({ uri: 'sip:bank@127.0.0.1' });
    expect([leg.offer, leg.localAddress, leg.mediaBindAddress]).toEqual([OFFER, '127.0.0.1', '127.0.0.1']);
    expect(leg.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('tells callers another address for media than for signalling, where there is one', async () => {
    const { ring } = await front({ media: { bind: '0.0.0.0', announce: '192.0.2.7' } });
    const leg = await ring();
    expect([leg.localAddress, leg.mediaBindAddress]).toEqual(['192.0.2.7', '0.0.0.0']);
  });

  it('resolves an answer with the ACK and the SDP in it', async () => {
    const { peer, ring, uri } = await front();
    const leg = await ring({ body: '' });
    expect(leg.offer).toBeUndefined();
    const answered = leg.answer(OFFER);
    const { toTag } = await peer.response(200);
    peer.say('ACK', uri, { toTag, body: ANSWER });
    expect(await answered).toEqual({ ackSdp: ANSWER, ackAt: expect.any(Number) });
    const over = leg.hangup();
    expect(leg.signal.reason satisfies LegEnd).toEqual({ by: 'us', how: 'bye' });
    await answerByes(peer);
    await Promise.all([over, leg.hangup()]);
  });

  it('passes offers and keys on, and refuses what the handler refuses', async () => {
    const { peer, ring, uri } = await front();
    const leg = await ring();
    const digits: string[] = [];
    leg.onOffer((sdp) => {
      if (sdp?.includes('video')) throw new Error('no video');
      return ANSWER;
    });
    leg.onDtmf((digit) => digits.push(digit));
    const answered = leg.answer(ANSWER);
    const { toTag } = await peer.response(200);
    peer.say('ACK', uri, { toTag });
    await answered;
    peer.say('UPDATE', uri, { toTag, cseq: 2, body: OFFER });
    expect((await peer.response(200, 'UPDATE')).sdp).toBe(ANSWER);
    peer.say('UPDATE', uri, { toTag, cseq: 3, body: OFFER.replace('audio', 'video') });
    await peer.response(488);
    peer.say('INFO', uri, { toTag, cseq: 4, body: 'Signal=7', contentType: 'application/dtmf-relay' });
    await peer.response(200, 'INFO');
    expect(digits).toEqual(['7']);
  });

  it('lets a caller hear early media, and answers when its description is acknowledged', async () => {
    const { peer, ring, uri } = await front();
    const leg = await ring({ headers: ['Supported: 100rel'] });
    await leg.progress(ANSWER);
    const early = await peer.response(183);
    expect(early.sdp).toBe(ANSWER);
    const answered = leg.answer(ANSWER);
    peer.say('PRACK', uri, { toTag: early.toTag, cseq: 2, headers: [`RAck: ${early.headers.get('rseq')} 1 INVITE`] });
    const ok = await peer.response(200, 'INVITE');
    expect(ok.sdp).toBeUndefined();
    peer.say('ACK', uri, { toTag: ok.toTag });
    expect(await answered).toMatchObject({ ackSdp: undefined });
  });

  it('takes the answer to an early offer of ours from the PRACK', async () => {
    const { peer, ring, uri } = await front();
    const leg = await ring({ headers: ['Supported: 100rel'], body: '' });
    leg.onOffer(() => OFFER);
    await leg.progress(OFFER);
    const early = await peer.response(183);
    const answered = leg.answer(OFFER);
    const rack = `RAck: ${early.headers.get('rseq')} 1 INVITE`;
    peer.say('PRACK', uri, { toTag: early.toTag, cseq: 2, headers: [rack], body: ANSWER });
    const ok = await peer.response(200, 'INVITE');
    peer.say('ACK', uri, { toTag: ok.toTag });
    expect((await answered).ackSdp).toBe(ANSWER);
  });

  it('ends a call whose session nobody refreshes, and says so', async () => {
    const { peer, ring, uri } = await front({ sessionTimer: { expires: 1, minSe: 1 } });
    const leg = await ring({ headers: ['Supported: timer', 'Session-Expires: 1;refresher=uac'] });
    const answered = leg.answer(ANSWER);
    const { toTag } = await peer.response(200);
    peer.say('ACK', uri, { toTag });
    await answered;
    await answerByes(peer);
    expect(leg.signal.reason).toEqual({ by: 'network', how: 'session-timeout', sipStatus: 408 });
  });

  it('tells a caller whose offer it refuses what of it cannot be served', async () => {
    const { peer, ring } = await front();
    const leg = await ring();
    const because = { code: 'incompatible-transport', message: 'transport RTP/SAVP is not "supported"' };
    await leg.reject({ status: 488, because });
    const warning = (await peer.response(488)).headers.get('warning');
    expect(warning).toMatch(/^302 127\.0\.0\.1 "transport RTP\/SAVP is not \?supported\?"$/);
  });

  it('says how a call ended', async () => {
    const { peer, ring, uri } = await front();
    const refused = await ring({ callId: 'a' });
    await refused.reject({ status: 503, retryAfterSeconds: 7 });
    expect((await peer.response(503)).headers.get('retry-after')).toBe('7');
    expect(refused.signal.reason).toEqual({ by: 'us', how: 'rejected', sipStatus: 503 });
    const branch = peer.branch();
    const gone = await ring({ callId: 'b', branch });
    peer.say('CANCEL', uri, {
      callId: 'b',
      branch,
      headers: ['Reason: SIP;cause=200;text="Call completed elsewhere"'],
    });
    await peer.response(487);
    expect(gone.signal.reason).toEqual({
      by: 'caller',
      how: 'cancel',
      reason: 'Call completed elsewhere',
      release: { protocol: 'SIP', cause: 200 },
    });
    const early = await ring({ callId: 'c' });
    await early.hangup();
    await peer.response(480);
    await expect(early.answer(ANSWER)).rejects.toMatchObject({ sipStatus: 487 });
  });

  it('refuses who is not served, who is too many, and everybody once it drains', async () => {
    const { frontEnd, peer, ring, uri } = await front({ accept: ['bank'], maxCalls: 1 });
    peer.say('INVITE', 'sip:nobody@127.0.0.1', { body: OFFER, callId: 'x' });
    await peer.response(404);
    const leg = await ring({ callId: 'a' });
    expect(frontEnd.calls).toBe(1);
    peer.say('INVITE', uri, { body: OFFER, callId: 'b' });
    expect((await peer.response(503)).headers.get('retry-after')).toBe('5');
    await leg.reject({ status: 486 });
    expect(frontEnd.calls).toBe(0);
    peer.say('OPTIONS', uri, { callId: 'o1' });
    await peer.response(200, 'OPTIONS');
    expect((await frontEnd.health()).ok).toBe(true);
    frontEnd.drain();
    peer.say('OPTIONS', uri, { callId: 'o2' });
    expect((await peer.response(503, 'OPTIONS')).headers.get('retry-after')).toBe('5');
    peer.say('INVITE', uri, { body: OFFER, callId: 'c' });
    await peer.response(503, 'INVITE');
    expect((await frontEnd.health()).ok).toBe(false);
  });

  it('ends every call when it closes', async () => {
    const { frontEnd, peer, ring, uri } = await front();
    const ringing = await ring({ callId: 'a' });
    const talking = await ring({ callId: 'b' });
    const answered = talking.answer(ANSWER);
    const { toTag } = await peer.response(200);
    peer.say('ACK', uri, { callId: 'b', toTag });
    await answered;
    const closed = frontEnd.close();
    await peer.response(503);
    await answerByes(peer);
    await closed;
    await frontEnd.close();
    expect(ringing.signal.reason).toMatchObject({ by: 'us', how: 'rejected' });
    expect(talking.signal.reason).toEqual({ by: 'us', how: 'shutdown' });
  });

  it('stops the start with one line when the port is taken', async () => {
    const { frontEnd } = await front();
    const port = frontEnd.bound[0]?.port ?? 0;
    const second = new EmbeddedFrontEnd({
      listen: [{ protocol: 'udp', host: '127.0.0.1', port }],
      log: silentLogger,
      maxCalls: 1,
    });
    await expect(second.start(() => undefined)).rejects.toMatchObject({ code: 'sip-bind' });
    await second.close();
  });

  it.each([
    ['sip:+1-555-0100@example.com', '+15550100'],
    ['sip:1001;phone-context=x@example.com', '1001'],
    ['tel:+15550100;ext=5', '+15550100'],
    ['sip:anonymous@anonymous.invalid', undefined],
    ['urn:service:sos', undefined],
  ])('finds the number in %s', (uri, number) => {
    expect(partyOf(uri, undefined).number).toBe(number);
  });
});

describe('a call whose far end is transferred to another telephone', () => {
  /** A call that is up, and the other telephone's INVITE for its place. */
  async function takenOver(from = '127.0.0.1') {
    const { frontEnd, peer, ring, uri } = await front();
    const leg = await ring();
    const offers: (string | undefined)[] = [];
    leg.onOffer((offer) => {
      offers.push(offer);
      return ANSWER;
    });
    const digits: string[] = [];
    leg.onDtmf((digit) => digits.push(digit));
    const replaced: string[] = [];
    leg.onReplaced(({ uri: far }, callId) => replaced.push(far, callId));
    const answered = leg.answer(ANSWER);
    const { toTag } = await peer.response(200, 'INVITE');
    peer.say('ACK', uri, { toTag });
    await answered;
    const other = await UdpPeer.open(Number(frontEnd.bound[0]!.port), from);
    open.push(other);
    const ask = (body = OFFER) =>
      other.say('INVITE', uri, {
        callId: 'other',
        fromTag: 'eve',
        body,
        headers: [`Replaces: call-${peer.port};to-tag=${toTag};from-tag=ada`],
      });
    return { frontEnd, peer, other, uri, leg, offers, digits, replaced, ask };
  }

  it('goes on there: the old dialog is hung up, offers, keys and the end come from the new one', async () => {
    const { frontEnd, peer, other, uri, leg, offers, digits, replaced, ask } = await takenOver();
    ask();
    const ok = await other.response(200, 'INVITE');
    expect([ok.sdp, offers]).toEqual([ANSWER, [OFFER]]);
    const facts = { callId: 'other', fromTag: 'eve', toTag: ok.toTag };
    other.say('ACK', uri, facts);
    await answerByes(peer);
    await expect.poll(() => replaced).toEqual(['sip:+15550100@127.0.0.1', 'other']);
    expect(leg.signal.aborted).toBe(false);
    other.say('INFO', uri, { ...facts, cseq: 2, body: '5', contentType: 'application/dtmf' });
    await other.response(200, 'INFO');
    expect(digits).toEqual(['5']);
    other.say('INVITE', uri, { ...facts, cseq: 3, body: OFFER });
    await other.response(200, 'INVITE');
    other.say('ACK', uri, { ...facts, cseq: 3 });
    other.say('BYE', uri, { ...facts, cseq: 4 });
    await other.response(200, 'BYE');
    expect(leg.signal.reason).toMatchObject({ by: 'caller', how: 'bye' } satisfies LegEnd);
    await expect.poll(() => frontEnd.calls).toBe(0);
  });

  it('without an offer of its own, is answered with ours and connected by its ACK', async () => {
    const { peer, other, uri, offers, ask } = await takenOver();
    ask('');
    const ok = await other.response(200, 'INVITE');
    other.say('ACK', uri, { callId: 'other', fromTag: 'eve', toTag: ok.toTag, body: OFFER });
    await answerByes(peer);
    await expect.poll(() => offers).toEqual([undefined, OFFER]);
  });

  it('is not given to a stranger who has learnt its name', async () => {
    const { peer, other, leg, ask } = await takenOver('127.0.0.2');
    ask();
    await other.response(403, 'INVITE');
    expect([leg.signal.aborted, peer.summary()]).toEqual([false, '']);
  });

  it('is not given away for an offer nobody can speak', async () => {
    const { other, leg, ask } = await takenOver();
    leg.onOffer(() => {
      throw new Failure('nothing in common', { code: 'no-codec', blame: 'caller', sipStatus: 488 });
    });
    ask();
    await other.response(488, 'INVITE');
    expect(leg.signal.aborted).toBe(false);
  });
});
