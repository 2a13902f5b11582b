import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase } from '../store/support/database.ts';
import { heardFromBot, recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { freePort } from '../support/free-port.ts';
import { DialRefused } from '../support/phone/failures.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';

const db = openTestDatabase();
const phones: Phone[] = [];
const connectors: Connector[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunks-'));
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});
afterAll(async () => {
  await Promise.all(connectors.map((connector) => connector.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function connector(env: Record<string, string> = {}, dataDir?: string): Promise<Connector> {
  const started = await startConnector({ DATABASE_URL: db.postgres.connectionString, ...env }, dataDir);
  connectors.push(started);
  return started;
}

async function phone(options: PhoneOptions = {}): Promise<Phone> {
  const opened = await Phone.open(options);
  phones.push(opened);
  return opened;
}

async function call(to: Connector, user = 'bank', options: PhoneOptions = {}): Promise<Phone> {
  const caller = await phone(options);
  await caller.dial(`sip:${user}@127.0.0.1:${to.sipPort}`);
  return caller;
}

/** The status and Retry-After with which a call is refused. */
async function refusal(
  to: Connector,
  user = 'bank',
  options: PhoneOptions = {},
): Promise<[number, number | undefined]> {
  const error: unknown = await call(to, user, options).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(DialRefused);
  const { status, end } = error as DialRefused;
  return [status, end.retryAfterSeconds];
}

const post = (to: Connector, path: string, body: object = {}) => to.send('POST', `/api/v1${path}`, body);

const metrics = async (of: Connector) => (await fetch(`${of.url}/metrics`)).text();

const CONFIG = `bots:
  - { name: bank, voice: rms, actions: [] }
  - name: closed
    announcementOnly: true
    prompts: { greeting: We are closed today. Please call again tomorrow. }
hours: [{ name: never, zone: UTC, week: {} }]
trunks: [{ name: local, from: 127.0.0.1, limits: { calls: 2 } }]
numbers:
  - { number: bank, bot: bank }
  - { number: "100", bot: bank, hours: never, closed: { bot: closed } }
`;

describe('a connector with a configuration of its own', () => {
  let it1: Connector;
  beforeAll(async () => {
    await writeFile(join(folder, 'sip.yaml'), CONFIG);
    it1 = await connector({ SIP_CONFIG: folder, TENANT_ID: 'own', INSTANCE_ID: 'own' });
  });

  it('tells a caller outside the hours that the bank is closed, to the end, and hangs up', async () => {
    const caller = await call(it1, '100');
    await caller.waitForHangup();
    const record = await recordedCall(it1, caller.sipCallId);
    expect(record).toMatchObject({
      status: 'COMPLETED',
      endCause: 'bot-goodbye',
      botProfile: 'closed',
      trunk: 'local',
    });
    expect(heardFromBot(record)).toBe('We are closed today. Please call again tomorrow.');
  });

  it('refuses strangers, unknown numbers and what is too much, and lists why', async () => {
    expect(await refusal(it1, 'bank', { host: '127.0.0.2' })).toEqual([403, undefined]);
    expect(await refusal(it1, 'nobody')).toEqual([404, undefined]);
    const up = [await call(it1), await call(it1)];
    expect(await refusal(it1)).toEqual([503, 5]);
    const { trunks } = await it1.api<{ trunks: object[] }>('/api/v1/trunks');
    expect(trunks).toMatchObject([{ name: 'local', calls: 2, limits: { calls: 2 }, knownBy: ['address'] }]);
    const text = await metrics(it1);
    for (const line of [
      'voice_trunk_calls{trunk="local"} 2',
      'voice_admission_refused_total{reason="stranger"} 1',
      'voice_admission_refused_total{reason="trunk-calls"} 1',
      'voice_admission_refused_total{reason="no-such-number"} 1',
    ]) {
      expect(text).toContain(line);
    }
    for (const one of up) await one.hangup();
  });

  it('is stopped in an emergency, and goes on where it was', async () => {
    const before = await call(it1);
    expect((await post(it1, '/admission', { stop: true })).status).toBe(200);
    expect(await refusal(it1)).toEqual([503, 5]);
    expect(before.ended).toBeUndefined();
    await post(it1, '/admission', { stop: false });
    await (await call(it1)).hangup();
    await before.hangup();
  });

  it('takes over an edit while a call is up, and says on /ready why it did not take a bad one', async () => {
    const before = await call(it1);
    await writeFile(join(folder, 'sip.yaml'), CONFIG.replace('number: "100", bot', 'number: "100", bott'));
    const ready = () => it1.api<{ status: string; dependencies: { name: string; detail?: string }[] }>('/ready');
    await expect.poll(async () => (await ready()).status).toBe('degraded');
    const detail = (await ready()).dependencies.find(({ name }) => name === 'sip-config')?.detail;
    expect(detail).toMatch(/sip\.yaml:10:\d+: numbers\.1\.bott: Unrecognized key/);
    await writeFile(join(folder, 'sip.yaml'), CONFIG.replace('[{ name: local', '[{ name: renamed'));
    await expect
      .poll(async () => (await it1.api<{ trunks: { name: string }[] }>('/api/v1/trunks')).trunks[0]?.name)
      .toBe('renamed');
    it1.process.kill('SIGHUP');
    await expect.poll(() => it1.logs.some(({ message }) => message === 'reading sip-config again')).toBe(true);
    expect((await ready()).status).toBe('ready');
    expect(before.ended).toBeUndefined();
    await before.hangup();
  });
});

describe('a connector with one RTP port', () => {
  it('refuses the second call with 503, never with a wrong port', async () => {
    const base = await freePort();
    const ports = { RTP_PORT_MIN: String(base), RTP_PORT_MAX: String(base + 1) };
    const one = await connector({ ...ports, TENANT_ID: 'port', INSTANCE_ID: 'port', BOT_PROFILE: 'silent' });
    const first = await call(one);
    expect(await refusal(one)).toEqual([503, 5]);
    expect(first.ended).toBeUndefined();
    await first.hangup();
  });
});

describe('two connectors on one database', () => {
  let first: Connector;
  let second: Connector;
  const shared = { TENANT_ID: 'both', DRAIN_SECONDS: '4' };
  beforeAll(async () => {
    [first, second] = await Promise.all([
      connector({ ...shared, INSTANCE_ID: 'first' }),
      // Who stays on the line says nothing for as long as the other's start takes.
      connector({ ...shared, INSTANCE_ID: 'second', IDLE_SECONDS: '600' }),
    ]);
  });

  it('when one crashes, its calls are closed truthfully and those of the other go on', async () => {
    const [lost, kept] = await Promise.all([call(first), call(second)]);
    await Promise.all([lost.waitForReply(), kept.waitForReply()]);
    // Rows are written behind: the session's must have left the process before it dies, as the other's look tells.
    await recordedCall(second, lost.sipCallId, ({ status }) => status === 'ACTIVE');
    await first.stop({ signal: 'SIGKILL', keepData: true });
    first = await connector({ ...shared, INSTANCE_ID: 'first' }, first.dataDir);
    const record = await recordedCall(second, lost.sipCallId);
    expect(record).toMatchObject({ status: 'INTERRUPTED', endCause: 'process-crashed' });
    expect(kept.ended).toBeUndefined();
    expect(await recordedCall(second, kept.sipCallId, () => true)).toMatchObject({ status: 'ACTIVE' });
    await kept.hangup();
    expect(await recordedCall(second, kept.sipCallId)).toMatchObject({
      status: 'COMPLETED',
      endCause: 'caller-hangup',
    });
  });

  it('when one is stopped, it lets its call end for a while and says goodbye, and the other takes the new ones', async () => {
    const caller = await call(first);
    await caller.waitForReply();
    first.process.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${first.url}/ready`)).status).toBe(503);
    expect(await refusal(first)).toEqual([503, 5]);
    const other = await call(second);
    await caller.waitForHangup();
    const record = await recordedCall(second, caller.sipCallId);
    expect(record).toMatchObject({ status: 'INTERRUPTED', endCause: 'process-shutdown' });
    expect(heardFromBot(record)).toContain('Please call again in a moment. Goodbye.');
    expect(other.ended).toBeUndefined();
    await other.hangup();
  });
});
