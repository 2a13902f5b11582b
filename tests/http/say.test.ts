import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Announcement } from '../../src/call/bot/say.ts';
import { bearer, liveSession, session, startServer, type TestServer } from './fixtures.ts';

let it: TestServer;
let taken: Announcement[] = [];
let outcome: 'taken' | 'full' | 'silent' = 'taken';
const live = liveSession();
const ended = session();

beforeAll(async () => {
  it = await startServer({
    live: {
      hangup: async () => true,
      say(sessionId, announcement) {
        if (sessionId !== live.sessionId) return 'not-live';
        if (outcome === 'taken') taken.push(announcement);
        return outcome;
      },
    },
  });
  it.registry.update(live);
  it.archive.session(ended);
});
afterAll(() => it.close());
beforeEach(() => {
  taken = [];
  outcome = 'taken';
});

const say = (body: unknown, sessionId = live.sessionId, headers: Record<string, string> = bearer) =>
  fetch(`${it.url}/api/v1/calls/${sessionId}/say`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('saying something in a live call', () => {
  test('is taken with priority 5, in its turn, and the caller may interrupt it', async () => {
    const response = await say({ text: 'Your callback is booked.' });
    expect(response.status).toBe(202);
    const { utteranceId, sessionId } = (await response.json()) as { utteranceId: string; sessionId: string };
    expect(sessionId).toBe(live.sessionId);
    expect(taken).toEqual([
      { id: utteranceId, text: 'Your callback is booked.', priority: 5, mode: 'queue', interruptible: true },
    ]);
  });

  test.each([
    [{ priority: 7 }, 'queue'],
    [{ priority: 8 }, 'replace'],
    [{ priority: 10, mode: 'queue' }, 'queue'],
    [{ priority: 1, mode: 'replace' }, 'replace'],
  ])('with %j it will %s', async (options, mode) => {
    expect((await say({ text: 'Hello.', interruptible: false, ...options })).status).toBe(202);
    expect(taken).toMatchObject([{ mode, priority: options.priority, interruptible: false }]);
  });

  test.each([
    [{}, 'text', /missing/],
    [{ text: '' }, 'text', /.+/],
    [{ text: ' … ' }, 'text', /letter or digit/],
    [{ text: 'x'.repeat(1001) }, 'text', /1000/],
    [{ text: 'Hello.', priority: 0 }, 'priority', />= 1/],
    [{ text: 'Hello.', priority: 11 }, 'priority', /<= 10/],
    [{ text: 'Hello.', priority: 2.5 }, 'priority', /integer/],
    [{ text: 'Hello.', mode: 'shout' }, 'mode', /queue, replace/],
    [{ text: 'Hello.', volume: 3 }, 'volume', /not a parameter/],
  ])('%j is refused by name of the field', async (body, field, message) => {
    const response = await say(body);
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { errors: { field: string; in: string; message: string }[] };
    expect(problem.errors).toEqual([{ field, in: 'body', message: expect.stringMatching(message) }]);
    expect(taken).toEqual([]);
  });

  test('text in any script is text', async () => {
    expect((await say({ text: 'Grüezi, 您好' })).status).toBe(202);
  });

  test('is refused for a call that has ended, that never was, that no bot speaks in, and when too much waits', async () => {
    expect((await say({ text: 'Hello.' }, ended.sessionId)).status).toBe(409);
    expect((await say({ text: 'Hello.' }, '00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await say({ text: 'Hello.' }, 'no-id')).status).toBe(400);
    outcome = 'silent';
    expect((await say({ text: 'Hello.' })).status).toBe(409);
    outcome = 'full';
    const full = await say({ text: 'Hello.' });
    expect(full.status).toBe(429);
    expect(full.headers.get('retry-after')).toBe('5');
    expect(await full.json()).toMatchObject({ status: 429, title: 'Too much to say' });
  });

  test('needs a sign-in', async () => {
    expect((await say({ text: 'Hello.' }, live.sessionId, {})).status).toBe(401);
    expect(taken).toEqual([]);
  });
});
