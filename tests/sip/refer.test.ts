import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { SipRequest } from '../../src/sip/message/message.ts';
import {
  formatReferTo,
  formatReplaces,
  parseReplaces,
  readReferTo,
  sipfragStatus,
} from '../../src/sip/message/transfer.ts';
import type { IncomingReferral } from '../../src/sip/session/incoming-referral.ts';
import { ended, pause, ringing, talking } from './calls.ts';
import { ANSWER, listen, OFFER, UdpPeer } from './support.ts';

const AGENT = 'sip:agent@192.0.2.9';
const FRAG = 'message/sipfrag;version=2.0';

type Call = Awaited<ReturnType<typeof talking>>;

/** The call's peer says how the REFER goes. */
function notify({ peer, uri, toTag }: Call, cseq: number, status: string, state: string, event = 'refer'): void {
  peer.say('NOTIFY', uri, {
    toTag,
    cseq,
    headers: [`Event: ${event}`, `Subscription-State: ${state}`],
    body: `SIP/2.0 ${status}\r\n`,
    contentType: FRAG,
  });
}

describe('sending the caller to somebody else', () => {
  it('asks the peer to call them, and follows what becomes of it', async () => {
    const call = await talking();
    const seen: number[] = [];
    const over = call.session.refer({ to: AGENT, onProgress: (status) => seen.push(status) });
    const refer = await call.peer.request('REFER');
    expect(refer.headers.get('refer-to')).toBe(`<${AGENT}>`);
    expect(refer.headers.get('referred-by')).toBe('<sip:bank@127.0.0.1>');
    expect(refer.contact?.uri).toContain(`127.0.0.1:${new URL(call.uri.replace('sip:bank@', 'http://')).port}`);
    call.peer.reply(refer, 202);
    notify(call, 2, '100 Trying', 'active;expires=60', `refer;id=${refer.cseq.number}`);
    await call.peer.response(200, 'NOTIFY');
    notify(call, 3, '180 Ringing', 'active;expires=60');
    await call.peer.response(200, 'NOTIFY');
    notify(call, 4, '200 OK', 'terminated;reason=noresource');
    await call.peer.response(200, 'NOTIFY');
    expect(await over).toEqual({ outcome: 'connected', status: 200 });
    expect(seen).toEqual([100, 180]);
    // The call is ours to end.
    expect(call.invite.signal.aborted).toBe(false);
    const gone = call.session.bye();
    call.peer.reply(await call.peer.request('BYE'), 200);
    await gone;
  });

  it.each([403, 405, 603])('a peer that answers %i keeps the call', async (status) => {
    const call = await talking();
    const over = call.session.refer({ to: AGENT });
    call.peer.reply(await call.peer.request('REFER'), status);
    expect(await over).toEqual({ outcome: 'refused', status });
    expect(call.session.ended).toBe(false);
  });

  it('who is busy there is told, and the call goes on', async () => {
    const call = await talking();
    const over = call.session.refer({ to: AGENT });
    call.peer.reply(await call.peer.request('REFER'), 202);
    notify(call, 2, '486 Busy Here', 'terminated;reason=noresource');
    expect(await over).toEqual({ outcome: 'failed', status: 486 });
    expect(call.session.ended).toBe(false);
  });

  it('the news that arrives before the 202 counts', async () => {
    const call = await talking();
    const over = call.session.refer({ to: AGENT });
    const refer = await call.peer.request('REFER');
    notify(call, 2, '100 Trying', 'active');
    await call.peer.response(200, 'NOTIFY');
    call.peer.reply(refer, 202);
    notify(call, 3, '200 OK', 'terminated');
    expect(await over).toEqual({ outcome: 'connected', status: 200 });
  });

  it('a peer that says BYE at once has gone along', async () => {
    const call = await talking();
    const over = call.session.refer({ to: AGENT });
    call.peer.reply(await call.peer.request('REFER'), 202);
    // Beyond the 202, which UDP may overtake.
    await pause(20);
    call.peer.say('BYE', call.uri, { toTag: call.toTag, cseq: 2 });
    await call.peer.response(200, 'BYE');
    expect(await over).toEqual({ outcome: 'left' });
  });

  it('and its last news is taken behind the BYE', async () => {
    const call = await talking();
    const over = call.session.refer({ to: AGENT });
    call.peer.reply(await call.peer.request('REFER'), 202);
    notify(call, 2, '100 Trying', 'active');
    await call.peer.response(200, 'NOTIFY');
    call.peer.say('BYE', call.uri, { toTag: call.toTag, cseq: 3 });
    await call.peer.response(200, 'BYE');
    notify(call, 4, '200 OK', 'terminated;reason=noresource');
    await call.peer.response(200, 'NOTIFY');
    expect(await over).toEqual({ outcome: 'connected', status: 200 });
    notify(call, 5, '200 OK', 'terminated;reason=noresource');
    await call.peer.response(481, 'NOTIFY');
  });

  it('a peer that never says how it went is waited for 64*T1', async () => {
    const call = await talking({}, { timers: { t1: 5, t2: 20, t4: 25, d: 160, trying: 200 } });
    const over = call.session.refer({ to: AGENT });
    call.peer.reply(await call.peer.request('REFER'), 202);
    expect(await over).toEqual({ outcome: 'unknown', why: 'no-notify' });
    expect(call.session.ended).toBe(false);
  });

  it('a peer that does not answer the REFER has lost the call', async () => {
    const call = await talking({}, { timers: { t1: 5, t2: 20, t4: 25, d: 160, trying: 200 } });
    expect(await call.session.refer({ to: AGENT })).toEqual({ outcome: 'ended', by: 'network' });
    expect((await ended(call.invite.signal)).by).toBe('network');
  });

  it('hanging up ends it, whoever does', async () => {
    const theirs = await talking();
    const first = theirs.session.refer({ to: AGENT });
    await theirs.peer.request('REFER');
    theirs.peer.say('BYE', theirs.uri, { toTag: theirs.toTag, cseq: 2 });
    expect(await first).toEqual({ outcome: 'ended', by: 'remote' });
    const ours = await talking();
    const second = ours.session.refer({ to: AGENT });
    ours.peer.reply(await ours.peer.request('REFER'), 202);
    await pause(20);
    void ours.session.bye();
    expect(await second).toEqual({ outcome: 'ended', by: 'local' });
  });

  it('one at a time, and another after it', async () => {
    const call = await talking();
    const first = call.session.refer({ to: AGENT });
    const refer = await call.peer.request('REFER');
    await expect(call.session.refer({ to: AGENT })).rejects.toMatchObject({ sipStatus: 491 });
    call.peer.reply(refer, 202);
    notify(call, 2, '480 Temporarily Unavailable', 'terminated');
    expect(await first).toMatchObject({ outcome: 'failed' });
    const second = call.session.refer({ to: 'sip:other@192.0.2.9' });
    call.peer.reply(await call.peer.request('REFER'), 202);
    notify(call, 3, '200 OK', 'terminated');
    expect(await second).toMatchObject({ outcome: 'connected' });
  });

  it('news of other things, or of nothing, is refused', async () => {
    const call = await talking();
    notify(call, 2, '200 OK', 'terminated');
    await call.peer.response(481, 'NOTIFY');
    const over = call.session.refer({ to: AGENT });
    call.peer.reply(await call.peer.request('REFER'), 202);
    notify(call, 3, '200 OK', 'active', 'message-summary');
    await call.peer.response(489, 'NOTIFY');
    notify(call, 4, '200 OK', 'active', 'refer;id=1');
    await call.peer.response(481, 'NOTIFY');
    notify(call, 5, '200 OK', 'terminated');
    expect(await over).toMatchObject({ outcome: 'connected' });
  });

  it('without news, where they are not wanted', async () => {
    const call = await talking();
    const over = call.session.refer({ to: AGENT, follow: false });
    const refer = await call.peer.request('REFER');
    expect(refer.headers.get('refer-sub')).toBe('false');
    call.peer.reply(refer, 202, undefined, ['Refer-Sub: false']);
    await pause(20);
    call.peer.say('BYE', call.uri, { toTag: call.toTag, cseq: 2 });
    expect(await over).toEqual({ outcome: 'left' });
  });

  it('attended: names our other call, as its far end knows it', async () => {
    const call = await talking();
    const agent = await UdpPeer.open();
    const connected = call.ua.invite(`sip:anna@127.0.0.1:${agent.port}`, OFFER);
    const invite = await agent.request('INVITE');
    agent.reply(invite, 200, ANSWER);
    const other = await connected;
    void call.session.refer({ replaces: other });
    const { uri, replaces } = readReferTo(await call.peer.request('REFER'));
    expect(uri).toBe(`sip:peer@127.0.0.1:${agent.port}`);
    expect(replaces).toEqual({ callId: invite.callId, toTag: 'peer', fromTag: invite.fromTag, earlyOnly: false });
    agent.close();
  });

  it('cannot lead to what is no address', async () => {
    const call = await talking();
    await expect(call.session.refer({ to: 'mailto:anna@example.com' })).rejects.toMatchObject({ sipStatus: 416 });
    await expect(call.session.refer({ to: 'sip:a b@example.com' })).rejects.toMatchObject({ sipStatus: 400 });
  });
});

