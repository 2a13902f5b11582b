import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandoverRecord } from '../../src/call/handover/handover-status.ts';
import type { SessionRecord } from '../../src/call/record/records.ts';
import { event, session, type TestServer, type TestServerOptions, utterance } from '../http/fixtures.ts';
import { order } from '../outbound/town.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { audit, auditFocus } from './audit.ts';
import { say, startLiveCall, storeCalls, storeConversation } from './bank-of-calls.ts';
import { openBrowser, signIn } from './browser.ts';
import { type ServedPage, servePage } from './served-page.ts';

const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } } as const;
const LONG = 'sip:a-name-without-any-blanks-that-goes-on-and-on-until-it-fits-nowhere@an-exchange.of-a-bank.example';

let served: ServedPage;
let it: TestServer;
let page: Page;
let conversation: SessionRecord;
let endless: SessionRecord;
let live: SessionRecord;

beforeAll(async () => {
  const handover = new HandoverRecord({ by: 'api', queue: 'service', startedAt: new Date() });
  const options: TestServerOptions = {
    live: {
      hangup: async () => true,
      transfer: () => handover.status,
      handover: () => handover.status,
      recall: () => true,
    },
    supervision: {
      supervise: async () => Promise.reject(new Error('nobody asks')),
      change: () => {
        throw new Error('nobody asks');
      },
      end: () => undefined,
      status: () => ({
        most: 20,
        calls: [{ sessionId: live.sessionId, shortNumber: '101', agent: true }],
        supervisors: [
          {
            supervisionId: 's1',
            name: LONG,
            state: 'active' as const,
            mode: 'listen' as const,
            sessionId: live.sessionId,
            since: new Date(),
          },
        ],
      }),
    },
  };
  served = await servePage(options, async (server) => {
    const now = Date.now();
    storeCalls(server, 300, new Date(now - 3_600_000));
    conversation = await storeConversation(server, new Date(now - 1_800_000));
    endless = session({
      callerPhone: '',
      callerIdentity: LONG,
      calledNumber: LONG,
      callStartTime: new Date(now - 900_000),
    });
    server.archive.session(endless);
    server.archive.utterance(
      utterance(endless.sessionId, 1, { text: `${LONG} `.repeat(12), startedAt: endless.callStartTime }),
    );
    server.archive.event(
      event(endless.sessionId, 'handover-calling', { at: new Date(now - 890_000), data: { target: LONG } }),
    );
    live = startLiveCall(server, '+15550142', new Date(now - 45_000));
    say(server, live, 1, { speaker: 'assistant', text: 'Welcome to the bank. How can I help you?', source: 'prompt' });
    say(server, live, 2, { text: 'what is my balance' });
  });
  it = served.server;
  page = served.page;
});
afterAll(() => served?.close());

async function shot(name: string): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  await mkdir(process.env.SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
}

/** Nothing stands in anybody's way, by day and by night, on a desk and in a hand. */
async function fitForAll(name: string): Promise<void> {
  const found: Record<string, string[]> = {};
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      const here = await audit(page);
      if (here.length > 0) found[`${size}, ${colorScheme}`] = here;
      await shot(`${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(SIZES.wide);
  const focus = await auditFocus(page, 60);
  if (focus.length > 0) found.focus = focus;
  expect(found).toEqual({});
}

describe('every page can be used by everybody', () => {
  test.each([
    ['the calls', () => '/', 'calls'],
    ['the calls, filtered to none', () => '/?q=zzz', 'no-call'],
    ['a call', () => `/calls/${conversation.sessionId}`, 'call'],
    ['a call of endless words', () => `/calls/${endless.sessionId}`, 'endless'],
    ['a call that goes on', () => `/calls/${live.sessionId}`, 'live'],
    ['a call that does not exist', () => `/calls/${randomUUID()}`, 'missing'],
    ['supervising', () => '/supervise', 'supervise'],
  ])('%s', async (_what, path, name) => {
    await page.goto(`${it.url}${path()}`);
    await page.locator('main, .list-pane').first().waitFor();
    await page.locator('.call-row, .notice, .transcript, .panel').first().waitFor();
    await page.waitForTimeout(300);
    if (name === 'calls') await page.getByRole('button', { name: 'Filters' }).click();
    await fitForAll(name);
  });

  test('signing in, and being refused', async () => {
    const other = await openBrowser();
    const before = page;
    try {
      page = other.page;
      await page.goto(it.url);
      await page.getByLabel('Admin token').fill('a wrong one');
      await page.keyboard.press('Enter');
      await page.getByText('This is not the admin token').waitFor();
      await fitForAll('sign-in');
    } finally {
      page = before;
      await other.close();
    }
  });
});

describe('every page of a connector that has just been started', () => {
  let connector: Connector;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'every-page-'));
    const yaml = `bots:
  - name: bank
  - { name: caller, outbound: { purpose: "This is a call for {name} about the new card." } }
numbers: [{ any: true, bot: bank }]
trunks: [{ name: here, from: this-machine }, { name: browser, browser: true }]
gateways: [{ name: carrier, to: "127.0.0.1:9", destinations: [{ prefix: "+4930" }] }]
`;
    await writeFile(join(folder, 'all.yaml'), yaml);
    connector = await startConnector({ SIP_CONFIG: folder, BOT_PROFILE: 'silent' });
    await order(connector, { to: '+4930123', bot: 'caller', variables: { name: 'Anna' } });
    await signIn(page, connector.url, connector.token);
  });
  afterAll(async () => {
    await connector?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    ['/', 'empty'],
    ['/supervise', 'supervise-nobody'],
    ['/phone', 'phone'],
    ['/calls-out', 'orders'],
    ['/calls-out/campaigns', 'campaigns'],
    ['/calls-out/do-not-call', 'do-not-call'],
    ['/calls-out/gateways', 'gateways'],
  ])('%s', async (path, name) => {
    await page.goto(`${connector.url}${path}`);
    await page.locator('.call-row, .notice, .panel').first().waitFor();
    await page.waitForTimeout(300);
    await fitForAll(name);
  });
});
