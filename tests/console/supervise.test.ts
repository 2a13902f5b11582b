import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tone } from '../media/support.ts';
import { recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { hearsAnna, openAnna } from './anna.ts';
import type { Browser } from './browser.ts';
import { loudestSince } from './listening-page.ts';

const QUESTION = 'what can you do';
const SHIPPED = fileURLToPath(new URL('../../sip-config', import.meta.url));

let connector: Connector;
let browser: Browser;
let folder: string;
/** Where a person takes calls. */
let desk: AnsweringPhone;
let page: Page;
const voiceBox = new VoiceBox();
const phones: Phone[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervise-'));
  await cp(SHIPPED, folder, { recursive: true });
  desk = await AnsweringPhone.open({ record: true });
  const place = desk.uri.slice(desk.uri.indexOf('@') + 1);
  const lines = [
    `gateways: [{ name: desk, destinations: [{ host: "${place}" }] }]`,
    `handover: { queues: [{ name: desk, briefing: { spoken: false }, afterwards: bot, targets: [{ name: ben, to: "${desk.uri}", how: bridge }] }] }`,
  ];
  await writeFile(join(folder, 'desk.yaml'), `${lines.join('\n')}\n`);
  connector = await startConnector({ SIP_CONFIG: folder });
  browser = await openAnna(connector);
  page = browser.page;
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});
afterAll(async () => {
  await browser?.close();
  await connector?.stop();
  await desk?.close();
  await voiceBox.close();
  await rm(folder, { recursive: true, force: true });
});

/** Somebody whom the bot has greeted. */
async function caller(from: string): Promise<Phone> {
  const phone = await Phone.open({ voiceBox, voice: 'rms', from, record: true });
  phones.push(phone);
  await phone.prepare([QUESTION]);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  await phone.waitForReply();
  return phone;
}

const supervisors = async () => (await connector.api<{ supervisors: unknown[] }>('/api/v1/supervision')).supervisors;
const of = (phone: Phone) => recordedCall(connector, phone.sipCallId, () => true);
const button = (name: string) => page.getByRole('button', { name, exact: true });

