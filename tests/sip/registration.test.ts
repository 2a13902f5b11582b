import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { digestSecret } from '../../src/sip/auth/digest.ts';
import { DigestClient } from '../../src/sip/auth/digest-client.ts';
import { DigestGuard } from '../../src/sip/auth/digest-guard.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { createResponse } from '../../src/sip/message/response.ts';
import type { Registration, RegistrationOptions } from '../../src/sip/session/registration.ts';
import { RegistrationMachine } from '../../src/sip/session/registration-machine.ts';
import { listen, PATIENT, UdpPeer } from './support.ts';

describe('when to register', () => {
  const machine = (random = 0.5) => new RegistrationMachine(600, () => random);

  it('well before the binding runs out', () => {
    const one = machine();
    one.ask();
    one.granted(300, 1_000);
    expect(one.boundUntil).toBe(301_000);
    expect(one.askAt).toBeCloseTo(1_000 + 300_000 * 0.775, 3);
  });

  it('at once with the interval that a 423 wants, and not for ever', () => {
    const one = machine();
    one.ask();
    one.refused({ status: 423, minExpires: 900 }, 5_000);
    expect([one.expires, one.askAt]).toEqual([900, 5_000]);
    one.ask();
    one.refused({ status: 423, minExpires: 900 }, 6_000);
    expect(one.askAt).toBeGreaterThan(6_000 + 2_000);
  });

  it('after failures with growing pauses, longer where the account is wrong, never sooner than Retry-After', () => {
    const pauses = (status: number, random: number, retryAfterMs?: number) => {
      const one = machine(random);
      return Array.from({ length: 9 }, () => {
        one.ask();
        one.refused({ status, retryAfterMs }, 0);
        return one.askAt! / 1_000;
      });
    };
    expect(pauses(408, 1)).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600]);
    expect(pauses(408, 0)).toEqual([2.5, 5, 10, 20, 40, 80, 160, 300, 300]);
    expect(pauses(403, 1).slice(0, 3)).toEqual([60, 120, 240]);
    expect(pauses(503, 1, 30_000).slice(0, 4)).toEqual([30, 30, 30, 40]);
  });

  it('never sooner than half a pause, and while registered always before the end, whatever happens', () => {
    const outcome = fc.oneof(
      fc.record({ expires: fc.integer({ min: 1, max: 7_200 }) }),
      fc.record({
        status: fc.constantFrom(408, 403, 423, 500, 503),
        minExpires: fc.nat(10_000),
        retryAfterMs: fc.nat(10_000_000),
      }),
    );
    fc.assert(
      fc.property(fc.array(outcome), fc.double({ min: 0, max: 0.999, noNaN: true }), (outcomes, chance) => {
        const one = machine(chance);
        let now = 0;
        for (const happened of outcomes) {
          one.ask();
          if ('expires' in happened) {
            one.granted(happened.expires, now);
            expect(one.askAt).toBeLessThan(one.boundUntil);
          } else {
            const before = one.expires;
            one.refused(happened, now);
            if (one.expires === before) expect(one.askAt! - now).toBeGreaterThanOrEqual(2_500);
            expect(one.askAt! - now).toBeLessThan(3_600_001);
          }
          now = one.askAt!;
        }
      }),
    );
  });
});

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A registrar that says what the test wants, and a user agent that registers there. */
async function registering(facts: Partial<RegistrationOptions> = {}) {
  const registrar = await UdpPeer.open();
  const { ua, udp } = await listen({ timers: PATIENT });
  open.push(registrar, ua);
  const changes: (string | undefined)[] = [];
  const registration: Registration = ua.register({
    registrar: `sip:127.0.0.1:${registrar.port}`,
    aor: '"Bank" <sip:200@pbx.test>',
    expires: 60,
    onChange: ({ failure }) => changes.push(failure),
    ...facts,
  });
  const grant = (request: SipRequest, seconds: number | undefined, headers: Record<string, string> = {}) => {
    const response = createResponse(request, 200, 'registrar');
    const expires = seconds === undefined ? '' : `;expires=${seconds}`;
    // As registrars do: all bindings, ours among them.
    const others = '<sip:200@192.0.2.9>;expires=3000';
    response.headers.set('Contact', `${others}, ${request.headers.get('contact')!.replace(/;expires=\d+$/, expires)}`);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    registrar.write(response.serialize());
  };
  return { registrar, ua, udp, registration, changes, grant };
}

