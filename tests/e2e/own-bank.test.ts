import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heardFromBot, recordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Customers, sayUntilServed } from './customers.ts';

/** The bank of an integrator, who has read the first page of docs/actions.md and no more. */
const asked: { url: string; headers: IncomingHttpHeaders }[] = [];
const bank = createServer((request, response) => {
  asked.push({ url: request.url ?? '', headers: request.headers });
  response.setHeader('content-type', 'application/json');
  const { pathname } = new URL(request.url ?? '', 'http://bank');
  const found = pathname === '/v1/branches';
  response.statusCode = found || pathname === '/health' ? 200 : 404;
  response.end(JSON.stringify(found ? { branches: [{ opensAt: 'nine', closesAt: 'five' }] } : {}));
});

/** The example of the docs, as it stands there. */
async function smallFile(): Promise<string> {
  const page = await readFile(new URL('../../docs/actions.md', import.meta.url), 'utf8');
  return /## A small file, whole\n[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page)![1]!;
}

let folder: string;
let connector: Connector;
const customers = new Customers();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-bank-'));
  await writeFile(join(folder, 'branches.yaml'), await smallFile());
  bank.listen(0, '127.0.0.1');
  await once(bank, 'listening');
  connector = await startConnector({
    BANK_URL: `http://127.0.0.1:${(bank.address() as AddressInfo).port}`,
    BANK_API_KEY: 'a key of their bank',
    ACTIONS_FILE: join(folder, 'branches.yaml'),
  });
});
afterAll(async () => {
  await customers.close();
  expect(await connector?.stop()).toBe(0);
  bank.closeAllConnections();
  bank.close();
  await rm(folder, { recursive: true, force: true });
});

describe('with the actions and the API of another bank', () => {
  it('the bot is ready, does what their file says, and has it on record', async () => {
    expect((await connector.send('GET', '/ready')).status).toBe(200);
    const wish = 'when is the branch in boston open';
    const phone = await customers.phone({ from: '+15550100' });
    await phone.prepare([wish]);
    await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
    await phone.waitForReply();
    await sayUntilServed(connector, phone, { wish, answers: [], served: /from nine to five/ });
    await phone.hangup();
    const call = await recordedCall(connector, phone.sipCallId);
    expect(heardFromBot(call), transcript(call).join('\n')).toMatch(/We are open from nine to five today\./);
    expect(call.transactions).toContainEqual(
      expect.objectContaining({ transactionType: 'BRANCH_INQUIRY', outcome: 'POSTED' }),
    );
    const request = asked.find(({ url }) => url === '/v1/branches?city=boston');
    expect(request?.headers.authorization).toBe('Bearer a key of their bank');
  });

  it('nothing of the demo bank is offered or understood', async () => {
    const phone = await customers.phone({ from: '+15550100' });
    await phone.prepare(['what is my balance']);
    await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
    await phone.waitForReply();
    await phone.say('what is my balance');
    await phone.waitForReply();
    await phone.hangup();
    const call = await recordedCall(connector, phone.sipCallId);
    expect(heardFromBot(call)).not.toMatch(/PIN|customer number|card/i);
    expect(call.transactions.filter(({ transactionType }) => transactionType !== 'BRANCH_INQUIRY')).toEqual([]);
  });
});
