import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { type LaunchedBank, launchDemoBank } from '../../src/demo-bank/launch.ts';
import { heardFromBot, type RecordedCall, recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { DialRefused } from '../support/phone/failures.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { startLlmServer } from '../support/streaming-llm-server.ts';

const KEY = 'demo-bank-key';
const voiceBox = new VoiceBox();
const phones: Phone[] = [];
let bank: LaunchedBank;
let connector: Connector | undefined;

beforeAll(async () => {
  bank = await launchDemoBank({
    apiKey: KEY,
    log: silentLogger,
    options: ['--test-endpoints', '--log-level', 'silent'],
  });
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
  await connector?.stop();
  connector = undefined;
  await faults({});
});
afterAll(async () => {
  await bank.close();
  await voiceBox.close();
});

async function faults(settings: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${bank.url}/_test/${Object.keys(settings).length > 0 ? 'faults' : 'reset'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify(settings),
  });
  if (!response.ok) throw new Error(`faults: ${response.status} ${await response.text()}`);
}

/** A call up to where the greeting is over. */
async function greeted(from = '+15550100'): Promise<Phone> {
  const phone = await Phone.open({ voiceBox, from });
  phones.push(phone);
  await phone.prepare([
    'what is my balance',
    'block my card',
    'yes',
    'where is my new credit card',
    'thank you goodbye',
  ]);
  await phone.dial(`sip:bank@127.0.0.1:${connector!.sipPort}`);
  await phone.waitForReply();
  return phone;
}

async function askBalance(phone: Phone): Promise<void> {
  await phone.say('what is my balance');
  await phone.waitForReply();
  await phone.press('2580');
  await phone.waitForReply({ timeoutMs: 20_000 });
}

/** Waits until the live transcript shows that the caller has heard this; resolves with all that was heard. */
async function hears(phone: Phone, what: RegExp): Promise<string> {
  return heardFromBot(await recordedCall(connector!, phone.sipCallId, (call) => what.test(heardFromBot(call)), 30_000));
}

const settled = (phone: Phone) => recordedCall(connector!, phone.sipCallId);