describe('being sent elsewhere', () => {
  it('is nothing we do on a stranger’s word: 403, in a call and outside of one', async () => {
    const { peer, uri, toTag } = await talking();
    peer.say('REFER', uri, { toTag, cseq: 2, headers: ['Refer-To: <sip:premium@192.0.2.66>'] });
    await peer.response(403, 'REFER');
    peer.say('REFER', uri, { callId: 'another', headers: ['Refer-To: <sip:premium@192.0.2.66>'] });
    await peer.response(403, 'REFER');
  });
});

describe('a peer that asks us to bring whoever it talks with to somebody else', () => {
  async function asked(headers: string[] = []) {
    const call = await talking();
    const { promise, resolve } = Promise.withResolvers<IncomingReferral>();
    call.session.handlers.onRefer = resolve;
    const more = ['Refer-To: "Ben" <sip:ben@192.0.2.9>', 'Referred-By: <sip:ada@192.0.2.1>', ...headers];
    call.peer.say('REFER', call.uri, { toTag: call.toTag, cseq: 2, headers: more });
    return { ...call, referral: await promise };
  }
  /** The next NOTIFY: what it says, and its Event and Subscription-State. */
  async function told({ peer }: Call, status = 200): Promise<string[]> {
    const notify = await peer.request('NOTIFY');
    peer.reply(notify, status);
    const { headers } = notify;
    expect(headers.get('content-type')).toBe(FRAG);
    return [notify.body.toString().trim(), headers.get('event')!, headers.get('subscription-state')!];
  }

  it('is told how it goes, in order, and once how it ended', async () => {
    const call = await asked();
    const { referral } = call;
    expect(referral.target).toEqual({ uri: 'sip:ben@192.0.2.9', displayName: 'Ben', replaces: undefined });
    expect(referral.referredBy).toBe('<sip:ada@192.0.2.1>');
    referral.accept();
    const accepted = await call.peer.response(202, 'REFER');
    expect(accepted.contact?.uri).toContain('127.0.0.1');
    referral.progress(180);
    referral.progress(180);
    const done = referral.done(200);
    expect(await told(call)).toEqual(['SIP/2.0 100 Trying', 'refer', 'active;expires=300']);
    expect(await told(call)).toEqual(['SIP/2.0 180 Ringing', 'refer', 'active;expires=300']);
    expect(await told(call)).toEqual(['SIP/2.0 200 OK', 'refer', 'terminated;reason=noresource']);
    await done;
    referral.progress(183);
    expect(() => referral.accept()).toThrow('REFER');
    expect(call.session.ended).toBe(false);
    // The second of a dialog has to be told apart (RFC 3515 2.4.6).
    const again = Promise.withResolvers<IncomingReferral>();
    call.session.handlers.onRefer = again.resolve;
    call.peer.say('REFER', call.uri, { toTag: call.toTag, cseq: 3, headers: ['Refer-To: <sip:carl@192.0.2.9>'] });
    const second = await again.promise;
    second.accept();
    expect((await told(call))[1]).toBe('refer;id=3');
  });

  it('that hangs up meanwhile is told all the same, and who wants to hear nothing is told nothing', async () => {
    const gone = await asked();
    gone.referral.accept();
    await told(gone);
    gone.peer.say('BYE', gone.uri, { toTag: gone.toTag, cseq: 3 });
    await gone.peer.response(200, 'BYE');
    const done = gone.referral.done(486);
    expect((await told(gone, 481))[0]).toBe('SIP/2.0 486 Busy Here');
    await done;
    const silent = await asked(['Refer-Sub: false', 'Supported: norefersub']);
    silent.referral.accept();
    expect((await silent.peer.response(202, 'REFER')).headers.get('refer-sub')).toBe('false');
    await silent.referral.done(200);
    const refused = await asked();
    refused.referral.refuse(603);
    await refused.peer.response(603, 'REFER');
    expect(refused.referral.state).toBe('refused');
  });

  it('that refuses the news keeps its call, and hears no more', async () => {
    const call = await asked();
    call.referral.accept();
    expect((await told(call, 481))[0]).toBe('SIP/2.0 100 Trying');
    await call.referral.done(200);
    expect(call.session.ended).toBe(false);
    call.peer.say('REFER', call.uri, { toTag: call.toTag, cseq: 3 });
    await call.peer.response(400, 'REFER');
  });

  it('names another call of ours by what we would see in the INVITE', async () => {
    const call = await asked();
    const place = encodeURIComponent(`${call.invite.request.callId};to-tag=${call.toTag};from-tag=ada`);
    const next = Promise.withResolvers<IncomingReferral>();
    call.session.handlers.onRefer = next.resolve;
    call.referral.refuse(603);
    const headers = [`Refer-To: <${call.uri}?Replaces=${place}>`];
    call.peer.say('REFER', call.uri, { toTag: call.toTag, cseq: 3, headers });
    expect((await next.promise).replaces).toBe(call.session);
    (await next.promise).refuse(403);
  });
});

