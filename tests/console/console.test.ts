import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HandoverRecord } from '../../src/call/handover/handover-status.ts';
import type { SessionRecord } from '../../src/call/record/records.ts';
import { RecordingEncoder } from '../../src/call/recording/recording-encoder.ts';
import { Recordings } from '../../src/call/recording/recordings.ts';
import type { SupervisionRequest } from '../../src/call/supervision/supervision-desk.ts';
import type { SupervisionView } from '../../src/call/supervision/supervisor.ts';
import { silentLogger } from '../../src/core/log.ts';
import { event, session, startServer, type TestServer, TOKEN, utterance } from '../http/fixtures.ts';
import { endCall, say, startLiveCall, storeCalls, storeConversation } from './bank-of-calls.ts';
import { type ServedPage, servePage } from './served-page.ts';

let served: ServedPage;
let it: TestServer;
let page: Page;
let conversation: SessionRecord;
let live: [SessionRecord, SessionRecord];
const hungUp: string[] = [];
/** What staff asked of the people behind the bot. */
const asked: unknown[] = [];
const handover = new HandoverRecord({ by: 'api', queue: 'service', startedAt: new Date() });
const people = {
  transfer: (_id: string, request: unknown) => {
    asked.push(request);
    return handover.status;
  },
  handover: () => handover.status,
  recall: () => asked.push('back') > 0,
};
/** Of the supervisors' desk: who is there, and what was asked. */
let supervisors: SupervisionView[] = [];
const supervised: unknown[] = [];

function supervisionDesk() {
  const put = (id: string, change: Partial<SupervisionView>) => {
    supervisors = supervisors.map((one) => (one.supervisionId === id ? { ...one, ...change } : one));
    return supervisors.find((one) => one.supervisionId === id)!;
  };
  return {
    status: () => ({
      most: 20,
      calls: live.map(({ sessionId }, i) => ({ sessionId, shortNumber: String(101 + i), agent: false })),
      supervisors,
    }),
    supervise: async (sessionId: string, request: SupervisionRequest) => {
      supervised.push(request);
      return put(request.supervisionId!, { state: 'active', mode: request.mode, sessionId });
    },
    change: (_sessionId: string, id: string, mode: SupervisionRequest['mode']) => put(id, { mode }),
    end: (_sessionId: string, id: string) => void put(id, { state: 'waiting', mode: undefined, sessionId: undefined }),
  };
}

beforeAll(async () => {
  const options = {
    live: { hangup: async (id: string) => hungUp.push(id) > 0, ...people },
    supervision: supervisionDesk(),
  };
  served = await servePage(options, async (server) => {
    const now = Date.now();
    storeCalls(server, 10_000, new Date(now - 3_600_000));
    conversation = await storeConversation(server, new Date(now - 1_800_000));
    live = [
      startLiveCall(server, '+15550142', new Date(now - 45_000)),
      startLiveCall(server, '+15550177', new Date(now - 12_000)),
    ];
  });
  it = served.server;
  page = served.page;
});
afterAll(() => served?.close());
beforeEach(() => {
  served.troubles.length = 0;
});

const rows = () => page.locator('.call-row');
const scrollTop = () => page.locator('.list-scroll').evaluate((element) => element.scrollTop);
const scrollTo = (top: number) => page.locator('.list-scroll').evaluate((element, y) => element.scrollTo(0, y), top);
const callerOf = (index: number) => page.locator(`.call-row[data-index="${index}"] .caller`).textContent();

/** No error on the console, no refusal by the content policy, no request answered with an error. */
const expectNoTrouble = () => expect(served.troubles).toEqual([]);

