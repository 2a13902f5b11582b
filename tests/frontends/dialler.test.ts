import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { DialCounter } from '../../src/call/dial-counter.ts';
import type { DialLimit } from '../../src/call/dial-limits.ts';
import type { LegEnd } from '../../src/call/legs/call-leg.ts';
import type { DialProgress, DialRequest } from '../../src/call/legs/dialler.ts';
import { DayCount } from '../../src/frontends/outbound/day-count.ts';
import { SdpNegotiator } from '../../src/media/sdp/sdp.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { createResponse } from '../../src/sip/message/response.ts';
import { pause } from '../sip/calls.ts';
import { OFFER, UdpPeer } from '../sip/support.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { header } from '../support/phone/sip-message.ts';
import { gate } from './gate.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const CALLERS = 'trunks: [{ name: local, from: loopback }]\n';
const NUMBER = '+4930123456';

/** A connector whose sip-config has these gateways. */
async function connector(gateways: string, env: Record<string, string> = {}, dialCounter?: DialCounter) {
  const made = await gate(`${CALLERS}${gateways}`, { env, ...(dialCounter && { dialCounter }) });
  open.push(made);
  const dial = (facts: Partial<DialRequest> = {}, signal = new AbortController().signal) =>
    made.frontEnd.dialler.dial({ to: NUMBER, offer: () => OFFER, ...facts }, signal);
  return { ...made, dial };
}

async function phone(options: Parameters<typeof AnsweringPhone.open>[0] = {}) {
  const made = await AnsweringPhone.open(options);
  open.push(made);
  return made;
}

/** A far end that says what the test wants. */
async function peer() {
  const made = await UdpPeer.open();
  open.push(made);
  return made;
}

const gatewayTo = (name: string, port: number, more = '') =>
  `  - { name: ${name}, to: "127.0.0.1:${port}", destinations: [{ prefix: "+49" }]${more} }\n`;
const portOf = (far: AnsweringPhone) => far.endpoint.wire.local.port;