/** The postmaster of this connector's own database. */
async function postmaster(of: Connector): Promise<number> {
  const { stdout } = spawn('find', [join(of.dataDir, 'postgres'), '-name', 'postmaster.pid'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let found = '';
  for await (const chunk of stdout) found += String(chunk);
  return Number((await readFile(found.trim(), 'utf8')).split('\n')[0]);
}

describe('when Postgres dies in mid-call', () => {
  it('the call goes on, changes are refused aloud, and when it is back everything is on record once', async () => {
    connector = await startConnector({ BANK_URL: bank.url });
    const phone = await greeted();
    process.kill(await postmaster(connector), 'SIGKILL');
    await askBalance(phone);
    await phone.hangup();
    const call = await recordedCall(connector, phone.sipCallId, complete('BALANCE_CHECK'), 45_000);
    expect(call).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
    expect(heardFromBot(call)).toMatch(/one thousand two hundred/i);
    expect(call.transactions.filter((t) => t.transactionType === 'BALANCE_CHECK')).toHaveLength(1);
    const sequences = call.utterances.map((u) => u.text);
    expect(new Set(call.utterances.map((u) => u.utteranceId)).size).toBe(sequences.length);
  });
});

const complete = (type: string) => (call: RecordedCall) =>
  call.status !== 'ACTIVE' && call.transactions.some((t) => t.transactionType === type && t.outcome !== 'PENDING');

describe('when the bank', () => {
  it('is slow, the caller hears that it takes a moment, then the answer', async () => {
    connector = await startConnector({ BANK_URL: bank.url });
    const phone = await greeted();
    await faults({ delayMs: 2500 });
    await phone.say('what is my balance');
    // The bank does not say in time whose telephone this is, so the number is asked for.
    await hears(phone, /customer number/i);
    await phone.press('471920');
    await hears(phone, /PIN/);
    await phone.press('2580');
    const heard = await hears(phone, /one thousand two hundred/i);
    expect(heard).toMatch(/one moment/i);
    await phone.hangup();
    expect((await settled(phone)).status).toBe('COMPLETED');
  });

  it('is down, the caller is told so, and the call goes on', async () => {
    connector = await startConnector({ BANK_URL: bank.url });
    const phone = await greeted();
    await faults({ failRate: 1, status: 503 });
    await phone.say('what is my balance');
    await hears(phone, /customer number/i);
    await phone.press('471920');
    await hears(phone, /PIN/);
    await phone.press('2580');
    expect(await hears(phone, /sorry/i)).not.toMatch(/dollars/);
    await faults({});
    await phone.hangup();
    expect((await settled(phone)).status).toBe('COMPLETED');
  });
});

describe('when the language model', () => {
  it('answers, its words are spoken as they come and its tool calls reach the bank', async () => {
    const llm = await startLlmServer((request) => {
      const last = request.messages.at(-1)!;
      if (last.role === 'tool')
        return { steps: [{ text: 'Good news. ' }, { waitMs: 100 }, { text: 'You have plenty of money.' }] };
      return { steps: [{ tool: 'account_balance', arguments: {} }] };
    });
    try {
      connector = await startConnector({
        BANK_URL: bank.url,
        LLM_PROVIDER: 'openai',
        OPENAI_BASE_URL: llm.baseUrl,
        LLM_MODEL: 'test',
      });
      const phone = await greeted();
      await askBalance(phone);
      await phone.hangup();
      const call = await settled(phone);
      expect(heardFromBot(call)).toContain('Good news. You have plenty of money.');
      expect(call.transactions).toContainEqual(
        expect.objectContaining({ transactionType: 'BALANCE_CHECK', outcome: 'POSTED' }),
      );
      expect(JSON.stringify(llm.requests)).not.toContain('2580');
    } finally {
      await llm.close();
    }
  });

  it('stalls in mid-call, the scripted dialogue serves the same turn and the caller hears no error', async () => {
    const llm = await startLlmServer(() => ({ steps: [{ stall: true }] }));
    try {
      connector = await startConnector({
        BANK_URL: bank.url,
        LLM_PROVIDER: 'openai',
        OPENAI_BASE_URL: llm.baseUrl,
        LLM_MODEL: 'test',
      });
      const phone = await greeted();
      await askBalance(phone);
      await phone.hangup();
      const call = await settled(phone);
      expect(heardFromBot(call)).toMatch(/one thousand two hundred/i);
      expect(heardFromBot(call)).not.toMatch(/wrong|error/i);
    } finally {
      await llm.close();
    }
  });
});

describe('when the connector', () => {
  it('is told to stop, it refuses new calls, says so on /ready, and lets the running one end', async () => {
    connector = await startConnector({ BANK_URL: bank.url, DRAIN_SECONDS: '30' });
    const phone = await greeted();
    connector.process.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${connector!.url}/ready`)).status).toBe(503);
    const late = await Phone.open({ voiceBox });
    phones.push(late);
    await expect(late.dial(`sip:bank@127.0.0.1:${connector.sipPort}`)).rejects.toThrow(DialRefused);
    await askBalance(phone);
    await phone.hangup();
    expect(await connector.stop({ keepData: true })).toBe(0);
    connector = await startConnector({ BANK_URL: bank.url }, connector.dataDir);
    expect(await settled(phone)).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
  });

  it('crashes, no session stays active: the next start closes it truthfully, and the port is free', async () => {
    connector = await startConnector({ BANK_URL: bank.url, RECORDING_DELAY_SECONDS: '0' });
    const phone = await greeted();
    await recordedCall(connector, phone.sipCallId, (call) => call.utterances.length > 0);
    await connector.stop({ signal: 'SIGKILL', keepData: true });
    await sleep(200);
    connector = await startConnector({ BANK_URL: bank.url }, connector.dataDir);
    expect(await settled(phone)).toMatchObject({
      status: 'INTERRUPTED',
      endCause: 'process-crashed',
      recording: { durationMs: expect.any(Number) },
    });
  });

  it('gets a bad setting, it does not start and says why in one line', async () => {
    const refused = await startConnector({ SIP_PORT: '99999', LLM_PROVIDER: 'crystal-ball' }).then(
      () => 'started',
      (error: Error) => error.message,
    );
    expect(refused).toMatch(/bad setting: .*SIP_PORT.*LLM_PROVIDER/);
  });
});