describe('an INVITE that takes the place of a call', () => {
  /** A second peer that wants the call of the first. */
  async function taking(call: Awaited<ReturnType<typeof ringing>>, replaces: string) {
    const port = Number(call.uri.split(':').at(-1));
    const other = await UdpPeer.open(port);
    other.say('INVITE', call.uri, { callId: 'second', headers: [`Replaces: ${replaces}`], body: OFFER });
    return other;
  }

  it('is answered, and the old call is hung up', async () => {
    const second = Promise.withResolvers<unknown>();
    let calls = 0;
    const { ua, udp } = await listen({
      onInvite: (invite) => {
        if (++calls === 2) second.resolve(invite.replaces);
        void invite.answer(ANSWER).catch(() => undefined);
      },
    });
    const uri = `sip:bank@127.0.0.1:${udp}`;
    const [first, other] = [await UdpPeer.open(udp), await UdpPeer.open(udp)];
    first.say('INVITE', uri, { callId: 'first', body: OFFER });
    const ok = await first.response(200, 'INVITE');
    first.say('ACK', uri, { callId: 'first', toTag: ok.toTag });
    other.say('INVITE', uri, {
      callId: 'second',
      headers: [`Replaces: first;to-tag=${ok.toTag};from-tag=ada`, 'Require: replaces'],
      body: OFFER,
    });
    const taken = await other.response(200, 'INVITE');
    other.say('ACK', uri, { callId: 'second', toTag: taken.toTag });
    first.reply(await first.request('BYE'), 200);
    expect(await second.promise).toBeDefined();
    await expect.poll(() => ua.dialogs).toBe(1);
    await ua.close();
    for (const peer of [first, other]) peer.close();
  });

  it('is refused where there is no such call (481), it rings still (481), it was to ring still (486)', async () => {
    const nothing = await taking(await ringing(), 'call;to-tag=a;from-tag=b');
    await nothing.response(481, 'INVITE');
    const call = await ringing();
    call.invite.progress();
    const { toTag } = await call.peer.response(180);
    const early = await taking(call, `${call.invite.request.callId};to-tag=${toTag};from-tag=ada`);
    await early.response(481, 'INVITE');
    const up = await talking();
    const answered = await taking(up, `${up.invite.request.callId};to-tag=${up.toTag};from-tag=ada;early-only`);
    await answered.response(486, 'INVITE');
    for (const peer of [nothing, early, answered]) peer.close();
  });

  it('is refused while our BYE is on its way (603), and where it cannot be read (400)', async () => {
    const call = await talking();
    void call.session.bye();
    const late = await taking(call, `${call.invite.request.callId};to-tag=${call.toTag};from-tag=ada`);
    await late.response(603, 'INVITE');
    const broken = await taking(await talking(), 'nothing');
    await broken.response(400, 'INVITE');
    for (const peer of [late, broken]) peer.close();
  });
});