describe('a call out', () => {
  it('rings, is answered, and ends when either side hangs up', async () => {
    const far = await phone({ ringMs: 100 });
    const { dial } = await connector(`gateways:\n${gatewayTo('carrier', portOf(far))}`);
    const heard: DialProgress[] = [];
    const offered: unknown[] = [];
    const leg = await dial({
      offer: (place) => {
        offered.push(place);
        return OFFER;
      },
      onProgress: (progress) => heard.push(progress),
    });
    expect(offered).toMatchObject([{ localAddress: '127.0.0.1', mediaBindAddress: '127.0.0.1' }]);
    // The ringing comes again with each INVITE that does.
    expect(heard[0]).toMatchObject({ status: 180, gateway: 'carrier' });
    expect(leg).toMatchObject({ gateway: 'carrier', attempts: 0, remote: { number: NUMBER } });
    expect(leg.answer).toContain('m=audio');
    const [call] = far.calls;
    expect(call!.invite.uri).toBe(`sip:${NUMBER}@127.0.0.1:${portOf(far)}`);
    void call!.signalling.hangup();
    await expect.poll(() => leg.signal.aborted).toBe(true);
    expect(leg.signal.reason as LegEnd).toMatchObject({ by: 'caller', how: 'bye' });

    const second = await dial();
    await second.hangup();
    expect(second.signal.reason as LegEnd).toMatchObject({ by: 'us', how: 'bye' });
    await expect.poll(() => far.calls[1]!.end).toBeDefined();
  });

  it('goes nowhere until a gateway is configured, and only to what gateways allow', async () => {
    const far = await phone();
    const none = await connector('');
    await expect(none.dial()).rejects.toMatchObject({ code: 'dial-no-gateway' });
    const { dial } = await connector(`gateways:
  - name: carrier
    to: sip:127.0.0.1:${portOf(far)}
    destinations: [{ prefix: "+49" }, { number: "110" }, { pattern: "[2-4]\\\\d{2}" }, { host: "127.0.0.1:${portOf(far)}" }]
    forbidden: [{ prefix: "+49900" }, { prefix: "49137" }]
    rewrite: { prefix: "+", strip: 1 }
    from: { number: "+15550100", displayName: The Bank, domain: bank.example, allow: [{ prefix: "+1555" }] }
    headers: { X-Account: "42" }
`);
    for (const to of [
      '+33140',
      '1100',
      '5000',
      '+49900 1',
      '+49 137 2',
      'sip:x@127.0.0.2',
      'what?',
      'http://x.example',
    ]) {
      await expect(dial({ to }), to).rejects.toMatchObject({ code: 'dial-not-allowed', sipStatus: 403 });
    }
    const at = `127.0.0.1:${portOf(far)}`;
    for (const uri of [`sip:+49900@${at}`, `sip:a@${at};maddr=127.0.0.2`, `sip:a@${at}?Route=%3Csip:evil%3E`]) {
      await expect(dial({ to: uri }), uri).rejects.toMatchObject({ code: 'dial-not-allowed' });
    }
    await expect(dial({ gateway: 'other' })).rejects.toMatchObject({ code: 'dial-no-gateway' });
    await expect(dial({ from: '+16660100' })).rejects.toMatchObject({ code: 'dial-not-allowed' });
    await expect(dial({ headers: { Route: '<sip:127.0.0.2;lr>' } })).rejects.toMatchObject({
      code: 'dial-not-allowed',
    });
    expect(far.calls).toHaveLength(0);

    await (await dial({ to: 'tel:+49-30-123456', headers: { 'X-Call': 'abc' } })).hangup();
    await (await dial({ to: '110', from: '+1 555 0199', displayName: 'Card "service"' })).hangup();
    await (await dial({ to: `sip:desk@${at}` })).hangup();
    const [first, second, third] = far.calls.map(({ invite }) => invite);
    expect(first!.uri).toBe(`sip:4930123456@${at}`);
    expect(header(first!, 'from')).toMatch(/^"The Bank" <sip:\+15550100@bank\.example>;tag=/);
    expect([header(first!, 'x-account'), header(first!, 'x-call')]).toEqual(['42', 'abc']);
    expect(second!.uri).toBe(`sip:110@${at}`);
    expect(header(second!, 'from')).toMatch(/^"Card \\"service\\"" <sip:\+15550199@bank\.example>;tag=/);
    expect(third!.uri).toBe(`sip:desk@${at}`);
  });

  it.each([
    [486, 'busy'],
    [600, 'busy'],
    [603, 'declined'],
    [480, 'no-answer'],
    [404, 'unknown-number'],
    [488, 'media-refused'],
    [403, 'refused'],
  ])('that a person or network refuses with %i is %s, and no other gateway is tried', async (status, outcome) => {
    const far = await phone({ refuse: { status, reason: 'No' } });
    const other = await phone();
    const { dial } = await connector(`gateways:\n${gatewayTo('a', portOf(far))}${gatewayTo('b', portOf(other))}`);
    await expect(dial()).rejects.toMatchObject({ code: `dial-${outcome}`, sipStatus: status });
    expect(other.calls).toHaveLength(0);
  });

  it('goes by the next gateway where the first is silent, gone, or cannot serve', async () => {
    const silent = await peer();
    const broken = await phone({ refuse: { status: 503, reason: 'Service Unavailable' } });
    const far = await phone();
    const more = ', silenceSeconds: 0.5';
    const { dial } = await connector(
      `gateways:\n${gatewayTo('silent', silent.port, more)}${gatewayTo('broken', portOf(broken), more)}` +
        `  - { name: gone, to: "sip:127.0.0.1:1;transport=tcp", destinations: [{ prefix: "+49" }] }\n` +
        `${gatewayTo('far', portOf(far), ', priority: 200')}${gatewayTo('early', portOf(broken), ', priority: 50')}`,
    );
    const leg = await dial();
    expect(leg).toMatchObject({ gateway: 'far', attempts: 4 });
    expect(broken.calls).toHaveLength(2);
    await leg.hangup();
    await expect(dial({ gateway: 'silent' })).rejects.toMatchObject({ code: 'dial-unreachable', sipStatus: 408 });
    await expect(dial({ gateway: 'gone' })).rejects.toMatchObject({ code: 'dial-unreachable', sipStatus: 503 });
  });

  it('is not dialled a second time when a phone has rung', async () => {
    const far = await peer();
    const other = await phone();
    const { dial } = await connector(`gateways:\n${gatewayTo('a', far.port)}${gatewayTo('b', portOf(other))}`);
    const dialling = dial();
    const invite = await far.request('INVITE');
    far.reply(invite, 180);
    far.reply(invite, 500);
    await expect(dialling).rejects.toMatchObject({ code: 'dial-unreachable', sipStatus: 500 });
    expect(other.calls).toHaveLength(0);
  });

  it('is cancelled by its signal, and when it has rung for too long', async () => {
    const far = await phone({ ringMs: Number.POSITIVE_INFINITY });
    const { dial } = await connector(`gateways:\n${gatewayTo('carrier', portOf(far))}`);
    const controller = new AbortController();
    const dialling = dial({ onProgress: () => controller.abort() }, controller.signal);
    await expect(dialling).rejects.toMatchObject({ code: 'dial-cancelled', sipStatus: 487 });
    await expect(dial({ ringMs: 200 })).rejects.toMatchObject({ code: 'dial-no-answer', sipStatus: 408 });
    expect(far.calls.map(({ end }) => end)).toMatchObject([{}, {}]);
    await expect(dial({}, AbortSignal.abort())).rejects.toMatchObject({ code: 'dial-cancelled' });
    expect(far.calls).toHaveLength(2);
  });

  it('given up on a silent gateway is cancelled when the gateway wakes, and hung up when it was answered', async () => {
    const far = await peer();
    const { dial } = await connector(`gateways:\n${gatewayTo('a', far.port, ', silenceSeconds: 0.5')}`);
    await expect(dial()).rejects.toMatchObject({ code: 'dial-unreachable' });
    const invite = await far.request('INVITE');
    far.reply(invite, 180);
    const cancel = await far.request('CANCEL');
    far.reply(cancel, 200);
    // The answer has crossed the CANCEL.
    far.reply(invite, 200, OFFER);
    await far.request('ACK');
    far.reply(await far.request('BYE'), 200);
  });

  it('given up in the moment in which somebody picks up is hung up there, counts as dialled, and as cancelled', async () => {
    const far = await peer();
    const { dial, frontEnd } = await connector(`gateways:\n${gatewayTo('a', far.port)}`);
    const controller = new AbortController();
    const dialling = dial({ onProgress: () => controller.abort() }, controller.signal);
    dialling.catch(() => undefined);
    const invite = await far.request('INVITE');
    far.reply(invite, 180);
    const cancel = await far.request('CANCEL');
    // It had been answered before that came.
    far.reply(invite, 200, OFFER);
    far.reply(cancel, 200);
    await far.request('ACK');
    far.reply(await far.request('BYE'), 200);
    await expect(dialling).rejects.toMatchObject({ code: 'dial-cancelled' });
    expect(frontEnd.outbound.gateways()).toMatchObject([{ calls: 0, callsToday: 1, outcomes: { cancelled: 1 } }]);
  });

  it('keeps its number to itself and to networks that are trusted with it', async () => {
    const far = await phone();
    const to = `to: "127.0.0.1:${portOf(far)}", destinations: [{ prefix: "+49" }]`;
    const from = (more: string) => `from: { number: "+15550100", displayName: The Bank, domain: bank.example${more} }`;
    const { dial } = await connector(
      `gateways:
  - { name: hidden, ${to}, ${from(', private: true, assert: true')} }
  - { name: extension, ${to}, auth: { user: "200", password: "\${PASSWORD}" } }
  - { name: proxied, to: carrier.example, proxy: "127.0.0.1:${portOf(far)}", destinations: [{ prefix: "+49" }] }
`,
      { PASSWORD: 'x' },
    );
    for (const gateway of ['hidden', 'extension', 'proxied']) await (await dial({ gateway })).hangup();
    const [hidden, extension, proxied] = far.calls.map(({ invite }) => invite);
    expect(header(hidden!, 'from')).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/);
    expect(header(hidden!, 'p-asserted-identity')).toBe('<sip:+15550100@bank.example>');
    expect(header(hidden!, 'privacy')).toBe('id');
    expect(header(extension!, 'from')).toMatch(/^<sip:200@127\.0\.0\.1>;tag=/);
    expect(header(extension!, 'p-asserted-identity')).toBeUndefined();
    expect(proxied!.uri).toBe(`sip:${NUMBER}@carrier.example`);
    expect(header(proxied!, 'route')).toBe(`<sip:127.0.0.1:${portOf(far)};lr>`);
  });

  it('has limits: at once, in a second, in a day, to one number, to a prefix', async () => {
    const far = await phone();
    const limited = (name: string, limits: string) => gatewayTo(name, portOf(far), `, limits: { ${limits} }`);
    const { dial } = await connector(
      `gateways:\n${limited('calls', 'calls: 1')}${limited('rate', 'callsPerSecond: 0.01, burst: 1')}` +
        `${limited('day', 'callsPerDay: 1')}${limited('number', 'callsPerNumberPerDay: 1')}` +
        `${limited('prefix', 'prefixes: [{ prefix: "+4930", callsPerDay: 1 }]')}`,
    );
    for (const gateway of ['rate', 'day', 'number', 'prefix']) {
      await (await dial({ gateway })).hangup();
      await expect(dial({ gateway }), gateway).rejects.toMatchObject({ code: 'dial-limited' });
    }
    await (await dial({ gateway: 'number', to: '+49301' })).hangup();
    await (await dial({ gateway: 'prefix', to: '+4940' })).hangup();
    const leg = await dial({ gateway: 'calls' });
    await expect(dial({ gateway: 'calls' })).rejects.toMatchObject({ code: 'dial-limited', retryable: true });
    await leg.hangup();
    await (await dial({ gateway: 'calls' })).hangup();
  });

  describe('that has to be counted first', () => {
    /** Somebody who counts slowly: each call when the test says so. */
    async function slowly() {
      const asked: { say: (outcome: DialLimit | 'counts') => void }[] = [];
      let ended = 0;
      const far = await phone();
      const counter: DialCounter = {
        prepare: () => undefined,
        late: () => undefined,
        counts: async () => new Map(),
        begin: () =>
          new Promise((resolve) => {
            asked.push({ say: (outcome) => resolve(outcome === 'counts' ? () => ended++ : outcome) });
          }),
      };
      const { dial } = await connector(`gateways:\n${gatewayTo('carrier', portOf(far))}`, {}, counter);
      let offers = 0;
      const offer = () => {
        offers++;
        return OFFER;
      };
      return {
        far,
        offers: () => offers,
        ended: () => ended,
        dial: (signal?: AbortSignal) => dial({ offer }, signal),
        say: async (outcome: DialLimit | 'counts') => {
          await expect.poll(() => asked.length).toBe(1);
          asked.shift()!.say(outcome);
        },
      };
    }

    it('makes its offer meanwhile, and nobody is called before it counts', async () => {
      const { far, dial, say, offers, ended } = await slowly();
      const dialling = dial();
      await expect.poll(offers).toBe(1);
      await pause(150);
      expect(far.calls).toHaveLength(0);
      await say('counts');
      const leg = await dialling;
      expect([far.calls.length, ended()]).toEqual([1, 0]);
      await leg.hangup();
      expect(ended()).toBe(1);
    });

    it('and may not be dialled makes nothing ready for the next, until one may', async () => {
      const { far, dial, say, offers } = await slowly();
      for (const made of [1, 1]) {
        const dialling = dial();
        dialling.catch(() => undefined);
        await say('day');
        await expect(dialling).rejects.toMatchObject({ code: 'dial-limited' });
        expect(offers()).toBe(made);
      }
      expect(far.calls).toHaveLength(0);
      for (const made of [2, 3]) {
        const dialling = dial();
        await say('counts');
        await (await dialling).hangup();
        expect(offers()).toBe(made);
      }
    });

    it('and is given up meanwhile is not dialled, and counts no more', async () => {
      const { far, dial, say, offers, ended } = await slowly();
      const aborter = new AbortController();
      const dialling = dial(aborter.signal);
      dialling.catch(() => undefined);
      await expect.poll(offers).toBe(1);
      aborter.abort();
      await say('counts');
      await expect(dialling).rejects.toMatchObject({ code: 'dial-cancelled' });
      await pause(100);
      expect([far.calls.length, ended()]).toEqual([0, 1]);
    });
  });

  it.each([100, 180])(
    'to a far end that dies after its %i ends all the same, and is not up when it wakes',
    async (status) => {
      const far = await peer();
      const { dial, frontEnd } = await connector(`gateways:\n${gatewayTo('a', far.port)}`);
      const dialling = dial({ ringMs: 200 });
      dialling.catch(() => undefined);
      const invite = await far.request('INVITE');
      far.reply(invite, status);
      await far.request('CANCEL');
      await expect(dialling).rejects.toMatchObject({ code: 'dial-no-answer', sipStatus: 408 });
      expect(frontEnd.outbound.gateways()).toMatchObject([{ calls: 0, outcomes: { 'no-answer': 1 } }]);
      // Somebody has picked up after all.
      far.reply(invite, 200, OFFER);
      await far.request('ACK');
      far.reply(await far.request('BYE'), 200);
      far.reply(invite, 200, OFFER);
      await far.request('ACK');
    },
  );

  it('to a far end that dies after it has asked for the password goes by the next gateway', async () => {
    const far = await peer();
    const other = await phone();
    const account = `, silenceSeconds: 0.5, auth: { user: bank, password: "\${PASSWORD}" }`;
    const gateways = `gateways:\n${gatewayTo('a', far.port, account)}${gatewayTo('b', portOf(other))}`;
    const { dial } = await connector(gateways, { PASSWORD: 'x' });
    const dialling = dial();
    const invite = await far.request('INVITE');
    far.reply(invite, 401, undefined, ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"']);
    const leg = await dialling;
    expect(leg).toMatchObject({ gateway: 'b', attempts: 1 });
    await leg.hangup();
  });

  it('whose far end is gone by the time it is hung up is over all the same', async () => {
    const far = await peer();
    const { dial, frontEnd } = await connector(`gateways:\n${gatewayTo('a', far.port)}`);
    const dialling = dial();
    far.reply(await far.request('INVITE'), 200, OFFER);
    const leg = await dialling;
    const gone = leg.hangup();
    expect(leg.signal.reason as LegEnd).toMatchObject({ by: 'us', how: 'bye' });
    expect(frontEnd.outbound.gateways()).toMatchObject([{ calls: 0 }]);
    await gone;
  });

  const offering = (sdp: SdpNegotiator[] = []): Partial<DialRequest> => ({
    offer: ({ localAddress: address, mediaPolicy: policy }) => {
      sdp.push(new SdpNegotiator({ address, port: 40_000, sessionId: '1', ...(policy && { policy }) }));
      return sdp.at(-1)!.offer();
    },
  });

  it('to a far end that refuses keys beside the plain profile, as FreeSWITCH does, is made once more without', async () => {
    const far = await peer();
    const keysInClear = ', media: { keysInClear: true }';
    const { dial } = await connector(`gateways:\n${gatewayTo('a', far.port, keysInClear)}`);
    const dialling = dial(offering());
    const first = await far.request('INVITE');
    expect(first.sdp).toMatch(/m=audio 40000 RTP\/AVP [\s\S]*a=crypto:/);
    far.reply(first, 488);
    const second = await far.request('INVITE');
    expect(second.callId).not.toBe(first.callId);
    expect(second.sdp).toMatch(/m=audio 40000 RTP\/AVP /);
    expect(second.sdp).not.toContain('a=crypto');
    far.reply(second, 200, OFFER);
    await (await dialling).hangup();
  });

  it('is not made again in the clear where encryption is required, nor when a phone has rung, nor twice', async () => {
    const far = await peer();
    const { dial } = await connector(
      `gateways:\n${gatewayTo('must', far.port, ', media: { encryption: required, keysInClear: true }')}${gatewayTo('may', far.port, ', media: { keysInClear: true }')}`,
    );
    const refused = { code: 'dial-media-refused', sipStatus: 488 };
    const must = dial({ gateway: 'must', ...offering() }).catch((error: unknown) => error);
    const secure = await far.request('INVITE');
    expect(secure.sdp).toContain('RTP/SAVP');
    far.reply(secure, 488);
    expect(await must).toMatchObject(refused);
    const rung = dial({ gateway: 'may', ...offering() }).catch((error: unknown) => error);
    const ringing = await far.request('INVITE');
    far.reply(ringing, 180);
    far.reply(ringing, 488);
    expect(await rung).toMatchObject(refused);
    const twice = dial({ gateway: 'may', ...offering() }).catch((error: unknown) => error);
    for (let i = 0; i < 2; i++) far.reply(await far.request('INVITE'), 488);
    expect(await twice).toMatchObject(refused);
  });

  it('that brings no session description with its answer is hung up', async () => {
    const far = await peer();
    const { dial } = await connector(`gateways:\n${gatewayTo('a', far.port)}`);
    const dialling = dial();
    far.reply(await far.request('INVITE'), 200);
    await expect(dialling).rejects.toMatchObject({ code: 'dial-media-refused' });
    await far.request('ACK');
    far.reply(await far.request('BYE'), 200);
  });

  it('shows early media, which the answer may leave out', async () => {
    const far = await peer();
    const { dial } = await connector(`gateways:\n${gatewayTo('a', far.port)}`);
    const heard: DialProgress[] = [];
    const dialling = dial({ onProgress: (progress) => heard.push(progress) });
    const invite = await far.request('INVITE');
    far.reply(invite, 183, OFFER);
    await expect.poll(() => heard).toEqual([{ status: 183, sdp: OFFER, gateway: 'a' }]);
    far.reply(invite, 200);
    const leg = await dialling;
    expect(leg.answer).toBe(OFFER);
    leg.onOffer(() => OFFER);
    await pause(20);
    const done = leg.hangup();
    far.reply(await far.request('BYE'), 200);
    await done;
  });

  it('shows the password of its gateway to whoever asks for it, in the next call unasked', async () => {
    const bank = await gate(`realm: pbx
trunks: [{ name: users, digest: { users: [{ name: bank, password: "\${BRANCH_PASSWORD}" }] } }]
bots: [{ name: b }]
numbers: [{ any: true, bot: b }]
`);
    open.push(bank);
    const account = (password: string) => `, auth: { user: bank, password: "\${${password}}" }`;
    const { dial } = await connector(
      `gateways:\n${gatewayTo('wrong', bank.port, account('WRONG'))}${gatewayTo('right', bank.port, account('BRANCH_PASSWORD'))}`,
      { BRANCH_PASSWORD: 'open sesame', WRONG: 'guess' },
    );
    const leg = await dial();
    expect(leg).toMatchObject({ gateway: 'right', attempts: 1 });
    await leg.hangup();
    const before = bank.admission.status().refused;
    await (await dial({ gateway: 'right' })).hangup();
    expect(bank.admission.status().refused).toEqual(before);
    await expect(dial({ gateway: 'wrong' })).rejects.toMatchObject({ code: 'dial-refused', sipStatus: 401 });
    expect(bank.legs.map(({ trunk }) => trunk)).toEqual(['users', 'users']);
  });

  it('follows redirections to the hosts its gateway names, with numbers it may call, and no others', async () => {
    const far = await phone();
    const first = await peer();
    const elsewhere = await phone();
    const { dial } = await connector(
      `gateways:\n${gatewayTo('a', first.port, `, redirects: ["127.0.0.1:${portOf(far)}"], forbidden: [{ prefix: "+49900" }], rewrite: { prefix: "+", strip: 1, prepend: "00" }, limits: { callsPerSecond: 50 }`)}`,
    );
    const seen = new Set<string>();
    const redirectedTo = async (...contacts: string[]) => {
      const dialling = dial();
      dialling.catch(() => undefined);
      // On a busy machine the INVITE of the call before comes a second time.
      const isNew = (m: SipRequest | SipResponse) =>
        m instanceof SipRequest && m.method === 'INVITE' && !seen.has(m.callId);
      const invite = (await first.next(isNew, 'INVITE')) as SipRequest;
      seen.add(invite.callId);
      const response = createResponse(invite, 302, 'tag');
      response.headers.set('Contact', ...contacts);
      first.write(response.serialize());
      return dialling;
    };
    const at = `127.0.0.1:${portOf(far)}`;
    for (const contact of [
      `<sip:004930@127.0.0.1:${portOf(elsewhere)}>`,
      `<sip:0049900@${at}>`,
      `<sip:+49900@${at}>`,
      `<sip:0033140@${at}>`,
      `<sip:004930@${at};maddr=127.0.0.2>`,
    ]) {
      await expect(redirectedTo(contact), contact).rejects.toMatchObject({ code: 'dial-refused', sipStatus: 302 });
    }
    expect([...far.calls, ...elsewhere.calls]).toHaveLength(0);
    await (await redirectedTo(`<sip:004930@${at}>`)).hangup();
    expect(far.calls[0]!.invite.uri).toBe(`sip:004930@${at}`);
  });

  it('leaves a gateway alone that asks for a pause, and tries one that failed behind the others', async () => {
    const busy = await phone({
      refuse: { status: 503, reason: 'Busy', headers: [{ name: 'Retry-After', value: '1 (soon)' }] },
    });
    const broken = await phone({ refuse: { status: 500, reason: 'Oops' } });
    const far = await phone();
    const { dial } = await connector(
      `gateways:\n${gatewayTo('busy', portOf(busy))}${gatewayTo('broken', portOf(broken))}${gatewayTo('far', portOf(far))}`,
    );
    const first = await dial();
    expect(first.attempts).toBe(2);
    const second = await dial();
    expect(second).toMatchObject({ gateway: 'far', attempts: 0 });
    await expect(dial({ gateway: 'busy' })).rejects.toMatchObject({ code: 'dial-unreachable', retryable: true });
    await expect(dial({ gateway: 'broken' })).rejects.toMatchObject({ sipStatus: 500 });
    expect([busy.calls.length, broken.calls.length]).toEqual([1, 2]);
    await Promise.all([first.hangup(), second.hangup()]);
    await pause(1_000);
    await expect(dial({ gateway: 'busy' })).rejects.toMatchObject({ code: 'dial-unreachable', sipStatus: 503 });
    expect(busy.calls).toHaveLength(2);
  });
});

describe('numbers of the last day', () => {
  it('are those of the last 24 hours, to the hour', () => {
    const at = fc.array(fc.nat(100 * 60), { maxLength: 60 });
    fc.assert(
      fc.property(at, (minutes) => {
        const count = new DayCount();
        const times = minutes.toSorted((a, b) => a - b).map((minute) => minute * 60_000);
        for (const [index, now] of times.entries()) {
          count.add(now);
          const hour = (time: number) => Math.floor(time / 3_600_000);
          const recent = times.slice(0, index + 1).filter((time) => hour(now) - hour(time) < 24);
          expect(count.total(now)).toBe(recent.length);
        }
      }),
    );
  });
});
