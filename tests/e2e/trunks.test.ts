import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase } from '../store/support/database.ts';
import { heardFromBot, recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
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
  for (const connector of connectors.splice(0)) await connector.stop();
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
    await caller.waitForHangup(20_000);
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
    await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe('degraded');
    const detail = (await ready()).dependencies.find(({ name }) => name === 'sip-config')?.detail;
    expect(detail).toMatch(/sip\.yaml:10:\d+: numbers\.1\.bott: Unrecognized key/);
    await writeFile(join(folder, 'sip.yaml'), CONFIG.replace('[{ name: local', '[{ name: renamed'));
    await expect
      .poll(async () => (await it1.api<{ trunks: { name: string }[] }>('/api/v1/trunks')).trunks[0]?.name, {
        timeout: 10_000,
      })
      .toBe('renamed');
    it1.process.kill('SIGHUP');
    await expect
      .poll(() => it1.logs.some(({ message }) => message === 'reading sip-config again'), { timeout: 10_000 })
      .toBe(true);
    expect((await ready()).status).toBe('ready');
    expect(before.ended).toBeUndefined();
    await before.hangup();
  });
});

describe('a connector with one RTP port', () => {
  it('refuses the second call with 503, never with a wrong port', async () => {
    const base = 30_000 + Math.floor(Math.random() * 10_000) * 2;
    const ports = { RTP_PORT_MIN: String(base), RTP_PORT_MAX: String(base + 1) };
    const one = await connector({ ...ports, TENANT_ID: 'port', INSTANCE_ID: 'port', BOT_PROFILE: 'silent' });
    const first = await call(one);
    expect(await refusal(one)).toEqual([503, 5]);
    expect(first.ended).toBeUndefined();
    await first.hangup();
  });
});

describe('two connectors on one database', () => {
  it('when one is stopped, it lets its call end for a while and says goodbye, and the other takes the new ones', async () => {
    const shared = { TENANT_ID: 'drain', DRAIN_SECONDS: '2' };
    const [old, next] = [
      await connector({ ...shared, INSTANCE_ID: 'old' }),
      await connector({ ...shared, INSTANCE_ID: 'next' }),
    ];
    const caller = await call(old);
    await caller.waitForReply();
    old.process.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${old.url}/ready`)).status).toBe(503);
    expect(await refusal(old)).toEqual([503, 5]);
    const other = await call(next);
    await caller.waitForHangup(25_000);
    const record = await recordedCall(next, caller.sipCallId);
    expect(record).toMatchObject({ status: 'INTERRUPTED', endCause: 'process-shutdown' });
    expect(heardFromBot(record)).toContain('Please call again in a moment. Goodbye.');
    expect(other.ended).toBeUndefined();
    await other.hangup();
  });

  it('when one crashes, its calls are closed truthfully and those of the other go on', async () => {
    const shared = { TENANT_ID: 'crash' };
    const [crashing, standing] = [
      await connector({ ...shared, INSTANCE_ID: 'crashing' }),
      await connector({ ...shared, INSTANCE_ID: 'standing' }),
    ];
    const [lost, kept] = [await call(crashing), await call(standing)];
    for (const one of [lost, kept]) await one.waitForReply();
    await recordedCall(crashing, lost.sipCallId, ({ status }) => status === 'ACTIVE');
    // Rows are written behind: the session's must have left the process before it dies.
    await sleep(500);
    crashing.process.kill('SIGKILL');
    await crashing.stop({ keepData: true });
    await connector({ ...shared, INSTANCE_ID: 'crashing' }, crashing.dataDir);
    const record = await recordedCall(standing, lost.sipCallId);
    expect(record).toMatchObject({ status: 'INTERRUPTED', endCause: 'process-crashed' });
    expect(kept.ended).toBeUndefined();
    expect(await recordedCall(standing, kept.sipCallId, () => true)).toMatchObject({ status: 'ACTIVE' });
    await kept.hangup();
    expect(await recordedCall(standing, kept.sipCallId)).toMatchObject({
      status: 'COMPLETED',
      endCause: 'caller-hangup',
    });
  });
});