describe('the list of 10,000 calls', () => {
  afterEach(expectNoTrouble);

  test('shows the live ones on top and keeps few rows in the document', async () => {
    await page.goto(it.url);
    await expect.poll(() => rows().count()).toBeGreaterThan(5);
    await expect.poll(() => callerOf(0)).toBe('+15550177');
    expect(await callerOf(1)).toBe('+15550142');
    expect(await page.locator('.call-row .chip.live').count()).toBe(2);
    expect(await rows().count()).toBeLessThan(80);
  });

  test('is read to its end by scrolling, and stays small', async () => {
    await page.goto(it.url);
    await rows().first().waitFor();
    const reads = async () => {
      await scrollTo(1e9);
      return page.getByText(/That is all: 10,003 calls/).count();
    };
    await expect.poll(reads, { timeout: 40_000, interval: 60 }).toBe(1);
    expect(await rows().count()).toBeLessThan(80);
    // A jump through all of it shows rows at once.
    const shown = await page.evaluate(async () => {
      const list = document.querySelector('.list-scroll')!;
      const started = performance.now();
      list.scrollTop = list.scrollHeight / 2;
      while (!document.querySelector('.call-row[data-index="5000"]')) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        if (performance.now() - started > 5000) break;
      }
      return performance.now() - started;
    });
    expect(shown).toBeLessThan(2000);
  });

  test('is searched in what was said, with the search in the address', async () => {
    await page.goto(it.url);
    await rows().first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('tracking number');
    await expect.poll(() => rows().count()).toBe(1);
    expect(await callerOf(0)).toBe('+15550100');
    await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe('tracking number');
    await page.reload();
    await expect.poll(() => rows().count()).toBe(1);
    await page.getByLabel('Search in what was said').fill('no such words were ever said');
    await page.getByRole('heading', { name: 'No call matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => rows().count()).toBeGreaterThan(5);
  });

  test('is filtered by status and caller', async () => {
    await page.goto(it.url);
    await page.getByRole('button', { name: 'Filters' }).click();
    await page.getByLabel('Status').selectOption('FAILED');
    await expect
      .poll(async () => new Set(await page.locator('.call-row .status').allTextContents()))
      .toEqual(new Set(['Failed']));
    await page.getByLabel('Status').selectOption('');
    await page.getByLabel('Caller').fill('5550142');
    await expect.poll(() => rows().count()).toBe(1);
    expect(await callerOf(0)).toBe('+15550142');
  });

  test('keeps its place over a reload', async () => {
    await page.goto(it.url);
    await rows().first().waitFor();
    const until = async () => {
      await scrollTo(44 * 700);
      return scrollTop();
    };
    await expect.poll(until, { interval: 60 }).toBe(44 * 700);
    await expect.poll(() => new URL(page.url()).searchParams.get('row')).toBe('698');
    const before = await callerOf(700);
    await page.reload();
    await expect.poll(scrollTop).toBe(44 * 700);
    expect(await callerOf(700)).toBe(before);
  });

  test('is walked by keyboard', async () => {
    await page.goto(it.url);
    await expect.poll(() => callerOf(0)).toBe('+15550177');
    await rows().first().focus();
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-index'))).toBe('2');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '+15550100' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => new URL(page.url()).pathname).toBe('/');
  });
});

describe('a call', () => {
  afterEach(expectNoTrouble);

  test('shows what was said and heard, latencies, transactions and events, also after a reload', async () => {
    await page.goto(`${it.url}/calls/${conversation.sessionId}`);
    for (let i = 0; i < 2; i++) {
      await page.getByText('where is my new card').waitFor();
      expect(await page.locator('.words del').textContent()).toContain('tell me your customer number');
      expect(await page.locator('.utterance .latency').allTextContents()).toEqual([
        'Answered after 312 ms',
        'Answered after 584 ms',
        'Answered after 268 ms',
      ]);
      expect(await page.locator('.transactions strong').allTextContents()).toEqual(['Verify customer', 'Card inquiry']);
      expect(await page.locator('.event-name').allTextContents()).toContain('Barge in');
      const facts = await page.locator('.facts div').allTextContents();
      expect(facts).toContain('Caller as heard by usMOS 4.2, 1.2 % lost');
      expect(facts).toContain('Bot as heard by the callerMOS 4.4, 0 % lost');
      expect(facts).toContain('Network round trip38 ms');
      await page.reload();
    }
    await page.getByRole('button', { name: /312 ms/ }).click();
    await page.getByText('Barge-in stop').waitFor();
  });

  test('shows how it was signalled, each message to open, and the capture to take along', async () => {
    await page.goto(`${it.url}/calls/${conversation.sessionId}`);
    const ladder = page.getByRole('region', { name: 'SIP messages' });
    await ladder.getByText('486 Busy Here').waitFor();
    expect(await ladder.locator('.ladder-names').textContent()).toBe('192.0.2.7:5060Connector198.51.100.9:5060');
    expect(await ladder.locator('li').count()).toBe(10);
    expect(await ladder.locator('.again').allTextContents()).toEqual(['received INVITE again']);
    await ladder.getByText('BYE').click();
    await ladder.getByText('CSeq: 2 BYE').waitFor();
    const [capture] = await Promise.all([
      page.waitForEvent('download'),
      ladder.getByRole('link', { name: 'pcap' }).click(),
    ]);
    expect(capture.suggestedFilename()).toBe(`call-${conversation.sessionId}.pcap`);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  });

  test('plays its recording, from the utterance that is clicked', async () => {
    await page.goto(`${it.url}/calls/${conversation.sessionId}`);
    const time = () => page.locator('audio').evaluate((audio) => (audio as HTMLAudioElement).currentTime);
    await page.getByRole('button', { name: 'Play the recording' }).click();
    await expect.poll(time).toBeGreaterThan(0.3);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Play from 0:12' }).click();
    await expect.poll(time).toBeGreaterThan(12.2);
    await expect.poll(() => page.locator('.utterance.speaking').textContent()).toContain('shipped yesterday');
    await page.getByRole('button', { name: 'Pause' }).click();
    const slider = page.getByRole('slider', { name: 'Place in the recording' });
    await slider.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await expect.poll(time).toBe(5);
    const painted = await page.locator('.waveform canvas').evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
    });
    expect(painted).toBeGreaterThan(0.03);
  });

  test('plays one that became Opus just the same, from any place', async () => {
    const { sessionId } = conversation;
    const row = (await it.archive.recording(sessionId))!;
    const encoder = await RecordingEncoder.start(undefined, silentLogger);
    const options = { dataDir: it.dataDir, keys: undefined, delaySeconds: 6, log: silentLogger, encoder };
    await new Recordings(options).finished(row.path, async (encoded) =>
      it.archive.addRecording({ ...row, ...encoded }),
    );
    await encoder.close();
    expect((await it.archive.recording(sessionId))?.format).toBe('ogg');
    await page.goto(`${it.url}/calls/${sessionId}`);
    const audio = page.locator('audio');
    const time = () => audio.evaluate((element) => (element as HTMLAudioElement).currentTime);
    await page.getByRole('button', { name: 'Play from 0:12' }).click();
    await expect.poll(time).toBeGreaterThan(12.2);
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(await audio.evaluate((element) => (element as HTMLAudioElement).duration)).toBeCloseTo(24, 1);
    // What the browser makes of it: caller and bot each for itself.
    const loudest = await audio.evaluate(async (element) => {
      const file = await (await fetch((element as HTMLAudioElement).currentSrc)).arrayBuffer();
      const sound = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(file);
      return [0, 1].map((side) => sound.getChannelData(side).reduce((most, value) => Math.max(most, value), 0));
    });
    expect(Math.min(...loudest)).toBeGreaterThan(0.05);
  });

  test('that we made is named by whom we called, and says who answered', async () => {
    const made = session({
      direction: 'OUTBOUND',
      callerPhone: '',
      calledNumber: '+4930123456',
      callStartTime: new Date(Date.now() - 1_000_000),
      endCause: 'message-left',
      answeredBy: 'machine',
    });
    it.archive.session(made);
    await page.goto(`${it.url}/calls/${made.sessionId}`);
    await expect.poll(() => page.locator('.call-title h1').textContent()).toBe('→ +4930123456');
    const facts = await page.locator('.call-title p').textContent();
    expect(facts).toContain('Message left');
    expect(facts).toContain('Answered by a machine');
  });

  test('with a script from right to left, and a name that would turn the writing round, is read as it was said', async () => {
    const call = session({ callerPhone: '+15550133', callStartTime: new Date(Date.now() - 600_000) });
    const { sessionId } = call;
    it.archive.session(call);
    it.archive.utterance(utterance(sessionId, 1, { text: 'שלום, אני צריך כרטיס.' }));
    it.archive.utterance(utterance(sessionId, 2, { text: '<img src=x onerror="document.title=1">' }));
    const data = { name: 'anna \u202e<b>', status: 'busy' };
    it.archive.event(event(sessionId, 'handover-failed', { data }));
    await page.goto(`${it.url}/calls/${sessionId}`);
    await page.getByText('<img src=x onerror="document.title=1">').waitFor();
    const hebrew = page.locator('.words', { hasText: 'שלום' });
    const ends = await hebrew.evaluate((element) => {
      const text = element.firstChild as Text;
      const left = (at: number) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().left;
      };
      return { first: left(0), stop: left(text.length - 1) };
    });
    expect(ends.stop).toBeLessThan(ends.first);
    const values = page.locator('.event-data bdi');
    expect(await values.allTextContents()).toEqual(['anna \u202e<b>', 'busy']);
    const [name, status] = await Promise.all([values.nth(0).boundingBox(), values.nth(1).boundingBox()]);
    expect(status!.x).toBeGreaterThan(name!.x);
  });

  test('that goes on lets a supervisor who waits take over, listen and leave', async () => {
    const [, call] = live;
    supervisors = [
      { supervisionId: 's1', name: 'anna', state: 'waiting', mode: undefined, sessionId: undefined, since: new Date() },
    ];
    await page.goto(`${it.url}/calls/${call.sessionId}`);
    const panel = page.getByRole('region', { name: 'Supervise' });
    await panel.getByText('By telephone (1 on the line)').click();
    await panel.getByText('key 102#').waitFor();
    const line = panel.getByRole('form', { name: 'Supervise by telephone' });
    // There is no agent to whisper to.
    expect(await panel.getByRole('button', { name: 'Whisper' }).count()).toBe(0);
    await line.getByPlaceholder('anna waits on the line').waitFor();
    await line.getByRole('button', { name: 'Take over' }).click();
    expect(supervised).toEqual([{ mode: 'take-over', supervisionId: 's1' }]);
    const anna = panel.getByRole('listitem').filter({ hasText: 'anna' });
    await anna.getByRole('button', { name: 'Take over', pressed: true }).waitFor();
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
    await anna.getByRole('button', { name: 'Listen' }).click();
    await anna.getByRole('button', { name: 'Listen', pressed: true }).waitFor();
    await anna.getByRole('button', { name: 'Leave' }).click();
    await expect.poll(() => panel.getByRole('listitem').count()).toBe(0);
    await line.getByRole('button', { name: 'Listen' }).click();
    await expect.poll(() => panel.getByRole('listitem').count()).toBe(1);
    expect(supervisors).toMatchObject([{ state: 'active', mode: 'listen', sessionId: call.sessionId }]);
  });

  test('that goes on is followed without a reload, to its end', async () => {
    const [call] = live;
    await page.goto(`${it.url}/calls/${call.sessionId}`);
    await page.getByText('Nobody has spoken yet.').waitFor();
    // Only when the page follows is it certain that nothing is merely read.
    await expect
      .poll(async () => (await (await fetch(`${it.url}/metrics`)).text()).match(/http_event_streams (\d+)/)?.[1])
      .toBe('2');
    say(it, call, 1, { speaker: 'assistant', text: 'Welcome to the bank.', source: 'prompt' });
    await page.getByText('Welcome to the bank.').waitFor();
    say(it, call, 2, { text: 'what is my balance' });
    await page.locator('.utterance.caller').getByText('what is my balance').waitFor();
    const log = page.getByRole('log', { name: 'Transcript' });
    expect(await log.getAttribute('aria-live')).toBe('polite');

    await page.getByRole('button', { name: 'End call' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await expect.poll(() => hungUp).toEqual([call.sessionId]);
    endCall(it, call);
    await page.locator('.call-header .chip.good').waitFor();
    await expect.poll(() => page.locator('.call-row .chip.live').count()).toBe(1);
    await expect
      .poll(() => page.locator('.call-row', { hasText: '+15550142' }).locator('.chip').textContent())
      .toBe('Completed');
  });

  test('that goes on is handed over to a person, and taken back', async () => {
    const call = live[1];
    await page.goto(`${it.url}/calls/${call.sessionId}`);
    await page.getByLabel('Hand over to').fill('service');
    await page.getByRole('button', { name: 'Transfer' }).click();
    await expect.poll(() => asked).toEqual([{ queue: 'service' }]);
    const tell = (type: string, data: Record<string, unknown>) =>
      it.registry.event({ eventId: randomUUID(), sessionId: call.sessionId, at: new Date(), type, data });
    tell('handover-started', { handoverId: 'h' });
    tell('handover-connected', { target: 'anna' });
    await page.getByText('anna talks to the caller.').waitFor();
    if (process.env.TRANSFER_SCREENSHOT) {
      await page.screenshot({ path: process.env.TRANSFER_SCREENSHOT, fullPage: true });
    }
    await page.getByRole('button', { name: 'Take back' }).click();
    await expect.poll(() => asked.at(-1)).toBe('back');
    tell('handover-ended', { handoverId: 'h', outcome: 'recalled' });
    await page.getByText('The last transfer: recalled.').waitFor();
    await page.getByLabel('Hand over to').fill('+1 555 0123');
    await page.getByLabel('How').selectOption('refer');
    await page.getByRole('button', { name: 'Transfer' }).click();
    await expect.poll(() => asked.at(-1)).toEqual({ to: '+1 555 0123', how: 'refer' });
  });

  test('that ends while so much happens that this page misses it, is not shown as going on', async () => {
    const gone = startLiveCall(it, '+15550188', new Date());
    await page.goto(it.url);
    const row = page.locator('.call-row.is-live', { hasText: '+15550188' });
    await row.waitFor();
    endCall(it, gone);
    // More than is kept for a viewer who does not keep up.
    for (let i = 0; i < 300; i++) it.registry.update(live[1]);
    await row.waitFor({ state: 'detached' });
    await page.locator('.call-row.is-live', { hasText: '+15550177' }).waitFor();
  });

  test('that is over is listed with its end, though others end all the time', async () => {
    await page.goto(it.url);
    await page.getByText('Live updates on').waitFor();
    const over = startLiveCall(it, '+15550189', new Date());
    await page.locator('.call-row.is-live', { hasText: '+15550189' }).waitFor();
    endCall(it, over);
    const others = setInterval(() => endCall(it, startLiveCall(it, '', new Date())), 200);
    try {
      await page.locator('.call-row:not(.is-live)', { hasText: '+15550189' }).waitFor();
    } finally {
      clearInterval(others);
    }
  });

  test('that comes in appears by itself', async () => {
    await page.goto(it.url);
    await rows().first().waitFor();
    await page.getByText('Live updates on').waitFor();
    startLiveCall(it, '+15550199', new Date());
    await expect.poll(() => callerOf(0)).toBe('+15550199');
    expect(await page.title()).toBe('(2) Calls');
  });
});

test('a call that does not exist is said so', async () => {
  await page.goto(`${it.url}/calls/00000000-0000-4000-8000-000000000000`);
  await page.getByRole('heading', { name: 'There is no such call' }).waitFor();
  await page.getByRole('button', { name: 'Back to the list' }).click();
  await rows().first().waitFor();
});

test('signing out closes the page to others; a wrong token is told', async () => {
  await page.goto(it.url);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Admin token').waitFor();
  await page.reload();
  await page.getByLabel('Admin token').fill('a wrong one');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the admin token').waitFor();
  expect(page.url()).not.toContain('wrong');
  await page.getByLabel('Admin token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await rows().first().waitFor();
});

test('when the connector goes away the page says so, and recovers', async () => {
  await page.goto(it.url);
  await page.getByText('Live updates on').waitFor();
  const port = Number(new URL(it.url).port);
  await it.server.close();
  await page.getByText('The connection to the connector is lost').waitFor();
  const again = await startServer({ port, consoleDir: served.dist });
  try {
    // A restart has forgotten the sign-in, so recovery leads to the sign-in page.
    await page.getByLabel('Admin token').waitFor({ timeout: 20_000 });
  } finally {
    await again.close();
  }
});
