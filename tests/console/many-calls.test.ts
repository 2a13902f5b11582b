import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionRecord } from '../../src/call/record/records.ts';
import type { SupervisionRoutesDesk } from '../../src/http/routes/supervision.ts';
import type { TestServer } from '../http/fixtures.ts';
import { endCall, startLiveCall } from './bank-of-calls.ts';
import { type ServedPage, servePage } from './served-page.ts';

const CALLS = 2000;
let served: ServedPage;
let it: TestServer;
let page: Page;
/** The newest first, as on the page. */
const live: SessionRecord[] = [];
let begun = 0;

/** A call begins now, after all others. */
function begin(number = `+1555${100_000 + begun}`): SessionRecord {
  const call = startLiveCall(it, number, new Date(Date.now() - 600_000 + ++begun * 100));
  live.unshift(call);
  return call;
}

function end(call: SessionRecord): void {
  live.splice(live.indexOf(call), 1);
  endCall(it, call);
}

beforeAll(async () => {
  const nobody = () => {
    throw new Error('nobody supervises here');
  };
  const supervision: SupervisionRoutesDesk = {
    status: () => ({
      most: 20,
      calls: live.map(({ sessionId }, i) => ({ sessionId, shortNumber: String(101 + i), agent: i % 9 === 0 })),
      supervisors: [],
    }),
    supervise: nobody,
    change: nobody,
    end: nobody,
  };
  served = await servePage({ supervision }, (server) => {
    it = server;
    for (let i = 0; i < CALLS; i++) begin();
  });
  page = served.page;
});
afterAll(() => served?.close());

const rows = () => page.getByRole('article');
const numberIn = (index: number) => rows().nth(index).getByRole('link').textContent();
const newest = () => live[0]!.callerPhone;
const away = () => page.getByRole('heading', { name: 'Supervise' }).hover();

async function open() {
  await page.goto(`${it.url}/supervise`);
  await rows().first().getByRole('button', { name: 'Listen' }).waitFor();
  await away();
}

describe(`a supervisor with ${CALLS} calls`, () => {
  test('sees the newest, more on request, and finds any other by some digits of its number', async () => {
    await open();
    expect(await numberIn(0)).toContain(newest());
    expect(await rows().count()).toBe(50);
    await page.getByText(`The newest 50 of ${CALLS.toLocaleString('en')} calls.`).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => rows().count()).toBe(100);
    const oldest = live.at(-1)!.callerPhone;
    await page.getByLabel('Find a number').fill(oldest.slice(-6));
    await expect.poll(() => rows().count()).toBe(1);
    expect(await numberIn(0)).toContain(oldest);
    await page.getByLabel('Find a number').fill('000000000');
    await page.getByText('No such call goes on').waitFor();
    await page.getByLabel('Find a number').fill('');
    await expect.poll(() => rows().count()).toBe(50);
    expect(served.troubles).toEqual([]);
  });

  test('does not have the calls move under the pointer, so that the one that is pressed is the one that was meant', async () => {
    await open();
    const [first, second] = live;
    await rows().nth(1).hover();
    for (let i = 0; i < 3; i++) begin();
    end(first!);
    await page.getByText('3 new calls, shown when the pointer leaves the list.').waitFor();
    // Who is gone keeps their place, and nobody can listen there any more.
    await rows().first().getByText('Over').waitFor();
    expect(await rows().first().getByRole('button').count()).toBe(0);
    expect(await numberIn(0)).toContain(first!.callerPhone);
    expect(await numberIn(1)).toContain(second!.callerPhone);
    await away();
    await expect.poll(() => numberIn(0)).toContain(newest());
    expect(await numberIn(3)).toContain(second!.callerPhone);
    expect(served.troubles).toEqual([]);
  });

  test('and who looks for one is shown it, wherever the pointer was left', async () => {
    await open();
    await rows().nth(1).hover();
    const wanted = begin('+4930987654');
    await page.getByLabel('Find a number').fill('987 654');
    await expect.poll(() => numberIn(0)).toContain('+4930987654');
    end(wanted);
    await page.getByText('No such call goes on').waitFor();
  });
});

test('a supervisor with a few calls sees the next one at once, also with the pointer over the list', async () => {
  for (const call of [...live].slice(5)) end(call);
  await open();
  await rows().nth(1).hover();
  begin('+4940111222');
  await expect.poll(() => numberIn(0)).toContain('+4940111222');
});
