import { hash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { DIGEST_ALGORITHMS, type DigestAlgorithm, digestSecret } from '../../src/sip/auth/digest.ts';
import { DigestClient } from '../../src/sip/auth/digest-client.ts';
import { DigestGuard } from '../../src/sip/auth/digest-guard.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { createResponse } from '../../src/sip/message/response.ts';
import { systemDns } from '../../src/sip/transport/dns.ts';
import type { UserAgent, UserAgentOptions } from '../../src/sip/user-agent.ts';
import { DnsServer } from '../support/dns-server.ts';
import { ended } from './calls.ts';
import { ANSWER, listen, OFFER, PATIENT, UdpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const ACCOUNT = { username: 'bank', password: 'open sesame' };

async function caller(options: Partial<UserAgentOptions> = {}) {
  const { ua } = await listen({ timers: PATIENT, ...options });
  open.push(ua);
  return ua;
}

/** It may fail while the test still listens to the other side. */
function call(near: UserAgent, ...facts: Parameters<UserAgent['invite']>) {
  const calling = near.invite(...facts);
  calling.catch(() => undefined);
  return calling;
}

async function peer() {
  const made = await UdpPeer.open();
  open.push(made);
  return made;
}

/** A far end with a guard: refuses what brings no right credentials, serves what does. */
function guarded(options: { realm?: string; algorithms?: readonly DigestAlgorithm[]; lifetimeMs?: number } = {}) {
  const { realm = 'carrier.example', algorithms = DIGEST_ALGORITHMS, lifetimeMs } = options;
  const guard = new DigestGuard(lifetimeMs === undefined ? {} : { lifetimeMs });
  const secrets = Object.fromEntries(
    DIGEST_ALGORITHMS.map((one) => [one, digestSecret(one, ACCOUNT.username, realm, ACCOUNT.password)]),
  );
  let now = 1000;
  return {
    later: (ms: number) => {
      now += ms;
    },
    /** Undefined: let in; else the challenges. */
    judge(request: SipRequest): { kind: string; values: string[] } | undefined {
      const verdict = guard.verify(request, realm, '127.0.0.1', now, (user) =>
        user === ACCOUNT.username ? secrets : undefined,
      );
      if (verdict.kind === 'accepted') return undefined;
      const stale = verdict.kind === 'stale';
      return { kind: verdict.kind, values: guard.challenge(realm, '127.0.0.1', now, { algorithms, stale }) };
    },
  };
}

function requestTo(uri = 'sip:1000@carrier.example', method = 'INVITE', body = ''): SipRequest {
  const request = new SipRequest(method, uri);
  request.headers.append('Via', 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1').append('From', '<sip:a@b>;tag=1');
  request.headers.append('To', '<sip:c@d>').append('Call-ID', 'x').append('CSeq', `1 ${method}`);
  if (body !== '') request.setBody('application/sdp', body);
  return request;
}

function challenge(request: SipRequest, status: 401 | 407, ...values: string[]): SipResponse {
  const response = createResponse(request, status, 'tag');
  response.headers.set(status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate', ...values);
  return response;
}

describe('credentials', () => {
  it.each([[['SHA-256']], [['MD5']], [['SHA-256', 'MD5']], [['MD5', 'SHA-256']]] as [DigestAlgorithm[]][])(
    'are taken by a server that offers %j, and brought along from then on',
    (algorithms) => {
      const server = guarded({ algorithms });
      const client = new DigestClient(ACCOUNT);
      const first = requestTo();
      client.authorize(first);
      expect(first.headers.has('authorization')).toBe(false);
      expect(client.challenged(challenge(first, 401, ...server.judge(first)!.values), first)).toBe(true);
      for (const [method, nc] of [
        ['INVITE', '00000001'],
        ['BYE', '00000002'],
        ['REGISTER', '00000003'],
      ] as const) {
        const next = requestTo(undefined, method);
        client.authorize(next);
        expect(server.judge(next)).toBeUndefined();
        const [line] = next.headers.lines('authorization');
        // The one the server likes best.
        expect(line).toContain(`algorithm=${algorithms[0]}`);
        expect(line).toContain(`nc=${nc}`);
      }
    },
  );

  it('are made anew for a stale nonce, and for one that was too old without the server saying so', () => {
    const server = guarded({ lifetimeMs: 5_000 });
    const client = new DigestClient(ACCOUNT);
    const first = requestTo();
    client.challenged(challenge(first, 401, ...server.judge(first)!.values), first);
    const second = requestTo();
    client.authorize(second);
    expect(server.judge(second)).toBeUndefined();
    server.later(6_000);
    const third = requestTo();
    client.authorize(third);
    const stale = server.judge(third)!;
    expect(stale.kind).toBe('stale');
    // As many servers have it: another nonce, and not a word of stale.
    const mute = stale.values.map((value) => value.replace(', stale=true', ''));
    expect(client.challenged(challenge(third, 401, ...mute), third)).toBe(true);
    client.authorize(third);
    expect(server.judge(third)).toBeUndefined();
  });

  it('that were refused are not tried again: neither with the same nonce nor with a new one', () => {
    const server = guarded();
    const client = new DigestClient({ ...ACCOUNT, password: 'wrong' });
    const request = requestTo();
    const asked = challenge(request, 401, ...server.judge(request)!.values);
    expect(client.challenged(asked, request)).toBe(true);
    client.authorize(request);
    const again = server.judge(request)!;
    expect(again.kind).toBe('wrong');
    expect(client.challenged(challenge(request, 401, ...again.values), request)).toBe(false);
    const same = requestTo();
    client.challenged(asked, same);
    client.authorize(same);
    expect(client.challenged(asked, same)).toBe(false);
    client.authorize(same);
    expect(same.headers.has('authorization')).toBe(false);
  });

  it('are for each realm that asks: the proxy and the server behind it', () => {
    const [proxy, server] = [guarded({ realm: 'edge' }), guarded({ realm: 'pbx' })];
    const client = new DigestClient(ACCOUNT);
    const request = requestTo();
    client.challenged(challenge(request, 407, ...proxy.judge(request)!.values), request);
    client.authorize(request);
    expect(client.challenged(challenge(request, 401, ...server.judge(request)!.values), request)).toBe(true);
    client.authorize(request);
    expect(server.judge(request)).toBeUndefined();
    // The proxy looks at its own header.
    const seen = requestTo();
    seen.headers.set('Authorization', request.headers.get('proxy-authorization')!);
    expect(proxy.judge(seen)).toBeUndefined();
    const narrow = new DigestClient({ ...ACCOUNT, realm: 'pbx' });
    expect(narrow.challenged(challenge(request, 407, ...proxy.judge(request)!.values), request)).toBe(false);
  });

  it('protect the body where only auth-int is offered (RFC 7616 3.4.3), and count nothing without qop (RFC 2069)', () => {
    const client = new DigestClient({ username: 'Mufasa', password: 'Circle Of Life' });
    const request = requestTo('sip:bank@example.com', 'INVITE', OFFER);
    client.challenged(challenge(request, 401, 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth-int"'), request);
    client.authorize(request);
    const line = request.headers.get('authorization')!;
    const value = (name: string) => new RegExp(`${name}="?([^",]*)`).exec(line)![1]!;
    const md5 = (text: string) => hash('md5', text);
    const entity = md5(`INVITE:sip:bank@example.com:${md5(OFFER)}`);
    const signed = `${md5('Mufasa:r:Circle Of Life')}:n:00000001:${value('cnonce')}:auth-int:${entity}`;
    expect([value('qop'), value('response')]).toEqual(['auth-int', md5(signed)]);

    const old = new DigestClient({ username: 'Mufasa', password: 'Circle Of Life' });
    const plain = requestTo();
    old.challenged(challenge(plain, 401, 'Digest realm="r", nonce="n"'), plain);
    old.authorize(plain);
    expect(plain.headers.get('authorization')).not.toMatch(/qop|nc=|cnonce/);
    for (const bad of ['Basic realm="r"', 'Digest realm="r", nonce="n", algorithm=SHA-512', 'Digest nonce="n"']) {
      expect(new DigestClient(ACCOUNT).challenged(challenge(request, 401, bad), requestTo()), bad).toBe(false);
    }
  });
});

describe('a call of ours that is asked for a password', () => {
  it('shows it in the INVITE, its ACK, and in everything after that', async () => {
    const far = await peer();
    const server = guarded();
    const near = await caller();
    const auth = new DigestClient(ACCOUNT);
    const uri = `sip:+1555@127.0.0.1:${far.port}`;
    const calling = call(near, uri, OFFER, { auth });
    const first = await far.request('INVITE');
    far.reply(
      first,
      401,
      undefined,
      server.judge(first)!.values.map((value) => `WWW-Authenticate: ${value}`),
    );
    await far.request('ACK');
    const second = await far.request('INVITE');
    expect([second.callId, second.fromTag, second.cseq.number]).toEqual([
      first.callId,
      first.fromTag,
      first.cseq.number + 1,
    ]);
    expect(server.judge(second)).toBeUndefined();
    far.reply(second, 200, ANSWER);
    const ack = await far.request('ACK');
    expect(ack.headers.lines('authorization')).toEqual(second.headers.lines('authorization'));
    const session = await calling;

    // The guard's window has run out: everything has to be proved anew.
    const moving = session.reinvite(OFFER);
    const reinvite = await far.request('INVITE');
    const renewed = guarded();
    far.reply(
      reinvite,
      401,
      undefined,
      renewed.judge(reinvite)!.values.map((value) => `WWW-Authenticate: ${value}`),
    );
    await far.request('ACK');
    const moved = await far.request('INVITE');
    expect(renewed.judge(moved)).toBeUndefined();
    far.reply(moved, 200, ANSWER);
    expect(await moving).toBe(ANSWER);
    await far.request('ACK');

    const leaving = session.bye();
    const bye = await far.request('BYE');
    expect(renewed.judge(bye)).toBeUndefined();
    far.reply(bye, 200);
    await leaving;

    // And the next call brings its credentials along.
    const next = call(near, uri, OFFER, { auth });
    const invite = await far.request('INVITE');
    expect(renewed.judge(invite)).toBeUndefined();
    far.reply(invite, 486);
    await expect(next).rejects.toMatchObject({ sipStatus: 486 });
  });

  it('fails with 401 when the password is wrong, and when there is none', async () => {
    const far = await peer();
    const server = guarded();
    const near = await caller();
    const asked = async () => {
      const invite = await far.request('INVITE');
      far.reply(
        invite,
        401,
        undefined,
        server.judge(invite)!.values.map((value) => `WWW-Authenticate: ${value}`),
      );
      await far.request('ACK');
    };
    const uri = `sip:+1555@127.0.0.1:${far.port}`;
    const wrong = call(near, uri, OFFER, { auth: new DigestClient({ ...ACCOUNT, password: 'wrong' }) });
    await asked();
    await asked();
    await expect(wrong).rejects.toMatchObject({ sipStatus: 401, code: 'sip-refused' });
    const none = call(near, uri, OFFER);
    await asked();
    await expect(none).rejects.toMatchObject({ sipStatus: 401 });
    expect([near.dialogs, far.heard.length]).toEqual([0, 0]);
  });

  it('is not asked for ever', async () => {
    const far = await peer();
    const near = await caller();
    const calling = call(near, `sip:+1555@127.0.0.1:${far.port}`, OFFER, { auth: new DigestClient(ACCOUNT) });
    let rounds = 0;
    const failed = calling.catch((error: unknown) => error);
    const outcome = await Promise.race([
      failed,
      (async () => {
        for (;;) {
          const invite = await far.request('INVITE');
          rounds++;
          const nonce = `WWW-Authenticate: Digest realm="r", nonce="${rounds}", qop="auth", stale=true`;
          far.reply(invite, 401, undefined, [nonce]);
        }
      })().catch(() => undefined),
    ]);
    expect(outcome).toMatchObject({ sipStatus: 401 });
    expect(rounds).toBe(5);
  });

  it('can be cancelled while it is asked', async () => {
    const far = await peer();
    const server = guarded();
    const near = await caller();
    const controller = new AbortController();
    const options = { auth: new DigestClient(ACCOUNT), signal: controller.signal };
    const calling = call(near, `sip:+1555@127.0.0.1:${far.port}`, OFFER, options);
    const first = await far.request('INVITE');
    far.reply(
      first,
      401,
      undefined,
      server.judge(first)!.values.map((value) => `WWW-Authenticate: ${value}`),
    );
    const second = await far.request('INVITE');
    far.reply(second, 180);
    controller.abort();
    const cancel = await far.request('CANCEL');
    expect([cancel.cseq.number, cancel.via.params.get('branch')]).toEqual([
      second.cseq.number,
      second.via.params.get('branch'),
    ]);
    far.reply(cancel, 200);
    far.reply(second, 487);
    await expect(calling).rejects.toMatchObject({ code: 'sip-cancelled', sipStatus: 487 });
  });
});

function redirected(by: UdpPeer, invite: SipRequest, ...contacts: string[]): void {
  const response = createResponse(invite, 302, 'tag');
  response.headers.set('Contact', ...contacts);
  by.write(response.serialize());
}

describe('a call of ours that is redirected', () => {
  const everywhere = { redirect: () => true };

  it('goes where the Contacts lead, by q, as the same call', async () => {
    const [first, worse, better] = [await peer(), await peer(), await peer()];
    const near = await caller();
    const calling = call(near, `sip:a@127.0.0.1:${first.port}`, OFFER, everywhere);
    const invite = await first.request('INVITE');
    redirected(
      first,
      invite,
      `<sip:w@127.0.0.1:${worse.port}>;q=0.2, <sip:b@127.0.0.1:${better.port}>;q=0.8`,
      '<tel:+1555>, <<nonsense',
    );
    await first.request('ACK');
    const next = await better.request('INVITE');
    expect([next.callId, next.fromTag, next.headers.get('to'), next.cseq.number]).toEqual([
      invite.callId,
      invite.fromTag,
      invite.headers.get('to'),
      invite.cseq.number + 1,
    ]);
    better.reply(next, 486);
    const last = await worse.request('INVITE');
    worse.reply(last, 200, ANSWER);
    const session = await calling;
    void session.bye();
    worse.reply(await worse.request('BYE'), 200);
  });

  it('is refused where redirections are not followed, not permitted, or go round in circles', async () => {
    const far = await peer();
    const near = await caller();
    const uri = `sip:peer@127.0.0.1:${far.port}`;
    const redirect = async (to: string) => {
      const invite = await far.request('INVITE');
      redirected(far, invite, `<${to}>`);
      await far.request('ACK');
    };
    const plain = call(near, uri, OFFER);
    await redirect('sip:other@127.0.0.1:1');
    await expect(plain).rejects.toMatchObject({ sipStatus: 302 });
    const asked: string[] = [];
    const strict = call(near, uri, OFFER, {
      redirect: ({ user }) => {
        asked.push(user ?? '');
        return false;
      },
    });
    await redirect('sip:+882@127.0.0.1:1');
    await expect(strict).rejects.toMatchObject({ sipStatus: 302 });
    expect(asked).toEqual(['+882']);
    const circle = call(near, uri, OFFER, everywhere);
    await redirect(uri);
    await expect(circle).rejects.toMatchObject({ sipStatus: 302 });
    const headers = call(near, uri, OFFER, everywhere);
    await redirect(`sip:x@127.0.0.1:${far.port}?Route=%3Csip:127.0.0.2%3E`);
    await expect(headers).rejects.toMatchObject({ sipStatus: 302 });
    const chain = call(near, uri, OFFER, everywhere);
    for (let hop = 0; hop < 6; hop++) await redirect(`sip:hop${hop}@127.0.0.1:${far.port}`);
    await expect(chain).rejects.toMatchObject({ sipStatus: 302 });
    expect(far.heard).toEqual([]);
  });
});

describe('a far end that hangs up while it rings, and answers all the same', () => {
  it('is no call: whoever called hears so at once, not when the ringing would have lasted too long', async () => {
    const near = await caller();
    const far = await peer();
    const calling = call(near, `sip:a@127.0.0.1:${far.port}`, OFFER);
    const invite = await far.request('INVITE');
    far.reply(invite, 183, ANSWER);
    far.say('BYE', invite.contact!.uri, { callId: invite.callId, fromTag: 'peer', toTag: invite.fromTag });
    await far.response(200, 'BYE');
    far.reply(invite, 200, ANSWER);
    await expect(calling).rejects.toMatchObject({ code: 'sip-hung-up-early', sipStatus: 480, blame: 'network' });
    await far.request('ACK');
    expect(near.dialogs).toBe(0);
  });
});

describe('a far end that answers with what nobody can read', () => {
  it('is no call, and whoever called hears so at once: a To', async () => {
    const near = await caller();
    const far = await peer();
    const calling = call(near, `sip:a@127.0.0.1:${far.port}`, OFFER);
    const invite = await far.request('INVITE');
    const garbled = createResponse(invite, 200, 'peer').setBody('application/sdp', ANSWER);
    garbled.headers.set('To', '"a <sip:;;;tag=');
    far.reply(invite, 183, ANSWER);
    far.write(garbled.serialize());
    await expect(calling).rejects.toMatchObject({ code: 'sip-malformed', sipStatus: 502, blame: 'network' });
    expect(near.dialogs).toBe(0);
  });

  it('is acknowledged by the way that its ringing proposed: a Record-Route', async () => {
    const near = await caller();
    const far = await peer();
    const calling = call(near, `sip:a@127.0.0.1:${far.port}`, OFFER);
    const invite = await far.request('INVITE');
    far.reply(invite, 183, ANSWER);
    const garbled = createResponse(invite, 200, 'peer').setBody('application/sdp', ANSWER);
    garbled.headers.set('Record-Route', '<sip:[::1>;lr').set('Contact', `<sip:far@127.0.0.1:${far.port}>`);
    far.write(garbled.serialize());
    const session = await calling;
    await far.request('ACK');
    const leaving = session.bye();
    far.reply(await far.request('BYE'), 200);
    await leaving;
  });
});

describe('a call of ours to a name with several servers', () => {
  it('goes to the next one after silence and 503, but not after a phone has rung', async () => {
    const [silent, busy, answering] = [await peer(), await peer(), await peer()];
    const at = (one: UdpPeer, priority: number) =>
      ({ type: 'SRV', priority, weight: 0, port: one.port, target: 'host.example' }) as const;
    const server = await DnsServer.open({
      '_sip._udp.bank.example': [at(silent, 1), at(busy, 2), at(answering, 3)],
      'host.example': [{ type: 'A', address: '127.0.0.1' }],
    });
    open.push(server);
    const near = await caller({ dns: systemDns({ servers: [server.address] }) });
    const calling = call(near, 'sip:a@bank.example', OFFER, { silenceMs: 300 });
    const refused = await busy.request('INVITE');
    busy.reply(refused, 503);
    const invite = await answering.request('INVITE');
    expect([invite.callId, invite.cseq.number]).toEqual([refused.callId, refused.cseq.number]);
    answering.reply(invite, 180);
    answering.reply(invite, 503);
    await expect(calling).rejects.toMatchObject({ sipStatus: 503 });

    // The silent server wakes up, and is told that nobody is there any more.
    const late = await silent.request('INVITE');
    silent.reply(late, 180);
    silent.reply(await silent.request('CANCEL'), 200);
    silent.reply(late, 487);
    await silent.request('ACK');
  });
});

describe('what a call of ours says of extensions', () => {
  it('a longer session interval is agreed to after 422, and refreshed by us where the other side knows no timers', async () => {
    const far = await peer();
    const near = await caller({ sessionTimer: { minSe: 1 } });
    const calling = call(near, `sip:a@127.0.0.1:${far.port}`, OFFER, { sessionExpires: 1 });
    const first = await far.request('INVITE');
    expect(first.headers.get('session-expires')).toBe('1');
    far.reply(first, 422, undefined, ['Min-SE: 2']);
    await far.request('ACK');
    const second = await far.request('INVITE');
    expect([second.headers.get('session-expires'), second.headers.get('min-se')]).toEqual(['2', '2']);
    far.reply(second, 200, ANSWER);
    await far.request('ACK');
    const session = await calling;
    far.reply(await far.request('INVITE'), 200, ANSWER);
    await far.request('ACK');
    expect(session.ended).toBe(false);
    // Nobody answers the next refresh: the call is over.
    far.reply(await far.request('INVITE'), 481);
    expect(await ended(session.signal)).toMatchObject({ by: 'network', status: 481 });
    far.reply(await far.request('BYE'), 481);
  });

  it('reliable provisional responses are offered, insisted on, or not mentioned', async () => {
    const far = await peer();
    const near = await caller();
    for (const [reliable, supported, required] of [
      ['supported', true, false],
      ['required', true, true],
      ['off', false, false],
    ] as const) {
      const calling = call(near, `sip:a@127.0.0.1:${far.port}`, OFFER, { reliable });
      const invite = await far.request('INVITE');
      expect(invite.headers.list('supported').includes('100rel'), reliable).toBe(supported);
      expect(invite.headers.list('require').includes('100rel'), reliable).toBe(required);
      far.reply(invite, 486);
      await expect(calling).rejects.toMatchObject({ sipStatus: 486 });
    }
  });
});