describe('a registration', () => {
  it('shows its password, keeps itself alive, and is taken back', async () => {
    const guard = new DigestGuard();
    const secrets = { 'SHA-256': digestSecret('SHA-256', '200', 'pbx.test', 'open sesame') };
    const verdict = (request: SipRequest) => guard.verify(request, 'pbx.test', '127.0.0.1', 1_000, () => secrets).kind;
    const auth = new DigestClient({ username: '200', password: 'open sesame' });
    const { registrar, registration, changes, grant, udp } = await registering({ auth });
    const first = await registrar.request('REGISTER');
    expect(first.uri).toBe(`sip:127.0.0.1:${registrar.port}`);
    expect([first.headers.get('to'), first.from.uri]).toEqual(['"Bank" <sip:200@pbx.test>', 'sip:200@pbx.test']);
    expect(first.headers.get('contact')).toMatch(
      new RegExp(`^<sip:200@127\\.0\\.0\\.1:${udp};rid=[\\w-]+>;expires=60$`),
    );
    const challenges = guard.challenge('pbx.test', '127.0.0.1', 1_000);
    registrar.reply(
      first,
      401,
      undefined,
      challenges.map((value) => `WWW-Authenticate: ${value}`),
    );
    const second = await registrar.request('REGISTER');
    expect(verdict(second)).toBe('accepted');
    expect([second.callId, second.cseq.number]).toEqual([first.callId, first.cseq.number + 1]);
    grant(second, 1, { 'Service-Route': '<sip:edge.pbx.test;lr>' });
    await expect.poll(() => registration.bound).toBe(true);
    expect(registration.serviceRoute).toEqual(['<sip:edge.pbx.test;lr>']);

    const refresh = await registrar.request('REGISTER');
    expect(verdict(refresh)).toBe('accepted');
    expect([refresh.callId, refresh.cseq.number, refresh.headers.get('contact')]).toEqual([
      first.callId,
      second.cseq.number + 1,
      first.headers.get('contact'),
    ]);
    grant(refresh, 60);
    await expect.poll(() => changes).toEqual([undefined, undefined]);

    const leaving = registration.close();
    const last = await registrar.request('REGISTER');
    expect([last.headers.get('expires'), last.headers.get('contact')?.endsWith(';expires=0')]).toEqual(['0', true]);
    registrar.reply(last, 200);
    await leaving;
    expect([registration.state, registration.bound]).toEqual(['gone', false]);
    await registration.close();
  });

  it('asks for longer where the registrar wants that', async () => {
    const { registrar, registration, grant } = await registering();
    registrar.reply(await registrar.request('REGISTER'), 423, undefined, ['Min-Expires: 300']);
    const second = await registrar.request('REGISTER');
    expect(second.headers.get('expires')).toBe('300');
    grant(second, undefined, { Expires: '300' });
    await expect.poll(() => registration.state).toBe('registered');
    void registration.close();
    registrar.reply(await registrar.request('REGISTER'), 200);
  });

  it.each([
    ['silence', undefined, 'REGISTER was not answered'],
    ['403', 403, '403 Forbidden'],
    ['503', 503, '503 Service Unavailable'],
  ])('waits after %s and says why, and stopping does not wait', async (_, status, why) => {
    const { registrar, registration, changes } = await registering({ silenceMs: 200 });
    const request = await registrar.request('REGISTER');
    if (status !== undefined) registrar.reply(request, status);
    await expect.poll(() => changes).toEqual([why]);
    expect([registration.state, registration.bound, registration.failure]).toEqual(['waiting', false, why]);
    await registration.close();
    expect(registration.state).toBe('gone');
  });

  it('that the registrar says yes to and does not keep is none', async () => {
    const { registrar, registration } = await registering();
    const response = createResponse(await registrar.request('REGISTER'), 200, 'registrar');
    response.headers.set('Contact', '<sip:200@192.0.2.9>;expires=3000');
    registrar.write(response.serialize());
    await expect.poll(() => registration.state).toBe('waiting');
    await registration.close();
  });

  it.each([
    ['tells its time in a way that nobody can read', ';expires=1>;q="', 60],
    ['promises more time than was asked for', '>;expires=2000000000', 60],
  ])('goes on where the registrar %s', async (_what, tail, seconds) => {
    const { registrar, registration } = await registering();
    const request = await registrar.request('REGISTER');
    const response = createResponse(request, 200, 'registrar');
    response.headers.set('Contact', request.headers.get('contact')!.replace(/>;expires=\d+$/, tail));
    registrar.write(response.serialize());
    await expect.poll(() => registration.state).toBe('registered');
    expect(registration.boundUntil).toBeLessThan(monotonicNow() + seconds * 1_000 + 1);
    void registration.close();
    registrar.reply(await registrar.request('REGISTER'), 200);
  });

  it('that is closed while it is asked for is taken back once it is there', async () => {
    const { registrar, registration, grant } = await registering();
    const request = await registrar.request('REGISTER');
    const leaving = registration.close();
    grant(request, 60);
    const last = await registrar.request('REGISTER');
    expect(last.headers.get('expires')).toBe('0');
    registrar.reply(last, 200);
    await leaving;
  });
});
