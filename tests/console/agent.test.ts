import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tone } from '../media/support.ts';
import { recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { hearsAnna, openAnna } from './anna.ts';
import type { Browser } from './browser.ts';
import { loudestSince } from './listening-page.ts';

const SHIPPED = fileURLToPath(new URL('../../sip-config', import.meta.url));
const WISH = 'I want to speak to an agent';

let connector: Connector;
let folder: string;
let browser: Browser;
let page: Page;
const voiceBox = new VoiceBox();
const phones: Phone[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
  await cp(SHIPPED, folder, { recursive: true });
  const queue = '{ name: service, maxWaitSeconds: 0, targets: [{ name: anna, to: "phone:anna", ringSeconds: 20 }] }';
  await writeFile(join(folder, 'handover.yaml'), `handover: { default: service, queues: [${queue}] }\n`);
  connector = await startConnector({ SIP_CONFIG: folder });
  browser = await openAnna(connector);
  page = browser.page;
  await page.getByRole('link', { name: 'Phone' }).click();
  await page.getByLabel('Name', { exact: true }).fill('anna');
  await page.getByRole('button', { name: 'Take calls' }).click();
  await page.getByText('Ready: calls for').waitFor();
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});
afterAll(async () => {
  await browser?.close();
  await connector?.stop();
  await voiceBox.close();
  await rm(folder, { recursive: true, force: true });
});

async function caller(): Promise<Phone> {
  const phone = await Phone.open({ voiceBox, voice: 'rms', from: '+15550100', record: true });
  phones.push(phone);
  await phone.prepare([WISH]);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  await phone.waitForReply();
  return phone;
}

const incoming = () => page.getByRole('region', { name: 'A call for you' });
const registered = () => connector.api<{ phones: { name: string }[] }>('/api/v1/phones');

describe('an agent at a browser', () => {
  test('is rung by a caller who wants a person, reads what it is about, takes the call and speaks', async () => {
    expect((await registered()).phones).toMatchObject([{ name: 'anna' }]);
    const phone = await caller();
    await phone.say(WISH, { expectReply: false });
    await incoming().waitFor({ timeout: 20_000 });
    await incoming().getByText('A caller who is not verified, +15550100.').waitFor();
    await incoming()
      .getByText(/Their last words: “.*agent”/i)
      .waitFor();
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await incoming().getByRole('button', { name: 'Accept' }).click();
    await page.getByText('Connected').waitFor();
    await expect.poll(() => hearsAnna(phone)).toBe(true);
    const spoke = Date.now();
    await phone.say(tone(8000, 1300, 0.2), { expectReply: false });
    await expect.poll(() => loudestSince(page, spoke)).toBeGreaterThan(0.05);
    await page.getByRole('log', { name: 'Transcript' }).getByText('How can I help you').waitFor();
    await page.getByRole('button', { name: 'Hang up' }).click();
    // The queue says that the call ends with the person.
    const call = await recordedCall(connector, phone.sipCallId);
    expect(call.endCause).toBe('transferred');
    const outcome = call.events.find(({ type }) => type === 'handover-ended')!.data;
    expect(outcome).toMatchObject({ outcome: 'finished' });
    expect(browser.troubles).toEqual([]);
  });

  test('who declines leaves the caller with the bot; so does one who is not there', async () => {
    const phone = await caller();
    const { sessionId } = await recordedCall(connector, phone.sipCallId, () => true);
    const transfer = async () => {
      const before = (await recordedCall(connector, phone.sipCallId, () => true)).events.length;
      expect((await connector.send('POST', `/api/v1/calls/${sessionId}/transfer`, { queue: 'service' })).status).toBe(
        202,
      );
      return async () =>
        (await recordedCall(connector, phone.sipCallId, () => true)).events
          .slice(before)
          .filter(({ type }) => type === 'handover-unanswered' || type === 'handover-ended')
          .map(({ data }) => data.outcome)
          .toSorted();
    };
    const declined = await transfer();
    await incoming().getByRole('button', { name: 'Decline' }).click();
    await expect.poll(declined).toEqual(['declined', 'nobody']);
    await page.getByRole('button', { name: 'Take no more calls' }).click();
    await expect.poll(async () => (await registered()).phones).toEqual([]);
    const nobody = await transfer();
    await expect.poll(nobody).toEqual(['nobody', 'unreachable']);
    await phone.hangup();
  });

  test('who was let in to call cannot take calls, and the other way round', async () => {
    const swap = async (given: object | undefined) => {
      const response = await connector.send('POST', '/api/v1/phone-sessions', given);
      expect(response.status).toBe(201);
      const json = await response.json();
      await page.route('**/phone-sessions', (route) => route.fulfill({ status: 201, json }));
    };
    await swap(undefined);
    await page.getByRole('button', { name: 'Take calls' }).click();
    await page.getByText('The connector did not let this phone take calls.').waitFor();
    expect((await registered()).phones).toEqual([]);
    await page.unroute('**/phone-sessions');
    await swap({ as: 'anna' });
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.getByText('The connector did not let this phone in.').waitFor();
    await page.unroute('**/phone-sessions');
  });
});
