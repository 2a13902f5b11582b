import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { SipResponse } from '../../src/sip/message/message.ts';
import { OFFER } from '../sip/support.ts';
import { authorize, BANK, gate, invited, LIMITLESS, refused, silence, talk } from './gate.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function at(...args: Parameters<typeof gate>) {
  const it = await gate(...args);
  open.push(it);
  return it;
}

const BOTS = 'bots: [{ name: bank }, { name: closed, announcementOnly: true }]\n';
const ANY = `${BOTS}numbers: [{ any: true, bot: bank }]\n`;
const LOCAL = `${ANY}trunks:
  - { name: local, from: 127.0.0.1 }
`;
const BRANCH = `${LOCAL}  - name: branch
    digest: { users: [{ name: branch, password: "\${BRANCH_PASSWORD}" }] }
`;

describe('a stranger', () => {
  it('is told 403 a few times, then hears nothing, until an operator or time forgives', async () => {
    const { phone, admission, legs } = await at(`${LOCAL}admission: { block: { strikes: 3 } }\n`);
    const [stranger, customer] = [await phone('127.0.0.2'), await phone()];
    await refused(stranger, 403);
    stranger.say('REGISTER', BANK, { callId: 'r' });
    await stranger.response(403, 'REGISTER');
    for (const method of ['INVITE', 'OPTIONS', 'REGISTER']) await silence(stranger, customer, method);
    expect(admission.blocked()).toMatchObject([{ source: '127.0.0.2', reason: 'stranger', dropped: 2 }]);
    expect(legs).toEqual([]);
    expect(admission.unblock('127.0.0.2')).toBe(true);
    await refused(stranger, 403);
  });

  it('that says it is a scanner hears nothing at all', async () => {
    const { phone, admission } = await at(BRANCH);
    const [scanner, customer] = [await phone('127.0.0.2'), await phone()];
    await silence(scanner, customer, 'OPTIONS', ['User-Agent: friendly-scanner']);
    await silence(scanner, customer, 'OPTIONS');
    expect(admission.status()).toMatchObject({ blockedSources: 1, refused: { scanner: 1, blocked: 1 } });
  });

  it('that floods costs no memory, and the calls of others go on as if nothing were', async () => {
    const { phone, admission, frontEnd } = await at(BRANCH);
    const [flood, customer] = [await phone('127.0.0.2'), await phone()];
    const call = await talk(customer);
    for (let i = 0; i < 2_000; i++) {
      flood.say('INVITE', BANK, { callId: `flood-${i}`, body: OFFER });
      flood.write(flood.build('INVITE', BANK, { callId: `garbage-${i}`, cseqMethod: 'NONSENSE' }));
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const other = await talk(customer);
    await other.hangUp();
    await call.hangUp();
    const { refused: why, blockedSources } = admission.status();
    expect(blockedSources).toBe(1);
    expect((why.blocked ?? 0) + (why['source-rate'] ?? 0)).toBeGreaterThan(500);
    // A few challenges and refusals, then silence.
    expect(flood.heard.length).toBeLessThan(50);
    expect(frontEnd.calls).toBe(0);
  });

  it('that is blocked opens no connection either', async () => {
    const { phone, tcpPort, admission } = await at(BRANCH);
    const [scanner, customer] = [await phone('127.0.0.2'), await phone()];
    await silence(scanner, customer, 'OPTIONS', ['User-Agent: sipvicious']);
    const knock = (host: string) =>
      new Promise<string>((resolve) => {
        const socket = connect({ host: '127.0.0.1', port: tcpPort, localAddress: host });
        socket.once('close', () => resolve('closed'));
        socket.once('error', () => resolve('closed'));
        socket.once('data', () => {
          resolve('heard');
          socket.destroy();
        });
        socket.write('\r\n\r\n');
      });
    expect(await Promise.all([knock('127.0.0.2'), knock('127.0.0.1')])).toEqual(['closed', 'heard']);
    expect(admission.blocked()[0]?.dropped).toBe(1);
  });

  it('asking about calls that are not there gets 481, and nothing is kept of it', async () => {
    const { phone } = await at(BRANCH);
    const stranger = await phone('127.0.0.2');
    stranger.say('BYE', BANK, { toTag: 'no-such', callId: 'x' });
    await stranger.response(481, 'BYE');
    stranger.say('CANCEL', BANK, { callId: 'y' });
    await stranger.response(481, 'CANCEL');
  });

  it('asking so in the name of a trunk takes no room from its calls', async () => {
    const { phone, admission } = await at(LOCAL);
    const carrier = await phone();
    for (const method of ['BYE', 'INFO', 'UPDATE', 'INVITE', 'CANCEL']) {
      carrier.say(method, BANK, { ...(method !== 'CANCEL' && { toTag: 'no-such' }), callId: `x-${method}` });
      await carrier.response(481, method);
    }
    // Refused before anything is kept of them.
    expect(admission.status().refused).toEqual({ 'no-such-call': 5 });
    await (await talk(carrier)).hangUp();
  });
});

describe('a trunk with a password', () => {
  it('is asked to prove it, by SHA-256 or MD5, and reaches its bot', async () => {
    const { phone, legs } = await at(BRANCH);
    const pbx = await phone('127.0.0.2');
    for (const algorithm of ['SHA-256', 'MD5'] as const) {
      const challenge = await refused(pbx, 401);
      expect(challenge.headers.lines('www-authenticate').length).toBe(2);
      const call = await talk(pbx, BANK, [authorize(challenge, { algorithm })]);
      await call.hangUp();
    }
    expect(legs.map(({ trunk, bot }) => [trunk, bot])).toEqual([
      ['branch', 'bank'],
      ['branch', 'bank'],
    ]);
  });

  it('may use a nonce again with the next count, but nobody can replay its request', async () => {
    const { phone, legs } = await at(BRANCH);
    const pbx = await phone('127.0.0.2');
    const challenge = await refused(pbx, 401);
    const first = authorize(challenge);
    await (await talk(pbx, BANK, [first])).hangUp();
    const again = await refused(pbx, 401, BANK, [first]);
    expect(again.headers.get('www-authenticate')).toMatch(/stale=true/);
    await (await talk(pbx, BANK, [authorize(challenge, { nc: 2 })])).hangUp();
    const thief = await phone('127.0.0.3');
    const elsewhere = await refused(thief, 401, BANK, [authorize(challenge, { nc: 3 })]);
    expect(elsewhere.headers.get('www-authenticate')).not.toMatch(/stale/);
    expect(legs.length).toBe(2);
  });

  it('is not guessed: after some wrong passwords the source is blocked, and its call that is up goes on', async () => {
    const { phone, admission } = await at(`${BRANCH}admission: { block: { strikes: 3 } }\n`);
    const [pbx, customer] = [await phone('127.0.0.2'), await phone()];
    const call = await talk(pbx, BANK, [authorize(await refused(pbx, 401))]);
    let challenge = await refused(pbx, 401);
    for (const password of ['one', 'two'])
      challenge = await refused(pbx, 401, BANK, [authorize(challenge, { password })]);
    await silence(pbx, customer, 'INVITE', [authorize(challenge, { password: 'three' })]);
    await silence(pbx, customer, 'INVITE', [authorize(challenge)]);
    expect(admission.blocked()).toMatchObject([{ source: '127.0.0.2', reason: 'wrong-password' }]);
    pbx.say('UPDATE', BANK, { callId: call.callId, toTag: call.toTag, cseq: 5, body: OFFER });
    await pbx.response(200, 'UPDATE');
    await call.hangUp();
  });

  it('is asked even where anybody may call, when the caller claims to be its user', async () => {
    const { phone, legs } = await at(`${BRANCH}  - { name: anyone, from: any }\n`);
    const peer = await phone('127.0.0.2');
    await (await talk(peer)).hangUp();
    const claim = peer.build('INVITE', BANK, { callId: 'claim', body: OFFER }).replace('sip:+15550100@', 'sip:branch@');
    peer.write(claim);
    await peer.response(401, 'INVITE');
    expect(legs.map(({ trunk }) => trunk)).toEqual(['anyone']);
  });
});

describe('a trunk known by its address', () => {
  it('is not asked for a password, whatever its callers are called', async () => {
    const { phone, legs } = await at(BRANCH);
    const carrier = await phone();
    const claim = carrier.build('INVITE', BANK, { callId: 'c', body: OFFER }).replace('sip:+15550100@', 'sip:branch@');
    carrier.write(claim);
    const { toTag } = await carrier.response(200, 'INVITE');
    carrier.say('ACK', BANK, { callId: 'c', toTag });
    carrier.say('BYE', BANK, { callId: 'c', toTag, cseq: 2 });
    await carrier.response(200, 'BYE');
    expect(legs.map(({ trunk }) => trunk)).toEqual(['local']);
  });

  it('has as many calls as it may, and as many in a second', async () => {
    const { phone, admission } = await at(`${ANY}trunks:
  - { name: few, from: 127.0.0.1, limits: { calls: 1 } }
  - { name: slow, from: 127.0.0.2, limits: { callsPerSecond: 0.1 } }
`);
    const [few, slow] = [await phone(), await phone('127.0.0.2')];
    const call = await talk(few);
    expect((await refused(few, 503)).headers.get('retry-after')).toBe('5');
    await call.hangUp();
    await expect.poll(() => admission.trunks().trunks[0]?.calls).toBe(0);
    await (await talk(few)).hangUp();
    await (await talk(slow)).hangUp();
    expect((await refused(slow, 503)).headers.get('retry-after')).toBe('10');
    expect(admission.trunks().trunks).toMatchObject([
      { name: 'few', accepted: 2, refused: 1, limits: { calls: 1 } },
      { name: 'slow', accepted: 1, refused: 1, limits: { callsPerSecond: 0.1 } },
    ]);
  });

  it('cannot be made to seem an attacker by those who forge its address', async () => {
    const { phone, admission } = await at(LOCAL);
    const carrier = await phone();
    for (let i = 0; i < 50; i++) {
      carrier.say('OPTIONS', BANK, { callId: `forged-${i}`, headers: ['User-Agent: friendly-scanner'] });
      await carrier.response(200, 'OPTIONS');
    }
    expect(admission.blocked()).toEqual([]);
    await (await talk(carrier)).hangUp();
  });

  it('is believed about who calls only where the configuration says so', async () => {
    const { phone, legs } = await at(`${ANY}trunks:
  - { name: carrier, from: 127.0.0.1, trustIdentity: true }
  - { name: other, from: 127.0.0.2 }
`);
    const asserted = ['P-Asserted-Identity: <sip:+15550199@carrier.example>'];
    for (const host of ['127.0.0.1', '127.0.0.2']) await (await talk(await phone(host), BANK, asserted)).hangUp();
    expect(legs.map(({ remote }) => remote.number)).toEqual(['+15550199', '+15550100']);
  });
});

describe('an edge before several trunks', () => {
  const EDGE = `${ANY}trunks:
  - { name: edge, from: 127.0.0.1 }
  - { name: carrier, behind: edge, trustIdentity: true, limits: { calls: 1 } }
  - { name: elsewhere, from: 127.0.0.2 }
`;

  it('says whose call it is; what it does not name is its own', async () => {
    const { phone, legs } = await at(EDGE);
    const edge = await phone();
    const asserted = 'P-Asserted-Identity: <sip:+15550199@carrier.example>';
    for (const headers of [['X-Trunk: carrier', asserted], ['X-Trunk: nobody', asserted], [asserted]]) {
      await (await talk(edge, BANK, headers)).hangUp();
    }
    expect(legs.map(({ trunk, remote }) => [trunk, remote.number])).toEqual([
      ['carrier', '+15550199'],
      ['edge', '+15550100'],
      ['edge', '+15550100'],
    ]);
  });

  it('has the limits of each of them, and nobody else can use their names', async () => {
    const { phone, legs, admission } = await at(EDGE);
    const [edge, stranger] = [await phone(), await phone('127.0.0.2')];
    const call = await talk(edge, BANK, ['X-Trunk: carrier']);
    await refused(edge, 503, BANK, ['X-Trunk: carrier']);
    await (await talk(stranger, BANK, ['X-Trunk: carrier'])).hangUp();
    await call.hangUp();
    expect(legs.map(({ trunk }) => trunk)).toEqual(['carrier', 'elsewhere']);
    expect(admission.trunks().trunks[1]).toMatchObject({ name: 'carrier', knownBy: ['edge'], refused: 1 });
  });
});

describe('numbers', () => {
  it('lead to their bots, to another one outside the hours, or nowhere', async () => {
    const { phone, legs } = await at(`${BOTS}trunks: [{ name: local, from: 127.0.0.1 }]
hours: [{ name: never, zone: UTC, week: {} }]
numbers:
  - { number: "+15550100", bot: bank }
  - { prefix: "+1555", bot: bank, hours: never, closed: { bot: closed } }
  - { number: sales, bot: bank, hours: never, closed: { status: 480, retryAfterSeconds: 600 } }
  - { number: gone, refuse: { status: 603 } }
`);
    const peer = await phone();
    for (const user of ['+15550100', '+1555(0199)']) await (await talk(peer, `sip:${user}@127.0.0.1`)).hangUp();
    await (await talk(peer, 'tel:+1-555-0100')).hangUp();
    expect(legs.map(({ bot }) => bot)).toEqual(['bank', 'closed', 'bank']);
    expect((await refused(peer, 480, 'sip:sales@127.0.0.1')).headers.get('retry-after')).toBe('600');
    await refused(peer, 603, 'sip:gone@127.0.0.1');
    await refused(peer, 404, 'sip:nobody@127.0.0.1');
  });

  it('are edited while calls are up: a good edit is in force, a bad one is not', async () => {
    const { phone, legs, write, config } = await at(LOCAL);
    const peer = await phone();
    const call = await talk(peer);
    write(LOCAL.replace('any: true, bot: bank', 'any: true, bot: closed'));
    expect(config.reload()).toBe(true);
    await (await talk(peer)).hangUp();
    write(LOCAL.replace('any: true, bot: bank', 'any: true, bot: none'));
    expect(config.reload()).toBe(false);
    await (await talk(peer)).hangUp();
    expect(legs.map(({ bot }) => bot)).toEqual(['bank', 'closed', 'closed']);
    await call.hangUp();
  });
});

describe('when there is no room', () => {
  it('new calls are refused with 503, and those that are up go on', async () => {
    const { phone, admission } = await at(LOCAL, { maxCalls: 1 });
    const peer = await phone();
    const call = await talk(peer);
    expect((await refused(peer, 503)).headers.get('retry-after')).toBe('5');
    await call.hangUp();
    await expect.poll(() => admission.status().calls).toBe(0);
    await (await talk(peer)).hangUp();
    expect(admission.status()).toMatchObject({ state: 'open', accepted: 2, refused: { calls: 1 } });
  });

  it('an operator can stop all new calls, and let them in again', async () => {
    const { phone, admission } = await at(LOCAL);
    const peer = await phone();
    const call = await talk(peer);
    admission.stop(true);
    await refused(peer, 503);
    peer.say('OPTIONS', BANK, { callId: 'o' });
    await peer.response(503, 'OPTIONS');
    await call.hangUp();
    expect(admission.status().state).toBe('stopped');
    admission.stop(false);
    await (await talk(peer)).hangUp();
  });

  it('a process that has too much to do takes no calls until it is better', async () => {
    const { phone, admission } = await at(LOCAL, { load: { ...LIMITLESS, memory: 1e-6 } });
    const peer = await phone();
    const call = await talk(peer);
    await expect.poll(() => admission.status().state).toBe('overloaded');
    expect(admission.status()).toMatchObject({ overload: 'memory', share: 0 });
    await refused(peer, 503);
    peer.say('OPTIONS', BANK, { callId: 'full' });
    await peer.response(503, 'OPTIONS');
    await call.hangUp();
  });

  it('a process that has no time to answer anybody for a moment goes on telling others that it is there, and lets wait who may', async () => {
    // Read late from the beginning on, and nobody answers: four are set up at once, and that is all.
    let [receiveDelay, stoppedAt] = [400, Number.NaN];
    const clock = { ...systemClock, now: () => (Number.isNaN(stoppedAt) ? systemClock.now() : stoppedAt) };
    const load = { ...LIMITLESS, setupMs: 300 };
    const starved = { answerAfterMs: 10_000, receiveDelayMs: () => receiveDelay, load, clock };
    const { phone, admission } = await at(LOCAL, starved);
    const peer = await phone();
    await expect.poll(() => admission.status().overload, { timeout: 10_000 }).toBe('receiveMs');
    for (let calls = 0; admission.status().share > 0; calls++) {
      peer.say('INVITE', BANK, { callId: `one-${calls}`, branch: peer.branch(), body: OFFER });
      await sleep(20);
    }
    peer.say('OPTIONS', BANK, { callId: 'starved' });
    await peer.response(200, 'OPTIONS');
    // What it waited unread is of its patience.
    receiveDelay = 1400;
    peer.say('INVITE', BANK, { callId: 'patient', branch: peer.branch(), headers: ['X-May-Wait: 20'], body: OFFER });
    await expect.poll(() => admission.status().waiting).toBe(1);
    stoppedAt = systemClock.now() + 19_000;
    await peer.next(
      (m) => m instanceof SipResponse && m.status === 503 && m.headers.get('call-id') === 'patient',
      'the refusal of what has waited too long',
    );
  });

  it('a process that is short of time refuses some calls, so that an edge takes them elsewhere, and carries the others', async () => {
    // Each set-up takes too long, so those that come together are too many; as long as it takes a busy machine to read them all.
    const { phone, admission } = await at(LOCAL, { answerAfterMs: 400, load: { ...LIMITLESS, setupMs: 100 } });
    const peer = await phone();
    let calls = 0;
    const tried = async (headers: string[] = []): Promise<number> => {
      const facts = { callId: `crowd-${calls++}`, branch: peer.branch() };
      const { status, toTag } = await invited(peer, BANK, { ...facts, headers }, (got) => got >= 200);
      if (status !== 200) peer.say('ACK', BANK, { ...facts, toTag });
      else {
        peer.say('ACK', BANK, { callId: facts.callId, toTag });
        peer.say('BYE', BANK, { callId: facts.callId, toTag, cseq: 9 });
        await peer.next(
          (m) => m instanceof SipResponse && m.cseq.method === 'BYE' && m.callId === facts.callId,
          `the end of ${facts.callId}`,
        );
      }
      return status;
    };
    const crowd = (headers?: string[]) => Promise.all(Array.from({ length: 12 }, () => tried(headers)));
    while (admission.status().overload === undefined) await crowd();
    expect(admission.status()).toMatchObject({ state: 'overloaded', overload: 'setupMs' });
    expect(admission.status().bounds.atOnce).toBeLessThan(12);
    expect(new Set(await crowd())).toEqual(new Set([200, 503]));
    expect(admission.status().refused).toHaveProperty('setupMs');
    peer.say('OPTIONS', BANK, { callId: 'busy' });
    await peer.response(200, 'OPTIONS');
    // Who may wait does, and is taken when there is time.
    const patient = crowd(['X-May-Wait: 20']);
    expect(await tried()).toBe(503);
    expect(new Set(await patient)).toEqual(new Set([200]));
    // Without callers there is nothing to be short of time for.
    await expect.poll(() => admission.status().share, { timeout: 30_000 }).toBe(1);
  });
});
