import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { mediaReportOf, type RecordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { type Browser, openBrowser, signIn } from './browser.ts';
import { type FakeMicrophone, fakeMicrophone } from './fake-microphone.ts';

/** The demo bank knows this customer by the number. */
const CUSTOMER = '+15550100';
const PIN = '2580';
/** When the person at the browser asks, after the microphone was opened; once more, should it not have been understood. */
const SPEAKS_AT_S = [6, 19];

let connector: Connector;
let microphone: FakeMicrophone;
const browsers: Browser[] = [];

beforeAll(async () => {
  const voices = new VoiceBox();
  const question = await voices.speak('what is my balance', 'rms');
  await voices.close();
  const pcm = new Int16Array(8000 * 60);
  for (const at of SPEAKS_AT_S) pcm.set(question, 8000 * at);
  microphone = await fakeMicrophone(pcm);
  connector = await startConnector();
});
afterEach(async () => {
  for (const browser of browsers.splice(0)) await browser.close();
});
afterAll(async () => {
  await connector.stop();
  await microphone.remove();
});

/** The page's phone, with a microphone of the kind. */
async function openPhone(microphoneIs: 'there' | 'missing' | 'denied'): Promise<{ page: Page; browser: Browser }> {
  const browser = await openBrowser({ args: microphoneIs === 'missing' ? [] : microphone.args });
  browsers.push(browser);
  const { page, context } = browser;
  if (microphoneIs !== 'denied') await context.grantPermissions(['microphone'], { origin: connector.url });
  await signIn(page, connector.url, connector.token);
  await page.getByRole('link', { name: 'Phone' }).click();
  await page.getByRole('heading', { name: 'Phone' }).waitFor();
  return { page, browser };
}

const state = (page: Page) => page.locator('.phone-state');
const saidIn = async (page: Page) => (await page.locator('.transcript').allTextContents()).join(' ');

/** Of which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the phone in the page', () => {
  test('calls the bot, is understood, hears it, keys a PIN, hangs up; and all of it was encrypted', async () => {
    const { page, browser } = await openPhone('there');
    await page.getByLabel('Your number').fill(CUSTOMER);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await expect.poll(() => state(page).textContent()).toMatch(/Connected/);
    const levelOf = (name: string) => () =>
      page.getByLabel(name).evaluate((meter) => (meter as HTMLMeterElement).value);
    await expect.poll(levelOf('Level of the bot'), { interval: 50 }).toBeGreaterThan(0.3);
    await expect.poll(() => saidIn(page)).toMatch(/How can I help you/);
    await expect.poll(levelOf('Level of your microphone'), { interval: 50 }).toBeGreaterThan(0.3);
    await expect.poll(() => saidIn(page), { timeout: 30_000 }).toMatch(/what is my balance[\s\S]*PIN/);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    for (const key of PIN) await page.getByRole('button', { name: key, exact: true }).click();
    await expect.poll(() => saidIn(page), { timeout: 20_000 }).toMatch(/current account/);
    await page.getByRole('button', { name: 'Mute' }).click();
    await page.getByRole('button', { name: 'Unmute' }).waitFor();
    await page.getByRole('button', { name: 'Hang up' }).click();
    await expect.poll(() => state(page).textContent()).toMatch(/Ready/);

    const { calls } = await connector.api<{ calls: { sessionId: string }[] }>('/api/v1/calls');
    const read = () => connector.api<RecordedCall & { trunk: string }>(`/api/v1/calls/${calls[0]!.sessionId}`);
    await expect.poll(async () => mediaReportOf(await read())).toBeDefined();
    const call = await read();
    expect(call).toMatchObject({ trunk: 'browser', callerPhone: CUSTOMER, status: 'COMPLETED' });
    expect(transcript(call)).toContain('caller: what is my balance');
    const report = mediaReportOf(call)!;
    expect(report).toMatchObject({ codec: 'opus', srtp: { by: 'dtls', forged: 0, replayed: 0, unprotected: 0 } });
    expect(report.quality!.reportsReceived).toBeGreaterThan(0);
    expect(browser.troubles).toEqual([]);
  });

  test.each([
    ['denied', /does not let this page use the microphone/],
    ['missing', /No microphone was found/],
  ] as const)('with a microphone that is %s says so, and can be tried again', async (kind, message) => {
    const { page } = await openPhone(kind);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(message);
    expect(await page.getByRole('button', { name: 'Call', exact: true }).isEnabled()).toBe(true);
  });

  test('says so when the connector cannot be reached, and when it lets nobody in', async () => {
    const { page } = await openPhone('there');
    const alert = () => page.getByRole('alert').textContent();
    const call = () => page.getByRole('button', { name: 'Call', exact: true }).click();
    const answers: object[] = [{ webSocket: `ws://127.0.0.1:${await closedPort()}` }, { password: 'wrong' }];
    await page.route('**/api/v1/phone-sessions', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...((await response.json()) as object), ...answers.shift() } });
    });
    await call();
    await expect.poll(alert).toMatch(/cannot be reached/);
    await call();
    await expect.poll(alert).toMatch(/did not let this phone in/);
  });
});
