import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isOver, order, orderOnce } from '../outbound/town.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { type Browser, openBrowser, signIn } from './browser.ts';

const SOON = { timeout: 30_000 };

let folder: string;
let phones: AnsweringPhone[];
let connector: Connector;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calls-out-'));
  phones = await Promise.all([
    AnsweringPhone.open({ refuse: { status: 486, reason: 'Busy Here' } }),
    AnsweringPhone.open({ ringMs: Number.POSITIVE_INFINITY }),
  ]);
  const [busy, ringing] = phones.map((phone) => `"127.0.0.1:${phone.endpoint.wire.local.port}"`);
  const yaml = `bots:
  - name: bank
  - { name: caller, outbound: { purpose: "This is a call for {name} about the new card." } }
gateways:
  - { name: carrier, to: ${busy}, destinations: [{ prefix: "+4930" }] }
  - { name: other, to: ${ringing}, destinations: [{ prefix: "+4940" }] }
`;
  await writeFile(join(folder, 'all.yaml'), yaml);
  const env = { SIP_CONFIG: folder, BOT_PROFILE: 'silent', PBX_PASSWORD: 'secret' };
  [connector, browser] = await Promise.all([startConnector(env), openBrowser()]);
  page = browser.page;
  await signIn(page, connector.url, connector.token);
});
afterAll(async () => {
  await browser?.close();
  await connector?.stop();
  for (const phone of phones) await phone.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  browser.troubles.length = 0;
});

const open = (section: string) => page.getByRole('link', { name: section, exact: true }).click();
const row = (text: string | RegExp) => page.getByRole('row').filter({ hasText: text });
const button = (name: string) => page.getByRole('button', { name, exact: true });
const field = (name: string) => page.getByLabel(name, { exact: true });
/** What is said about a field. */
const noteOf = async (name: string) =>
  page.locator(`[id="${await field(name).getAttribute('aria-describedby')}"]`).textContent();
const shot = async (name: string) => {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
};