describe('an INVITE that picks up a call of ours while it rings', () => {
  /** A call of ours that rings at Anna's, and Ben who wants it; `answer`: ours to his offer. */
  async function rings(answer: () => Promise<string> = async () => ANSWER) {
    const { ua, udp } = await listen({ onInvite: (invite) => invite.replaces?.pickUp?.(invite) });
    const [anna, ben] = [await UdpPeer.open(udp), await UdpPeer.open(udp)];
    const calling = ua.invite(`sip:anna@127.0.0.1:${anna.port}`, OFFER, { onPickUp: answer });
    calling.catch(() => undefined);
    const invite = await anna.request('INVITE');
    anna.reply(invite, 180);
    await expect.poll(() => ua.dialogs).toBe(1);
    const uri = `sip:connector@127.0.0.1:${udp}`;
    const ask = (body: string | undefined = OFFER, more = '') =>
      ben.say('INVITE', uri, {
        callId: 'second',
        ...(body !== '' && { body }),
        headers: [`Replaces: ${invite.callId};to-tag=${invite.fromTag};from-tag=peer${more}`, 'Require: replaces'],
      });
    /** As the telephone that is not wanted any more. */
    const stopsRinging = async () => {
      anna.reply(await anna.request('CANCEL'), 200);
      anna.reply(invite, 487);
    };
    const close = async () => {
      await ua.close();
      for (const peer of [anna, ben]) peer.close();
    };
    return { ua, anna, ben, invite, uri, calling, ask, stopsRinging, close };
  }

  it.each(['', ';early-only'])('is the call then, and where it rang it is cancelled (%s)', async (more) => {
    const { ua, ben, uri, calling, ask, stopsRinging, close } = await rings();
    ask(OFFER, more);
    const ok = await ben.response(200, 'INVITE');
    expect(ok.sdp).toBe(ANSWER);
    ben.say('ACK', uri, { callId: 'second', toTag: ok.toTag });
    await stopsRinging();
    const session = await calling;
    expect([session.dialog.callId, session.remoteSdp]).toEqual(['second', OFFER]);
    await expect.poll(() => ua.dialogs).toBe(1);
    ben.say('BYE', uri, { callId: 'second', toTag: ok.toTag, cseq: 2 });
    await ben.response(200, 'BYE');
    expect(session.ended).toBe(true);
    await close();
  });

  it('where the first telephone answers all the same: it is told that it came too late', async () => {
    const { anna, ben, invite, uri, calling, ask, close } = await rings();
    ask();
    const ok = await ben.response(200, 'INVITE');
    anna.reply(invite, 200, ANSWER);
    await anna.request('ACK');
    anna.reply(await anna.request('BYE'), 200);
    ben.say('ACK', uri, { callId: 'second', toTag: ok.toTag });
    expect((await calling).dialog.callId).toBe('second');
    await close();
  });

  it('comes too late (603), offers nothing that can be spoken (488) or nothing at all (488): it rings on', async () => {
    const cannot = async () => {
      throw new Failure('nothing in common', { code: 'no-codec', blame: 'caller', sipStatus: 488 });
    };
    for (const [answer, body] of [
      [cannot, OFFER],
      [async () => ANSWER, ''],
    ] as const) {
      const { anna, ben, invite, calling, ask, close } = await rings(answer);
      ask(body);
      await ben.response(488, 'INVITE');
      anna.reply(invite, 200, ANSWER);
      expect((await calling).dialog.callId).toBe(invite.callId);
      await close();
    }
    const slow = Promise.withResolvers<string>();
    const { anna, ben, invite, calling, ask, close } = await rings(() => slow.promise);
    ask();
    await expect.poll(() => ben.summary()).toContain('100');
    anna.reply(invite, 200, ANSWER);
    await calling;
    slow.resolve(ANSWER);
    await ben.response(603, 'INVITE');
    await close();
  });

  it('that is never acknowledged is nobody’s call', async () => {
    const { ben, calling, ask, stopsRinging, close, ua } = await rings();
    ask();
    await ben.response(200, 'INVITE');
    await stopsRinging();
    const refused = expect(calling).rejects.toMatchObject({ sipStatus: expect.any(Number) });
    await ua.close();
    await refused;
    await close();
  });
});

