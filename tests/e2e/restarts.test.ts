import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OFFER, UdpPeer } from '../sip/support.ts';
import { recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { freePort } from '../support/free-port.ts';
import { DialRefused } from '../support/phone/failures.ts';
import { Customers } from './customers.ts';

const customers = new Customers();
let connector: Connector;
let port: { SIP_PORT: string };

beforeAll(async () => {
  port = { SIP_PORT: String(await freePort()) };
  connector = await startConnector({ ...port, DRAIN_SECONDS: '60' });
});
afterEach(() => customers.leave());
afterAll(async () => {
  await connector.stop();
  await customers.close();
});

// One connector, in the folder of the one before it each time.
describe('when the connector', () => {
  it('is told to stop, it refuses new calls, says so on /ready, and lets the running one end', async () => {
    const { url, sipPort, dataDir } = connector;
    const phone = await customers.greeted(connector);
    connector.process.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(503);
    const late = await customers.phone();
    await expect(late.dial(`sip:bank@127.0.0.1:${sipPort}`)).rejects.toThrow(DialRefused);
    await customers.askBalance(connector, phone);
    await phone.hangup();
    expect(await connector.stop({ keepData: true })).toBe(0);
    connector = await startConnector({ ...port, RECORDING_DELAY_SECONDS: '0' }, dataDir);
    expect(await recordedCall(connector, phone.sipCallId)).toMatchObject({
      status: 'COMPLETED',
      endCause: 'caller-hangup',
    });
  });

  it('is told to stop and a caller never acknowledges its answer, it hangs up and goes all the same', async () => {
    await connector.stop({ keepData: true });
    connector = await startConnector({ ...port, DRAIN_SECONDS: '1' }, connector.dataDir);
    const caller = await UdpPeer.open(connector.sipPort);
    caller.say('INVITE', `sip:bank@127.0.0.1:${connector.sipPort}`, { body: OFFER, callId: 'never-acknowledged' });
    await caller.response(200, 'INVITE');
    const ended = connector.stop({ keepData: true });
    // Within this peer's ten seconds, and not only when the answer is given up after 32: who stops us may kill us before.
    await caller.request('BYE');
    expect(await ended).toBe(0);
    caller.close();
    connector = await startConnector({ ...port, RECORDING_DELAY_SECONDS: '0' }, connector.dataDir);
    expect(await recordedCall(connector, 'never-acknowledged')).toMatchObject({
      status: 'INTERRUPTED',
      endCause: 'process-shutdown',
    });
  });

  it('crashes, no session stays active: the next start closes it truthfully, and the port is free', async () => {
    const phone = await customers.greeted(connector);
    await recordedCall(connector, phone.sipCallId, (call) => call.utterances.length > 0);
    await connector.stop({ signal: 'SIGKILL', keepData: true });
    connector = await startConnector(port, connector.dataDir);
    expect(await recordedCall(connector, phone.sipCallId)).toMatchObject({
      status: 'INTERRUPTED',
      endCause: 'process-crashed',
      recording: { durationMs: expect.any(Number) },
    });
  });

  it('is told to stop before it is ready, it does not first become so, and lets go of its database', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'connector-'));
    const stopped = startConnector({}, dataDir, (child) => {
      child.stdout!.once('data', () => child.kill('SIGTERM'));
    }).then(
      () => 'ready',
      (error: Error) => error.message,
    );
    expect(await stopped).toMatch(/^the connector ended with 0:.*stopped before it was ready/s);
    // The same folder serves at once: nobody holds it.
    const again = await startConnector({}, dataDir);
    expect(await again.stop()).toBe(0);
  });

  it('gets a bad setting, it does not start and says why in one line', async () => {
    const refused = await startConnector({ SIP_PORT: '99999', LLM_PROVIDER: 'crystal-ball' }).then(
      () => 'started',
      (error: Error) => error.message,
    );
    expect(refused).toMatch(/bad setting: .*SIP_PORT.*LLM_PROVIDER/);
  });
});