describe('calls out', () => {
  test('a call is ordered once its fields are right, becomes busy, and leads to its record', async () => {
    await open('Calls out');
    await page.getByText('No call was ordered yet').waitFor();
    await field('Bot').selectOption('caller');
    await field('To').fill('somebody');
    await field('Name').fill('Anna');
    await button('Order the call').click();
    await expect.poll(() => noteOf('To'), SOON).toMatch(/neither a telephone number nor a SIP address/);
    await field('To').fill('+49 30 123');
    await field('Name').fill('');
    await button('Order the call').click();
    await expect.poll(() => noteOf('Name'), SOON).toMatch(/need these variables: name/);
    expect(await noteOf('To')).toBe('');
    await shot('order-refused');

    browser.troubles.length = 0;
    await field('Name').fill('Anna');
    await button('Order the call').click();
    await page.getByText('The call to +49 30 123 is ordered.').waitFor();
    await expect.poll(() => row('+4930123').textContent(), SOON).toMatch(/caller.*Failed.*Busy/);
    await shot('orders');
    await row('+4930123').getByRole('link').click();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('→ +4930123');
    expect(browser.troubles).toEqual([]);
  });

  test('an order is taken back while it rings, and orders are found by state and number', async () => {
    const placed = await order(connector, { to: '+4940777', bot: 'caller', variables: { name: 'Bob' } });
    await page.goto(`${connector.url}/calls-out`);
    await expect.poll(() => row('+4940777').textContent(), SOON).toMatch(/Dialling/);
    await button('Cancel the call to +4940777').click();
    await page.keyboard.press('Escape');
    await button('Cancel the call to +4940777').click();
    await button('Yes').click();
    await orderOnce(connector, placed.orderId, isOver);
    await expect.poll(() => row('+4940777').textContent(), SOON).toMatch(/Cancelled/);
    await field('State').selectOption('CANCELLED');
    await expect.poll(() => page.getByRole('row').count(), SOON).toBe(2);
    await field('Number in full').fill('+49301');
    await page.getByText('No order is like this.').waitFor();
    expect(page.url()).toMatch(/calls-out\?state=CANCELLED&to=%2B49301$/);
    expect(browser.troubles).toEqual([]);
  });

  test('a campaign names the lines it leaves out, pauses, goes on, ends, and gives its results', async () => {
    await open('Campaigns');
    await page.getByText('No campaign yet').waitFor();
    await field('Bot').selectOption('caller');
    await field('Or its lines').fill('name\nAnna');
    await button('Start the campaign').click();
    await expect.poll(() => noteOf('Name'), SOON).toMatch(/Give it a name/);
    await field('Name').fill('New cards');
    await button('Start the campaign').click();
    await expect.poll(() => noteOf('Or its lines'), SOON).toMatch(/line 1: there is no column "number"/);
    await shot('campaign-refused');

    browser.troubles.length = 0;
    const csv = 'number,name\n+4930201,Anna\nnobody,Bob\n+4930202,"Carl, Dr."\n+4930201,Anna\n+4930203,Dora\n';
    await field('File').setInputFiles({ name: 'cards.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByText('The lines of cards.csv are taken.').waitFor();
    await field('Calls per minute').fill('20');
    await button('Start the campaign').click();
    await page.getByText('New cards runs: 3 numbers are called.').waitFor();
    expect(await page.locator('.file-report li').allTextContents()).toEqual([
      'Line 3 is no telephone number: digits, with + before a country code',
      'Line 5 is the number of line 2 again',
    ]);
    await button('Pause New cards').click();
    await button('Resume New cards').waitFor();
    await expect.poll(() => row('New cards').textContent()).toMatch(/Paused/);
    await button('Resume New cards').click();
    await button('Results of New cards').click();
    await shot('campaigns');
    await expect
      .poll(() => row('New cards').textContent(), { timeout: 40_000 })
      .toMatch(/Done.*3 of 3.*3 failed.*2 lines left out/);
    await button('Read again').click();
    await expect.poll(() => row('+4930202').textContent(), SOON).toMatch(/Carl, Dr\..*Failed.*Busy/);
    await shot('campaign-done');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'CSV file of New cards' }).click();
    expect(await readFile(await (await download).path(), 'utf8')).toMatch(/^4,\+4930202,"Carl, Dr\.",FAILED,busy,/m);
    await page.getByRole('link', { name: '+4930203' }).click();
    await expect.poll(() => row('+4930203').textContent(), SOON).toMatch(/Failed/);
    expect(browser.troubles).toEqual([]);
  });

  test('a number is put on the do-not-call list, looked up, and taken off', async () => {
    await open('Do not call');
    await page.getByText('No number is barred').waitFor();
    await field('Number').fill('12ab');
    await button('Add to the list').click();
    await expect.poll(() => noteOf('Number'), SOON).toBe('This is no telephone number.');
    browser.troubles.length = 0;
    await field('Number').fill('+49 30 555-1');
    await field('Reason').fill('asked us not to');
    await button('Add to the list').click();
    await expect.poll(() => row('+49305551').textContent(), SOON).toMatch(/asked us not to/);
    await field('Look a number up').fill('+49 30 999');
    await page.getByText('+49 30 999 is not on the list.').waitFor();
    await field('Look a number up').fill('30 555');
    await button('Remove +49305551').click();
    await shot('do-not-call');
    await button('Yes').click();
    await page.getByText('No number is barred').waitFor();
    expect(browser.troubles).toEqual([]);
  });

  test('gateways are shown with their state, calls and outcomes', async () => {
    await open('Gateways');
    await expect.poll(() => row('carrier').textContent(), SOON).toMatch(/Up0 of 10.*busy/);
    await page.getByText('The connector is registered nowhere').waitFor();
    await shot('gateways');
    expect(browser.troubles).toEqual([]);
  });

  test('what is on a narrow screen fits, also in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    for (const section of ['Orders', 'Campaigns', 'Do not call', 'Gateways']) {
      await open(section);
      await page.locator('.listing[aria-busy="false"]').first().waitFor();
      await shot(`narrow-${section}`);
      // Tables scroll in themselves.
      const beyond = await page.evaluate(() =>
        [document.documentElement, document.querySelector('.calls-out')!].map(
          ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth,
        ),
      );
      expect(beyond, section).toEqual([0, 0]);
    }
  });
});

test('where calling out is not configured any more, the page says what is missing', async () => {
  const registration = 'name: pbx, registrar: "sip:127.0.0.1:9;transport=tcp", user: "200"';
  await writeFile(
    join(folder, 'all.yaml'),
    `bots: [{ name: bank }]
registrations: [{ ${registration}, auth: { user: "200", password: "\${PBX_PASSWORD}" } }]
`,
  );
  await connector.send('POST', '/api/v1/trunks/reload');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${connector.url}/calls-out`);
  await page.getByText('No gateway is configured, so nobody can be called: docs/outbound.md').waitFor();
  await page.getByText(/No bot calls out: give one an outbound part/).waitFor();
  expect(await button('Order the call').isDisabled()).toBe(true);
  await shot('nothing-configured');
  await open('Gateways');
  await expect.poll(() => row('pbx').textContent(), SOON).toMatch(/Waiting.*sip:200@127\.0\.0\.1/);
  await shot('registrations');
  expect(browser.troubles).toEqual([]);
});
