import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import { negotiate, SessionClock } from '../../src/sip/session/session-timer.ts';
import { ended, talking } from './calls.ts';
import { ANSWER, FAST, listen, OFFER, UdpPeer } from './support.ts';

const HOUR = 3_600_000;

describe('the clock of a session (RFC 4028)', () => {
  it.each(['us', 'them'] as const)('keeps a call of an hour alive when %s refresh', (refresher) => {
    const clock = new SessionClock();
    let now = 5_000;
    clock.start({ expires: 1800, refresher }, now);
    let refreshes = 0;
    while (now < 5_000 + HOUR) {
      now = refresher === 'us' ? (clock.deadline() ?? Number.NaN) : now + 890_000;
      expect(clock.tick(now)).toBe(refresher === 'us' ? 'refresh' : undefined);
      clock.start({ expires: 1800, refresher }, now + 40);
      refreshes++;
    }
    expect(refreshes).toBeGreaterThanOrEqual(4);
  });

  it('refreshes at half time and is over 32 s, or a third of a short interval, before the end', () => {
    const clock = new SessionClock();
    clock.start({ expires: 1800, refresher: 'us' }, 0);
    expect(clock.deadline()).toBe(900_000);
    expect(clock.tick(900_000)).toBe('refresh');
    expect(clock.deadline()).toBe(1_768_000);
    expect(clock.tick(1_768_000)).toBe('expired');
    expect(clock.deadline()).toBeUndefined();
    clock.start({ expires: 90, refresher: 'them' }, 0);
    expect(clock.deadline()).toBe(60_000);
  });

  it('a refresh that failed is tried again, but the session ends all the same when none succeeds', () => {
    const clock = new SessionClock();
    clock.start({ expires: 90, refresher: 'us' }, 0);
    expect(clock.tick(45_000)).toBe('refresh');
    clock.retryAt(47_000);
    expect(clock.tick(46_999)).toBeUndefined();
    expect(clock.tick(47_000)).toBe('refresh');
    clock.retryAt(70_000);
    expect(clock.tick(60_000)).toBe('expired');
    expect(clock.tick(70_000)).toBeUndefined();
  });
});

describe('what is agreed on', () => {
  const invite = (...headers: string[]) => {
    const request = new SipRequest('INVITE', 'sip:x');
    for (const header of headers) request.headers.append(header.split(': ')[0] ?? '', header.split(': ')[1] ?? '');
    return request;
  };
  const options = { expires: 1800, minSe: 90 };
  const timer = 'Supported: timer';

  it.each([
    ['nothing, with a caller who knows of no timers', [], { terms: undefined }],
    ['what we ask for, with one who names no interval', [timer], { terms: { expires: 1800, refresher: 'us' } }],
    [
      'what the caller asks for',
      [timer, 'Session-Expires: 600;refresher=uac'],
      { terms: { expires: 600, refresher: 'them' } },
    ],
    ['what the caller asks for', [timer, 'x: 600 ; refresher=UAS'], { terms: { expires: 600, refresher: 'us' } }],
    ['no more than we want', [timer, 'Session-Expires: 7200'], { terms: { expires: 1800, refresher: 'us' } }],
    [
      'but no less than its Min-SE',
      [timer, 'Session-Expires: 7200', 'Min-SE: 3600'],
      { terms: { expires: 3600, refresher: 'us' } },
    ],
    ['422, where it is too short', [timer, 'Session-Expires: 60'], { tooSmall: 90 }],
    [
      'an interval of a proxy; then we refresh',
      ['Session-Expires: 60;refresher=uac'],
      { terms: { expires: 90, refresher: 'us' } },
    ],
    [
      'as if it were not there, where it is garbage',
      [timer, 'Session-Expires: soon'],
      { terms: { expires: 1800, refresher: 'us' } },
    ],
  ])('is %s: %j', (_what, headers, expected) => {
    expect(negotiate(invite(...headers), options, undefined)).toEqual(expected);
  });

  it('is never shorter than both sides allow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e5 }), fc.nat(1e5), fc.boolean(), (expires, minSe, supports) => {
        const agreed = negotiate(
          invite(...(supports ? [timer] : []), `Session-Expires: ${expires}`, `Min-SE: ${minSe}`),
          options,
          undefined,
        );
        if ('tooSmall' in agreed) expect(expires).toBeLessThan(90);
        else expect(agreed.terms?.expires).toBeGreaterThanOrEqual(Math.max(90, minSe));
      }),
    );
  });
});