describe('a supervisor at a browser', () => {
  test('listens to a call, takes over from the bot, gives back and leaves, with its own microphone', async () => {
    const phone = await caller('+15550100');
    await page.getByRole('link', { name: 'Supervise' }).click();
    const row = page.getByRole('article').filter({ hasText: '+15550100' });
    await page.getByLabel('Your name').fill('anna');
    await row.getByRole('button', { name: 'Listen' }).click();
    await row.getByText('You listen. Nobody hears you.').waitFor();

    const spoke = Date.now();
    await phone.say(tone(8000, 1300, 0.2), { expectReply: false });
    await expect.poll(() => loudestSince(page, spoke)).toBeGreaterThan(0.05);
    expect(hearsAnna(phone)).toBe(false);
    // What is said can be read beside it.
    await page.getByRole('log', { name: 'Transcript' }).getByText('How can I help you').waitFor();

    await phone.say(QUESTION);
    await phone.waitForSpeech();
    await row.getByRole('button', { name: 'Take over' }).click();
    await row.getByText('The caller hears you. The bot is silent.').waitFor();
    await expect.poll(() => hearsAnna(phone)).toBe(true);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });

    await row.getByRole('button', { name: 'Mute' }).click();
    await expect.poll(() => hearsAnna(phone)).toBe(false);
    await row.getByRole('button', { name: 'Give back' }).click();
    await row.getByText('You listen. Nobody hears you.').waitFor();
    await recordedCall(connector, phone.sipCallId, (call) =>
      call.utterances.some(({ heard }) => heard.includes('automatic assistant again')),
    );
    await row.getByRole('button', { name: 'Leave' }).click();
    await row.getByRole('button', { name: 'Leave' }).waitFor({ state: 'detached' });
    const supervision = async () =>
      (await of(phone)).events.filter(({ type }) => type.startsWith('supervision-') || type.startsWith('bot-'));
    await expect
      .poll(async () => (await supervision()).map(({ type }) => type))
      .toEqual([
        'supervision-requested',
        'supervision-started',
        'bot-suspended',
        'supervision-changed',
        'bot-resumed',
        'supervision-changed',
        'supervision-ended',
      ]);
    for (const { data } of (await supervision()).filter(({ type }) => type.startsWith('supervision-')))
      expect(data).toMatchObject({ supervisor: 'anna' });
    expect(browser.troubles).toEqual([]);
  });

  test('whispers to the person who speaks with the caller, who hears nothing of it; then joins the two, and leaves them', async () => {
    const phone = await caller('+15550155');
    const { sessionId } = await of(phone);
    await page.goto(`${connector.url}/supervise`);
    const row = page.getByRole('article').filter({ hasText: '+15550155' });
    // With the bot alone there is nobody to whisper to.
    await row.getByRole('button', { name: 'Listen' }).waitFor();
    expect(await row.getByRole('button', { name: 'Whisper' }).count()).toBe(0);
    expect((await connector.send('POST', `/api/v1/calls/${sessionId}/transfer`, { queue: 'desk' })).status).toBe(202);
    await row.getByRole('button', { name: 'Whisper' }).click();
    await row.getByText('The agent hears you, the caller does not.').waitFor();
    const ben = desk.calls.at(-1)!;
    await expect.poll(() => hearsAnna(ben)).toBe(true);
    const asked = Date.now();
    await phone.say(tone(8000, 1300, 0.2), { expectReply: false });
    // She hears the caller; a second of it, and the caller nothing of her.
    await expect.poll(() => loudestSince(page, asked)).toBeGreaterThan(0.05);
    expect([hearsAnna(ben), hearsAnna(phone)]).toEqual([true, false]);
    await row.getByRole('button', { name: 'Join' }).click();
    await row.getByText('Everybody hears you.').waitFor();
    await expect.poll(() => hearsAnna(phone)).toBe(true);
    await row.getByRole('button', { name: 'Whisper' }).click();
    await expect.poll(() => hearsAnna(phone)).toBe(false);
    // Nobody is left to whisper to: what she hears now is the bot, which does not hear her.
    await ben.signalling.hangup();
    await row.getByText('You listen. Nobody hears you.').waitFor();
    await row.getByRole('button', { name: 'Take over' }).waitFor();
    await recordedCall(connector, phone.sipCallId, (call) => call.events.some(({ type }) => type === 'bot-resumed'));
    expect(hearsAnna(phone)).toBe(false);
    await row.getByRole('button', { name: 'Leave' }).click();
    await phone.hangup();
    const { events } = await recordedCall(connector, phone.sipCallId);
    const modes = events.flatMap(({ type, data }) =>
      /^supervision-(started|changed|ended)$/.test(type) ? [data.mode] : [],
    );
    expect(modes).toEqual(['whisper', 'join', 'whisper', 'listen']);
    const { messages } = await connector.api<{ messages: { callId: string }[] }>(`/api/v1/calls/${sessionId}/sip`);
    // The caller's leg, ben's and hers.
    expect(new Set(messages.map(({ callId }) => callId)).size).toBe(3);
    expect(browser.troubles).toEqual([]);
  });

  test('takes over at once from the call’s page; the caller who hangs up ends it', async () => {
    const phone = await caller('+15550177');
    const { sessionId } = await of(phone);
    await page.goto(`${connector.url}/calls/${sessionId}`);
    await button('Take over').first().click();
    await page.getByText('The caller hears you. The bot is silent.').waitFor();
    await expect.poll(() => hearsAnna(phone)).toBe(true);
    await phone.hangup();
    await expect.poll(() => page.getByText('The caller hears you.').count()).toBe(0);
    await expect.poll(supervisors).toEqual([]);
    expect(browser.troubles).toEqual([]);
  });

  test('is let into the one place it was asked to, and once', async () => {
    const phone = await caller('+15550188');
    const { sessionId } = await of(phone);
    const path = `/api/v1/calls/${sessionId}/supervise`;
    const response = await connector.send('POST', path, { mode: 'listen', phone: true, name: 'anna' });
    const kept = (await response.json()) as { supervisionId: string };
    await page.goto(`${connector.url}/supervise`);
    // Whatever is asked for, it gets the answer to what was asked before.
    await page.route('**/supervise', (route) =>
      route.request().method() === 'POST' ? route.fulfill({ status: 202, json: kept }) : route.continue(),
    );
    const row = page.getByRole('article').filter({ hasText: '+15550188' });
    await row.getByRole('button', { name: 'Take over' }).click();
    // What was granted is listening.
    await expect.poll(supervisors).toMatchObject([{ mode: 'listen', state: 'active' }]);
    await row.getByRole('button', { name: 'Leave' }).click();
    await expect.poll(supervisors).toEqual([]);
    await row.getByRole('button', { name: 'Listen' }).click();
    await page.getByText('The connector did not let this phone in.').waitFor();
    await page.unroute('**/supervise');
    await phone.hangup();
  });

  test('whose microphone cannot be opened is told so, and no place is kept for them', async () => {
    const phone = await caller('+15550166');
    const before = [...browser.troubles];
    await page.goto(`${connector.url}/supervise`);
    // The connector has answered by then: it is asked while the microphone is being opened.
    await page.evaluate(() => {
      const asked = new Promise((resolve) => addEventListener('asked', resolve));
      navigator.mediaDevices.getUserMedia = async () => {
        await asked;
        throw new DOMException('held by another program', 'NotReadableError');
      };
    });
    const answered = page.waitForResponse((response) => response.url().endsWith('/supervise') && response.ok());
    await page.getByRole('article').filter({ hasText: '+15550166' }).getByRole('button', { name: 'Listen' }).click();
    await answered;
    await page.evaluate(() => dispatchEvent(new Event('asked')));
    await page.getByText('another program may be holding it').waitFor();
    await expect.poll(supervisors).toEqual([]);
    await phone.hangup();
    expect(browser.troubles).toEqual(before);
  });

  test('is told when a mode makes no sense, before the microphone is opened for it', async () => {
    const phone = await caller('+15550199');
    const { sessionId } = await of(phone);
    const ask = (body: object) => connector.send('POST', `/api/v1/calls/${sessionId}/supervise`, body);
    expect((await ask({ mode: 'whisper', phone: true })).status).toBe(409);
    expect((await ask({ mode: 'listen', phone: true, to: '+1' })).status).toBe(400);
    await phone.hangup();
    await recordedCall(connector, phone.sipCallId);
    expect((await ask({ mode: 'listen', phone: true })).status).toBe(409);
  });

  // The last one: nothing is left of the page.
  test('whose browser crashes while they speak with the caller is missed before long: the bot has the caller back', async () => {
    const phone = await caller('+15550144');
    await page.goto(`${connector.url}/supervise`);
    const row = page.getByRole('article').filter({ hasText: '+15550144' });
    await row.getByRole('button', { name: 'Take over' }).click();
    await row.getByText('The caller hears you. The bot is silent.').waitFor();
    await expect.poll(() => hearsAnna(phone)).toBe(true);
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => undefined);
    await crashed;
    const at = Date.now();
    await recordedCall(connector, phone.sipCallId, (call) =>
      call.utterances.some(({ heard }) => heard.includes('automatic assistant again')),
    );
    // Anybody else of whom nothing comes is waited for 20 s.
    expect(Date.now() - at).toBeLessThan(20_000);
    expect(await supervisors()).toEqual([]);
    await phone.hangup();
  });
});
