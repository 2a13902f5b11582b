import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, startPbx } from '../edge/edge.ts';
import { OFFER } from '../sip/support.ts';
import { freePort } from '../support/free-port.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone } from '../support/phone/phone.ts';
import { gate, refused } from './gate.ts';

/** Nobody is let in by address: whoever gets in comes by way of the PBX. */
const config = (
  port: number,
  more = '',
) => `trunks: [{ name: users, digest: { users: [{ name: x, password: "\${PASSWORD}" }] } }]
bots: [{ name: desk }, { name: other }]
numbers: [{ number: "200", bot: desk, trunks: [pbx] }]
registrations:
  - name: pbx
    registrar: "sip:127.0.0.1:${port}"
    user: "200"
    displayName: The Bank
    auth: { user: "200", password: "\${PASSWORD}" }
    expiresSeconds: 60${more}
gateways:
  - name: pbx-out
    to: "127.0.0.1:${port}"
    destinations: [{ pattern: "[2-4]00" }]
    from: { number: "200" }
    auth: { user: "200", password: "\${PASSWORD}" }
    pingSeconds: 1
`;

describe('as an extension of a PBX (Kamailio)', () => {
  let far: AnsweringPhone;
  let pbx: Edge;
  let port: number;
  let bank: Awaited<ReturnType<typeof gate>>;
  const env = { PASSWORD: 'open sesame' };
  const registered = () => bank.frontEnd.outbound.registrations()[0];

  beforeAll(async () => {
    far = await AnsweringPhone.open({ ringMs: 50 });
    port = await freePort();
    bank = await gate(config(port), { env });
    pbx = await startPbx({ password: env.PASSWORD, far: far.endpoint.wire.local.port, maxExpires: 3, port });
  });
  afterAll(async () => {
    await bank?.close();
    await pbx?.stop();
    await far?.close();
  });

  it('registers as soon as the PBX is there, and stays registered', async () => {
    await expect.poll(() => registered()?.registered, { timeout: 20_000 }).toBe(true);
    expect(registered()).toMatchObject({ name: 'pbx', aor: '"The Bank" <sip:200@127.0.0.1>', lastFailure: undefined });
    const { expiresAt } = registered()!;
    // The PBX grants three seconds, whatever is asked for.
    expect(expiresAt!.getTime() - Date.now()).toBeLessThan(3_100);
    await expect.poll(() => registered()!.expiresAt!.getTime()).toBeGreaterThan(expiresAt!.getTime());
    expect(registered()!.registered).toBe(true);
  });

  it('is called by its number there, and the call is of that registration', async () => {
    const phone = await Phone.open();
    try {
      await phone.dial(`sip:200@127.0.0.1:${port}`);
      expect(bank.legs.at(-1)).toMatchObject({ trunk: 'pbx', bot: 'desk', remote: { number: '+15550100' } });
      await phone.hangup();
    } finally {
      await phone.close();
    }
    // Neither by the number alone nor with a guess at the mark of our Contact.
    const stranger = await bank.phone('127.0.0.9');
    await refused(stranger, 401, 'sip:200@127.0.0.1');
    await refused(stranger, 401, 'sip:200@127.0.0.1;rid=guess');
  });

  it('calls other extensions, showing its password to the INVITE and the BYE', async () => {
    const leg = await bank.frontEnd.dialler.dial({ to: '300', offer: () => OFFER }, new AbortController().signal);
    expect(leg).toMatchObject({ gateway: 'pbx-out', attempts: 0 });
    await leg.hangup();
    await expect.poll(() => far.calls.at(-1)?.end).toMatchObject({});
    const nobody = bank.frontEnd.dialler.dial({ to: '400', offer: () => OFFER }, new AbortController().signal);
    await expect(nobody).rejects.toMatchObject({ code: 'dial-no-answer', sipStatus: 480 });
    expect(bank.frontEnd.outbound.gateways()).toMatchObject([
      { name: 'pbx-out', state: 'up', calls: 0, callsToday: 2, outcomes: { answered: 1, 'no-answer': 1 } },
    ]);
  });

  it('follows its configuration: another bot answers after a reload, and without the entry nobody can call', async () => {
    bank.write(config(port, '\n    bot: other'));
    bank.config.reload();
    await expect.poll(() => registered()?.registered).toBe(true);
    const phone = await Phone.open();
    try {
      await phone.dial(`sip:200@127.0.0.1:${port}`);
      expect(bank.legs.at(-1)).toMatchObject({ trunk: 'pbx', bot: 'other' });
      await phone.hangup();
      bank.write('trunks: [{ name: users, from: 192.0.2.1 }]');
      bank.config.reload();
      expect(bank.frontEnd.outbound.registrations()).toEqual([]);
      const late = await Phone.open();
      await expect(late.dial(`sip:200@127.0.0.1:${port}`)).rejects.toThrow(/480/);
      await late.close();
    } finally {
      await phone.close();
    }
  });

  it('says that it is not registered while the PBX is away, and its gateway is down', async () => {
    bank.write(config(port));
    bank.config.reload();
    await expect.poll(() => registered()?.registered).toBe(true);
    await pbx.stop();
    await expect.poll(() => registered()).toMatchObject({ registered: false, state: 'waiting' });
    expect(registered()!.lastFailure).toMatch(/not answered|refused/i);
    await expect.poll(() => bank.frontEnd.outbound.gateways()[0]?.state).toBe('down');
  });
});
