import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { type LaunchedBank, launchDemoBank } from '../../src/demo-bank/launch.ts';
import { heardFromBot, type RecordedCall, recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import type { Phone } from '../support/phone/phone.ts';
import { type LlmAnswer, startLlmServer } from '../support/streaming-llm-server.ts';
import { Customers, isAskedForProof, sayUntilUnderstood } from './customers.ts';

const KEY = 'demo-bank-key';
/** Two connectors beside each other, and one test after the other at each. */
const NEXT = { concurrent: false };

async function faults(bank: LaunchedBank, settings: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${bank.url}/_test/${Object.keys(settings).length > 0 ? 'faults' : 'reset'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify(settings),
  });
  if (!response.ok) throw new Error(`faults: ${response.status} ${await response.text()}`);
}

/** The postmaster of this connector's own database. */
async function postmaster(of: Connector): Promise<number> {
  const { stdout } = spawn('find', [join(of.dataDir, 'postgres'), '-name', 'postmaster.pid'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let found = '';
  for await (const chunk of stdout) found += String(chunk);
  return Number((await readFile(found.trim(), 'utf8')).split('\n')[0]);
}

const complete = (type: string) => (call: RecordedCall) =>
  call.status !== 'ACTIVE' && call.transactions.some((t) => t.transactionType === type && t.outcome !== 'PENDING');

describe.concurrent('in mid-call', () => {
  const customers = new Customers();
  let bank: LaunchedBank;
  let connector: Connector;
  beforeAll(async () => {
    bank = await launchDemoBank({
      apiKey: KEY,
      log: silentLogger,
      options: ['--test-endpoints', '--log-level', 'silent'],
    });
    connector = await startConnector({ BANK_URL: bank.url });
  });
  afterEach(async () => {
    await customers.leave();
    await faults(bank, {});
  });
  afterAll(async () => {
    await connector.stop();
    await bank.close();
    await customers.close();
  });

  const hears = (phone: Phone, what: RegExp) => customers.hears(connector, phone, what);

  it('the bank is slow: the caller hears that it takes a moment, then the answer', NEXT, async () => {
    const phone = await customers.greeted(connector);
    await faults(bank, { delayMs: 2500 });
    // The bank does not say in time whose telephone this is, so the number is asked for.
    await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
    await hears(phone, /customer number/i);
    await phone.press('471920');
    await hears(phone, /PIN/);
    await phone.press('2580');
    const heard = await hears(phone, /one thousand two hundred/i);
    expect(heard).toMatch(/one moment/i);
    await phone.hangup();
    expect((await recordedCall(connector, phone.sipCallId)).status).toBe('COMPLETED');
  });

  it('the bank is down: the caller is told so, and the call goes on', NEXT, async () => {
    const phone = await customers.greeted(connector);
    await faults(bank, { failRate: 1, status: 503 });
    await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
    await hears(phone, /customer number/i);
    await phone.press('471920');
    await hears(phone, /PIN/);
    await phone.press('2580');
    expect(await hears(phone, /sorry/i)).not.toMatch(/dollars/);
    await faults(bank, {});
    await phone.hangup();
    expect((await recordedCall(connector, phone.sipCallId)).status).toBe('COMPLETED');
  });

  // The last one here: whoever comes after it calls a connector whose database has died.
  it(
    'Postgres dies: the call goes on, changes are refused aloud, and when it is back everything is on record once',
    NEXT,
    async () => {
      const phone = await customers.greeted(connector);
      process.kill(await postmaster(connector), 'SIGKILL');
      await customers.askBalance(connector, phone);
      await phone.hangup();
      const call = await recordedCall(connector, phone.sipCallId, complete('BALANCE_CHECK'), 45_000);
      expect(call).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
      expect(heardFromBot(call)).toMatch(/one thousand two hundred/i);
      expect(call.transactions.filter((t) => t.transactionType === 'BALANCE_CHECK')).toHaveLength(1);
      const sequences = call.utterances.map((u) => u.text);
      expect(new Set(call.utterances.map((u) => u.utteranceId)).size).toBe(sequences.length);
    },
  );
});

describe.concurrent('when the language model', () => {
  const customers = new Customers();
  const stalls = (): LlmAnswer => ({ steps: [{ stall: true }] });
  let answer: Parameters<typeof startLlmServer>[0] = stalls;
  let llm: Awaited<ReturnType<typeof startLlmServer>>;
  let connector: Connector;
  beforeAll(async () => {
    llm = await startLlmServer((...asked) => answer(...asked));
    connector = await startConnector({
      LLM_PROVIDER: 'openai',
      OPENAI_BASE_URL: llm.baseUrl,
      LLM_MODEL: 'test',
    });
  });
  afterEach(() => customers.leave());
  afterAll(async () => {
    await connector.stop();
    await llm.close();
    await customers.close();
  });

  it('answers, its words are spoken as they come and its tool calls reach the bank', NEXT, async () => {
    answer = ({ messages }) => {
      if (messages.at(-1)!.role === 'tool')
        return { steps: [{ text: 'Good news. ' }, { waitMs: 100 }, { text: 'You have plenty of money.' }] };
      return { steps: [{ tool: 'account_balance', arguments: {} }] };
    };
    const phone = await customers.greeted(connector);
    await customers.askBalance(connector, phone);
    await customers.hears(connector, phone, /plenty of money/);
    await phone.hangup();
    const call = await recordedCall(connector, phone.sipCallId);
    expect(heardFromBot(call)).toContain('Good news. You have plenty of money.');
    expect(call.transactions).toContainEqual(
      expect.objectContaining({ transactionType: 'BALANCE_CHECK', outcome: 'POSTED' }),
    );
    expect(JSON.stringify(llm.requests)).not.toContain('2580');
  });

  it('stalls in mid-call, the scripted dialogue serves the same turn and the caller hears no error', NEXT, async () => {
    answer = stalls;
    const phone = await customers.greeted(connector);
    await customers.askBalance(connector, phone);
    await customers.hears(connector, phone, /one thousand two hundred/i);
    await phone.hangup();
    const call = await recordedCall(connector, phone.sipCallId);
    expect(heardFromBot(call)).toMatch(/one thousand two hundred/i);
    expect(heardFromBot(call)).not.toMatch(/wrong|error/i);
  });
});
