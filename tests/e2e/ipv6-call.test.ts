import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone } from '../support/phone/phone.ts';

let connector: Connector;
beforeAll(async () => {
  connector = await startConnector({ SIP_HOST: '::1' });
});
afterAll(async () => {
  await connector.stop();
});

it.each(['udp', 'tcp'] as const)('a caller on IPv6 (%s) hears the bot, and is on record', async (transport) => {
  const phone = await Phone.open({ host: '::1', transport });
  try {
    await phone.dial(`sip:bank@[::1]:${transport === 'udp' ? connector.sipPort : connector.sipTcpPort}`);
    // A second of sound in 20 ms packets.
    await expect.poll(() => phone.packets.length).toBeGreaterThan(50);
    await phone.hangup();
  } finally {
    await phone.close();
  }
  const recorded = async () => {
    const page = await connector.api<{ calls: { callerIdentity: string; status: string }[] }>('/api/v1/calls?limit=1');
    return page.calls[0];
  };
  await expect.poll(recorded).toMatchObject({ callerIdentity: expect.stringContaining('+15550100') });
});