/** Intervals of a second, so that a test sees several. */
const SHORT = { sessionTimer: { expires: 2, minSe: 1 } };
const TIMER = 'Supported: timer';

describe('a call with a session timer', () => {
  it('says so in the 200, with Require where the caller refreshes', async () => {
    const { ok } = await talking({ headers: [TIMER, 'Session-Expires: 1200;refresher=uac'] });
    expect(ok.headers.get('session-expires')).toBe('1200;refresher=uac');
    expect(ok.headers.list('require')).toEqual(['timer']);
    const { ok: ours } = await talking({ headers: [TIMER] });
    expect(ours.headers.get('session-expires')).toBe('1800;refresher=uas');
    expect(ours.headers.has('require')).toBe(false);
    expect((await talking()).ok.headers.has('session-expires')).toBe(false);
  });

  it('is refreshed by our UPDATE again and again', async () => {
    const { peer, signal, session } = await refreshedCall(['Allow: INVITE, UPDATE']);
    for (let i = 0; i < 3; i++) {
      const update = await peer.request('UPDATE');
      expect(update.headers.get('session-expires')).toBe('2;refresher=uac');
      expect(update.body.length).toBe(0);
      peer.reply(update, 200, undefined, ['Session-Expires: 2;refresher=uac']);
    }
    expect([signal.aborted, session.timer.terms]).toEqual([false, { expires: 2, refresher: 'us' }]);
  });

  it('is refreshed by a re-INVITE with the same description where the caller serves no UPDATE', async () => {
    const { peer, signal } = await refreshedCall([]);
    for (let i = 0; i < 2; i++) {
      const invite = await peer.request('INVITE');
      expect(invite.sdp).toBe(ANSWER);
      peer.reply(invite, 200, OFFER, ['Session-Expires: 2;refresher=uac', 'Require: timer']);
      await peer.request('ACK');
    }
    expect(signal.aborted).toBe(false);
  });

  it('gets longer when the caller answers our refresh with 422', async () => {
    const { peer, session } = await refreshedCall(['Allow: UPDATE']);
    peer.reply(await peer.request('UPDATE'), 422, undefined, ['Min-SE: 3']);
    const longer = await peer.request('UPDATE');
    expect(longer.headers.get('session-expires')).toBe('3;refresher=uac');
    expect(longer.headers.get('min-se')).toBe('3');
    peer.reply(longer, 200, undefined, ['Session-Expires: 3;refresher=uac']);
    await expect.poll(() => session.timer.terms).toEqual({ expires: 3, refresher: 'us' });
  });

  it('ends with a BYE that says why when the caller stops refreshing', async () => {
    const { peer, uri, toTag, invite } = await talking(
      { headers: [TIMER, 'Session-Expires: 2;refresher=uac'] },
      { ...SHORT, timers: FAST },
    );
    peer.say('UPDATE', uri, { toTag, cseq: 2, headers: [TIMER, 'Session-Expires: 2;refresher=uac'] });
    expect((await peer.response(200, 'UPDATE')).headers.get('session-expires')).toBe('2;refresher=uac');
    const bye = await peer.request('BYE');
    expect(bye.headers.get('reason')).toBe('SIP;cause=408;text="Session expired"');
    peer.reply(bye, 200);
    expect(await ended(invite.signal)).toEqual({ by: 'network', how: 'expired', status: 408 });
  });

  it('ends when our refresh finds nobody who knows the call', async () => {
    const { peer, signal } = await refreshedCall(['Allow: UPDATE']);
    peer.reply(await peer.request('UPDATE'), 481);
    expect(await ended(signal)).toMatchObject({ by: 'network', how: 'transport', status: 481 });
  });

  it('is refused with 422 and our Min-SE where the interval is too short, in INVITE and in UPDATE', async () => {
    const { peer, uri, toTag } = await talking({ headers: [TIMER] });
    peer.say('UPDATE', uri, { toTag, cseq: 2, headers: [TIMER, 'Session-Expires: 30'] });
    expect((await peer.response(422, 'UPDATE')).headers.get('min-se')).toBe('90');
    peer.say('INVITE', uri, { toTag, cseq: 3, body: OFFER, headers: [TIMER, 'Session-Expires: 30'] });
    await peer.response(422, 'INVITE');
    peer.say('INVITE', uri, { callId: 'new', body: OFFER, headers: [TIMER, 'Session-Expires: 30'] });
    expect((await peer.response(422, 'INVITE')).headers.get('min-se')).toBe('90');
  });

  async function refreshedCall(headers: string[]) {
    const call = await talking({ headers: [TIMER, 'Session-Expires: 2;refresher=uas', ...headers] }, SHORT);
    return { ...call, signal: call.invite.signal };
  }
});