describe('headers of transfers', () => {
  it('come back as they were written', () => {
    const replaces = { callId: 'a%b&c=d?e@[::1]', toTag: 'x;y', fromTag: 'z', earlyOnly: true };
    const plain = { ...replaces, toTag: 'x' };
    expect(parseReplaces(formatReplaces(plain))).toEqual(plain);
    const refer = new SipRequest('REFER', 'sip:a@b');
    refer.headers.set(
      'Refer-To',
      formatReferTo('sip:anna@192.0.2.9;transport=tcp', {
        'User-to-User': '56a3;encoding=hex',
        Replaces: formatReplaces(plain),
      }),
    );
    expect(readReferTo(refer)).toEqual({
      uri: 'sip:anna@192.0.2.9;transport=tcp',
      displayName: undefined,
      replaces: plain,
    });
  });

  it('a status is read from the first line of a sipfrag, and from nothing else', () => {
    const frag = (body: string) => sipfragStatus(new SipRequest('NOTIFY', 'sip:a@b').setBody(FRAG, body));
    expect(frag('SIP/2.0 200 OK\r\nTo: <sip:a@b>\r\n')).toBe(200);
    expect(frag('SIP/2.0 603')).toBe(603);
    expect(frag('INVITE sip:a@b SIP/2.0')).toBeUndefined();
    expect(frag('SIP/2.0 900 What')).toBeUndefined();
    expect(frag('')).toBeUndefined();
  });
});
