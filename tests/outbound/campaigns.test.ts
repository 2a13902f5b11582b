import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connector } from '../support/connector.ts';
import type { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { isOver, order, orderOnce, request, Town } from './town.ts';

interface Campaign {
  campaignId: string;
  state: string;
  numbers: number;
  waiting: number;
  orders: Record<string, number>;
  rejected: number;
}

const town = new Town();
let connector: Connector;
let far: AnsweringPhone;

beforeAll(async () => {
  far = await town.exchange('+4940', { refuse: { status: 603, reason: 'Decline' } });
  connector = await town.connector({ BOT_PROFILE: 'silent', OUTBOUND_CALLS_PER_SECOND: '50' });
});
afterAll(() => town.close());

const basics = { name: 'New cards', bot: 'caller', callsPerMinute: 6000, concurrent: 10 };
const numbersFrom = (start: number, count: number) => Array.from({ length: count }, (_, i) => `+4940${start + i}`);
const csvOf = (numbers: readonly string[]) => ['number,name', ...numbers.map((number) => `${number},Anna`)].join('\n');
let keys = 0;
const create = (body: Record<string, unknown>, key = `campaign-${++keys}`) =>
  request(connector, 'POST', '/campaigns', { ...basics, ...body }, { 'idempotency-key': key });
const at = (id: string) => connector.api<Campaign>(`/api/v1/campaigns/${id}`);
const dialled = (number: string) => far.calls.filter(({ invite }) => invite.uri.includes(`:${number}@`)).length;

describe('a campaign', () => {
  it('calls each number of its file once, and tells what became of it', async () => {
    const numbers = numbersFrom(100, 12);
    const made = await create({ csv: `${csvOf([...numbers, numbers[0]!])}\nnobody,Bob`, hours: 'always' });
    expect(made).toMatchObject({ status: 201, body: { rejected: [{ line: 15 }], duplicates: [{ line: 14, of: 2 }] } });
    const { campaignId } = (made.body as { campaign: Campaign }).campaign;
    expect(made.location).toBe(`/api/v1/campaigns/${campaignId}`);
    await expect.poll(async () => (await at(campaignId)).state, { timeout: 40_000 }).toBe('DONE');
    expect(await at(campaignId)).toMatchObject({ numbers: 12, waiting: 0, orders: { FAILED: 12 }, rejected: 1 });
    expect(numbers.map(dialled)).toEqual(numbers.map(() => 1));
    const results = await request(connector, 'GET', `/campaigns/${campaignId}/results`);
    const lines = String(results.body).trim().split('\r\n');
    expect(lines[0]).toBe('line,number,name,state,outcome,answered_by,attempts,ended_at,order_id');
    expect(lines).toHaveLength(13);
    for (const line of lines.slice(1))
      expect(line).toMatch(/^\d+,\+4940\d+,Anna,FAILED,declined,,1,2\d{3}-.*Z,[0-9a-f-]{36}$/);
  });

  it('rests while it is paused, goes on, and is cancelled with what waits', async () => {
    const numbers = numbersFrom(200, 4);
    const made = await create({ csv: csvOf(numbers), callsPerMinute: 60 });
    const { campaignId } = (made.body as { campaign: Campaign }).campaign;
    await expect.poll(() => dialled(numbers[0]!)).toBe(1);
    const step = async (name: string) => (await request(connector, 'POST', `/campaigns/${campaignId}/${name}`)).status;
    expect(await step('pause')).toBe(200);
    const before = (await at(campaignId)).waiting;
    expect(before).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await at(campaignId)).waiting).toBe(before);
    expect(await step('resume')).toBe(200);
    await expect.poll(async () => (await at(campaignId)).waiting).toBeLessThan(before);
    expect(await step('cancel')).toBe(200);
    expect(await step('resume')).toBe(409);
    const { waiting } = await at(campaignId);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await at(campaignId)).waiting).toBe(waiting);
  });

  it('calls nobody outside its hours', async () => {
    const numbers = numbersFrom(300, 2);
    const made = await create({ csv: csvOf(numbers), hours: 'never' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { campaignId } = (made.body as { campaign: Campaign }).campaign;
    expect(await at(campaignId)).toMatchObject({ state: 'RUNNING', waiting: 2 });
    expect(numbers.map(dialled)).toEqual([0, 0]);
  });

  it('is the same campaign when it is sent again because its answer was lost, and calls nobody twice', async () => {
    const numbers = numbersFrom(400, 3);
    const body = { csv: `${csvOf(numbers)}\nnobody,Bob` };
    const [one, other] = await Promise.all([create(body, 'lost'), create(body, 'lost')]);
    const again = await create(body, 'lost');
    const idOf = ({ body: answer }: typeof one) => (answer as { campaign: Campaign }).campaign.campaignId;
    expect([one.status, other.status, again.status]).toEqual([201, 201, 201]);
    expect(new Set([one, other, again].map(idOf)).size).toBe(1);
    expect(again.body).toMatchObject({ rejected: [{ line: 5 }], campaign: { numbers: 3, rejected: 1 } });
    await expect.poll(async () => (await at(idOf(one))).state, { timeout: 20_000 }).toBe('DONE');
    expect(numbers.map(dialled)).toEqual([1, 1, 1]);
    expect(await create({ csv: csvOf(numbersFrom(500, 1)) }, 'lost')).toMatchObject({
      status: 409,
      body: { errors: [{ field: 'idempotency-key', in: 'headers' }] },
    });
    expect(await request(connector, 'POST', '/campaigns', { ...basics, ...body })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'idempotency-key', message: 'is missing' }] },
    });
  });

  it('is the same campaign also when its time has passed meanwhile; one that was never made is refused', async () => {
    const body = { csv: csvOf(numbersFrom(700, 1)), latest: new Date(Date.now() + 2000).toISOString() };
    const made = await create(body, 'late');
    expect(made.status).toBe(201);
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(body.latest));
    expect(await create(body, 'late')).toMatchObject({ status: 201, location: made.location });
    expect(await create(body)).toMatchObject({ status: 400, body: { errors: [{ field: 'latest' }] } });
  });

  it('of a file with more faults than anybody reads keeps the first thousand, and counts them all', async () => {
    const faults = Array.from({ length: 1500 }, (_, i) => `nobody-${i},Bob`).join('\n');
    const made = await create({ csv: `${csvOf(numbersFrom(600, 1))}\n${faults}` });
    const { rejected, campaign } = made.body as { rejected: unknown[]; campaign: Campaign };
    expect([rejected.length, campaign.rejected]).toEqual([1000, 1500]);
  });

  it('gives results that a spreadsheet does not take for formulas, and calls nobody twice in two spellings', async () => {
    const names = ['=1+1', '+1+cmd|calc', '-2+3', '@SUM(A1)', '-12.50', '+4915112345'];
    const lines = [...names.map((name, i) => `+49409${i}0,${name}`), '004940900,Twice'];
    const made = await create({ csv: ['number,name', ...lines].join('\n') });
    expect(made.body).toMatchObject({ duplicates: [{ line: 8, of: 2 }] });
    const { campaignId } = (made.body as { campaign: Campaign }).campaign;
    const results = String((await request(connector, 'GET', `/campaigns/${campaignId}/results`)).body);
    expect(
      results
        .split('\r\n')
        .slice(1, 7)
        .map((line) => line.split(',')[2]),
    ).toEqual(["'=1+1", "'+1+cmd|calc", "'-2+3", "'@SUM(A1)", '-12.50', '+4915112345']);
    await request(connector, 'POST', `/campaigns/${campaignId}/cancel`);
  });

  it.each([
    ['of a file without numbers', { csv: 'number,name\nx,y' }],
    ['of hours there are not', { csv: csvOf(['+49401']), hours: 'tea-time' }],
    ['of a bot that says what the file lacks', { csv: 'number\n+49401' }],
    ['of a bot that does not call', { csv: csvOf(['+49401']), bot: 'bank' }],
  ])('%s is refused', async (_what, body) => {
    expect((await create(body)).status).toBe(400);
  });
});