/** The hour passes minute by minute on a clock of our own; the packets are real. */
describe('a call of an hour', () => {
  const soon = globalThis.setTimeout;
  afterEach(() => vi.useRealTimers());

  async function hour(refresher: 'uac' | 'uas', headers: string[]) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let now = 0;
    const clock = { now: () => now, wall: () => new Date(now) };
    const calls: IncomingInvite[] = [];
    const { ua, udp } = await listen({
      clock,
      timers: { t1: 500, t2: 4000, t4: 5000, d: 32_000 },
      onInvite: (invite) => {
        calls.push(invite);
        void invite.answer(ANSWER).catch(() => undefined);
      },
    });
    const peer = await UdpPeer.open(udp);
    const uri = `sip:bank@127.0.0.1:${udp}`;
    const terms = [TIMER, `Session-Expires: 1800;refresher=${refresher}`];
    let pings = 0;
    /** Until all that is on its way has been read and answered: a request of ours that comes last is answered last. */
    const packets = async () => {
      const callId = `ping-${++pings}`;
      peer.say('OPTIONS', uri, { callId });
      for (let i = 0; i < 2_000 && !peer.heard.some((message) => message.callId === callId); i++) {
        await new Promise((resolve) => soon(resolve, 2));
      }
      const at = peer.heard.findIndex((message) => message.callId === callId);
      expect(at).not.toBe(-1);
      peer.heard.splice(at, 1);
    };
    peer.say('INVITE', uri, { body: OFFER, headers: [...terms, ...headers] });
    await packets();
    const ok = peer.heard.find((message) => message instanceof SipResponse && message.sdp !== undefined) as SipResponse;
    peer.say('ACK', uri, { toTag: ok.toTag });
    await packets();
    peer.heard.length = 0;
    const heard: string[] = [];
    /** Refreshes as a caller does, where it is its turn and `refreshes` is true. */
    const pass = async (minutes: number, refreshes = true) => {
      for (let minute = 1; minute <= minutes; minute++) {
        now += 60_000;
        vi.advanceTimersByTime(60_000);
        if (refresher === 'uac' && refreshes && minute % 14 === 0) {
          peer.say('UPDATE', uri, { toTag: ok.toTag, cseq: 1 + minute, headers: terms });
        }
        await packets();
        for (const message of peer.heard.splice(0)) {
          heard.push(message instanceof SipRequest ? message.method : `${message.status}`);
          if (!(message instanceof SipRequest) || message.method === 'ACK') continue;
          peer.reply(message, 200, message.method === 'INVITE' ? OFFER : undefined, [
            'Session-Expires: 1800;refresher=uac',
          ]);
        }
        await packets();
      }
      return heard.splice(0);
    };
    const close = async () => {
      void calls[0]?.session.bye();
      await packets();
      for (const message of peer.heard) if (message instanceof SipRequest) peer.reply(message, 200);
      await packets();
      await ua.close();
      peer.close();
    };
    return { call: calls[0] as IncomingInvite, pass, close };
  }

  it('lives on our UPDATEs, one each quarter', async () => {
    const { call, pass, close } = await hour('uas', ['Allow: INVITE, UPDATE']);
    expect(await pass(60)).toEqual(['UPDATE', 'UPDATE', 'UPDATE', 'UPDATE']);
    expect(call.signal.aborted).toBe(false);
    await close();
  });

  it('lives on our re-INVITEs with a caller who has no UPDATE', async () => {
    const { call, pass, close } = await hour('uas', []);
    expect((await pass(60)).filter((what) => what === 'INVITE')).toHaveLength(4);
    expect(call.signal.aborted).toBe(false);
    await close();
  });

  it("lives on the caller's refreshes, and ends half an hour after the last one", async () => {
    const { call, pass, close } = await hour('uac', []);
    expect(await pass(60)).toEqual(['200', '200', '200', '200']);
    expect(call.signal.aborted).toBe(false);
    expect(await pass(25, false)).toEqual([]);
    expect(await pass(3, false)).toContain('BYE');
    expect(call.signal.reason).toEqual({ by: 'network', how: 'expired', status: 408 });
    await close();
  });
});
