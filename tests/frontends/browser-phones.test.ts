import { describe, expect, it } from 'vitest';
import type { PhoneGrant } from '../../src/call/phone-desk.ts';
import { PhoneRegistrar } from '../../src/frontends/embedded/phone-registrar.ts';
import { BrowserPhones } from '../../src/frontends/trunks/browser-phones.ts';
import { digestSecret } from '../../src/sip/auth/digest.ts';
import { SipRequest } from '../../src/sip/message/message.ts';
import type { Flow } from '../../src/sip/transport/flow.ts';
import { ManualTime } from '../support/manual-time.ts';

const MINUTE = 60_000;
const ID = '0b0f5c5e-6f1c-4b0e-9d57-2f6b8f7a1c11';

describe('credentials of a phone in a browser', () => {
  const grants: PhoneGrant[] = [
    { may: 'call' },
    { may: 'supervise', supervisionId: ID },
    { may: 'be-called', name: 'anna.b-2' },
  ];

  it.each(grants)('say in their name what they are good for: %j', async (grant) => {
    const time = new ManualTime();
    const phones = new BrowserPhones(time);
    const { username, password, expiresAt } = phones.issue(grant);
    expect(phones.isPhone(username)).toBe(true);
    expect(phones.secretsOf(username, 'r')).toEqual({ MD5: digestSecret('MD5', username, 'r', password) });
    const until = new Date(Math.floor(expiresAt.getTime() / 1000) * 1000);
    expect(phones.grantOf(username)).toEqual({ ...grant, until });
    await time.pass(grant.may === 'be-called' ? 12 * 60 * MINUTE : 10 * MINUTE);
    expect(phones.secretsOf(username, 'r')).toBeUndefined();
  });

  it('are worth nothing with another purpose, another time or at another instance', () => {
    const phones = new BrowserPhones(new ManualTime());
    const { username, password } = phones.issue({ may: 'call' });
    const secret = (name: string, of = phones) => of.secretsOf(name, 'r')?.MD5;
    const right = digestSecret('MD5', username, 'r', password);
    expect(secret(username)).toBe(right);
    for (const name of [`${username}-supervise-${ID}`, `${username}-as-anna`]) {
      expect(secret(name)).toBeDefined();
      expect(secret(name)).not.toBe(digestSecret('MD5', name, 'r', password));
    }
    const later = username.replace(/^phone-\d+/, 'phone-99999999999');
    expect(secret(later)).not.toBe(digestSecret('MD5', later, 'r', password));
    expect(secret(username, new BrowserPhones(new ManualTime()))).not.toBe(right);
    for (const name of [`${username}-as-`, `${username}-as--x`, `${username}-supervise-x`, `${username}-x`, 'phone-'])
      expect(phones.grantOf(name)).toBeUndefined();
  });
});

describe('the registrar of phones in browsers', () => {
  const anna = (time: ManualTime) => ({
    may: 'be-called' as const,
    name: 'anna',
    until: new Date(time.wall().getTime() + 60 * MINUTE),
  });

  function webSocket(): Flow & { open: boolean } {
    return { open: true, protocol: 'wss' } as Flow & { open: boolean };
  }

  function register(contact: string | undefined, headers: Record<string, string> = {}): SipRequest {
    const request = new SipRequest('REGISTER', 'sip:bank');
    if (contact !== undefined) request.headers.set('Contact', contact);
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    return request;
  }

  it('knows where a name is, as long as its time and its connection last', async () => {
    const time = new ManualTime();
    const registrar = new PhoneRegistrar(time);
    const flow = webSocket();
    const answer = registrar.register(register('<sip:x@y.invalid;transport=ws>;expires=600'), flow, anna(time));
    expect(answer).toEqual({ status: 200, headers: { Contact: '<sip:x@y.invalid;transport=ws>;expires=120' } });
    expect(registrar.find('anna')).toMatchObject({ contact: 'sip:x@y.invalid;transport=ws', flow });
    const since = registrar.list()[0]!.since;
    await time.pass(100_000);
    registrar.register(register('<sip:x@y.invalid;transport=ws>', { Expires: '120' }), flow, anna(time));
    await time.pass(100_000);
    expect(registrar.list()).toEqual([{ name: 'anna', since }]);
    await time.pass(20_000);
    expect(registrar.find('anna')).toBeUndefined();
    registrar.register(register('<sip:x@y.invalid>'), flow, anna(time));
    flow.open = false;
    expect([registrar.find('anna'), registrar.list()]).toEqual([undefined, []]);
  });

  it('rings the page that signed in last; the one before takes only itself away', () => {
    const time = new ManualTime();
    const registrar = new PhoneRegistrar(time);
    const [first, second] = [webSocket(), webSocket()];
    registrar.register(register('<sip:a@one.invalid>'), first, anna(time));
    registrar.register(register('<sip:a@two.invalid>'), second, anna(time));
    registrar.register(register('<sip:a@one.invalid>;expires=0'), first, anna(time));
    expect(registrar.find('anna')?.contact).toBe('sip:a@two.invalid');
    registrar.register(register('*', { Expires: '0' }), second, anna(time));
    expect(registrar.find('anna')).toBeUndefined();
  });

  it('lets nobody register who was let in for something else, and no longer than they were let in', async () => {
    const time = new ManualTime();
    const registrar = new PhoneRegistrar(time);
    const until = new Date(time.wall().getTime() + 30_000);
    expect(registrar.register(register('<sip:a@b>'), webSocket(), undefined).status).toBe(405);
    expect(registrar.register(register('<sip:a@b>'), webSocket(), { may: 'call', until }).status).toBe(405);
    expect(registrar.register(register('<sip:a@b>'), webSocket(), { ...anna(time), until }).headers).toEqual({
      Contact: '<sip:a@b>;expires=30',
    });
    for (const contact of ['<sip:a@b', '*'])
      expect(registrar.register(register(contact), webSocket(), anna(time)).status).toBe(400);
  });
});