describe('a number that must not be called', () => {
  it('is called neither for an order nor for a campaign, until it is taken off the list', async () => {
    const number = '+4940777';
    const bar = `/do-not-call/${encodeURIComponent('+49 40 777')}`;
    expect((await request(connector, 'PUT', bar, { reason: 'asked us' })).status).toBe(204);
    expect((await request(connector, 'GET', '/do-not-call')).body).toMatchObject({
      numbers: [{ number, reason: 'asked us' }],
    });
    const placed = await order(connector, { to: number, bot: 'caller', variables: { name: 'A' } });
    const over = await orderOnce(connector, placed.orderId, isOver);
    expect(over).toMatchObject({ state: 'FAILED', outcome: 'do-not-call', attempts: [] });
    expect(dialled(number)).toBe(0);
    expect((await request(connector, 'DELETE', bar)).status).toBe(204);
    expect((await request(connector, 'DELETE', bar)).status).toBe(404);
    const again = await order(connector, { to: number, bot: 'caller', variables: { name: 'A' } });
    await orderOnce(connector, again.orderId, isOver);
    expect(dialled(number)).toBe(1);
  });

  it.each(['--', '()', '+ .'])('%s is no number', async (text) => {
    const bar = `/do-not-call/${encodeURIComponent(text)}`;
    expect((await request(connector, 'PUT', bar, { reason: 'asked us' })).status).toBe(400);
  });
});

describe('text that no database keeps and no voice says', () => {
  it.each([
    ['U+0000', 'a\0b'],
    ['half of a surrogate pair', 'a\ud83d'],
  ])('(%s) is refused, and the field is named', async (_, text) => {
    const body = { to: '+4940100', bot: 'caller', variables: { name: 'A' }, purpose: text };
    expect(await request(connector, 'POST', '/calls', body, { 'idempotency-key': 'broken' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'purpose', in: 'body' }] },
    });
    expect(await create({ csv: csvOf(['+49401']), name: text })).toMatchObject({ status: 400 });
  });

  it('is refused in a search as well, and so is a moment that no clock shows', async () => {
    expect((await request(connector, 'GET', '/orders?to=%00')).status).toBe(400);
    expect((await request(connector, 'GET', '/calls?from=2026-12-31T23:59:60Z')).status).toBe(400);
    expect((await request(connector, 'GET', '/calls?from=2026-12-31T23:59:59Z')).status).toBe(200);
    const latest = { to: '+4940100', bot: 'caller', variables: { name: 'A' }, latest: '2027-06-30T23:59:60Z' };
    expect(await request(connector, 'POST', '/calls', latest, { 'idempotency-key': 'leap' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'latest' }] },
    });
  });
});
