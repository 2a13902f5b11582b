import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import {
  bearer,
  event,
  liveSession,
  session,
  startServer,
  type TestServer,
  transaction,
  utterance,
} from './fixtures.ts';

let it: TestServer;
beforeEach(async () => {
  it = await startServer({ live: { hangup: async (id) => it.registry.active().some((one) => one.sessionId === id) } });
});
afterEach(() => it.close());

const get = (path: string) => fetch(`${it.url}/api/v1${path}`, { headers: bearer });

describe('an integrator lists calls', () => {
  test('page by page, the latest first, each call once', async () => {
    for (let i = 0; i < 25; i++) {
      it.archive.session(session({ callStartTime: new Date(Date.UTC(2026, 10, 1, 0, 0, i)) }));
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await (await get(`/calls?limit=10${cursor}`)).json();
      seen.push(...page.calls.map((call: { callStartTime: string }) => call.callStartTime));
      cursor = page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
    } while (cursor);
    expect(seen).toHaveLength(25);
    expect(seen).toEqual([...seen].sort().reverse());
  });

  test('by status, caller, time and words in the transcript', async () => {
    const wanted = session({
      status: 'FAILED',
      callerPhone: '+15550199',
      callStartTime: new Date('2026-11-10T12:00:00Z'),
    });
    it.archive.session(wanted);
    it.archive.utterance(utterance(wanted.sessionId, 1, { text: 'please block my card' }));
    it.archive.session(session());
    for (const query of [
      'status=FAILED',
      'caller=550199',
      'from=2026-11-10T00:00:00Z&to=2026-11-11T00:00:00Z',
      'text=block+card',
    ]) {
      const { calls } = await (await get(`/calls?${query}`)).json();
      expect(
        calls.map((call: { sessionId: string }) => call.sessionId),
        query,
      ).toEqual([wanted.sessionId]);
      expect(calls[0]).toMatchObject({ utteranceCount: 1, transactionCount: 0, hasRecording: false, live: false });
    }
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['status=RINGING', 'status'],
    ['from=yesterday', 'from'],
    ['statsu=FAILED', 'statsu'],
  ])('and is told which field is wrong: %s', async (query, field) => {
    const response = await get(`/calls?${query}`);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const problem = await response.json();
    expect(problem).toMatchObject({ status: 400, title: expect.any(String), errors: [{ field, in: 'query' }] });
    expect(problem.detail).toContain(field);
    expect(JSON.stringify(problem)).not.toContain('node_modules');
  });

  test('and a cursor that is none is a 400, an archive that is away a 503 with Retry-After, a bug a 500', async () => {
    expect((await get('/calls?cursor=nonsense')).status).toBe(400);
    it.archive.failure = new Failure('connect ECONNREFUSED secret-host', {
      code: 'store-unavailable',
      blame: 'us',
      retryable: true,
    });
    const away = await get('/calls');
    expect(away.status).toBe(503);
    expect(away.headers.get('retry-after')).toBe('5');
    expect(await away.text()).not.toContain('secret-host');
    it.archive.failure = new Failure('column "pin" does not exist', { code: 'bug', blame: 'us' });
    const bug = await get('/calls');
    expect(bug.status).toBe(500);
    expect(await bug.text()).not.toContain('pin');
  });
});

describe('an integrator reads one call', () => {
  test('with what was said and heard, the events, the transactions and the timings of each turn', async () => {
    const call = session();
    const { sessionId } = call;
    it.archive.session(call);
    it.archive.utterance(utterance(sessionId, 1));
    it.archive.utterance(
      utterance(sessionId, 2, {
        speaker: 'assistant',
        text: 'Your credit card was shipped yesterday.',
        heard: 'Your credit card',
        interrupted: true,
        source: 'scripted',
        timings: { endpointMs: 210, asrFinalMs: 240, firstPacketMs: 322, bargeInToSilenceMs: 88 },
      }),
    );
    it.archive.event(event(sessionId, 'answered'));
    it.archive.transaction(transaction(sessionId));
    const response = await get(`/calls/${sessionId}`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = await response.json();
    expect(body).toMatchObject({
      sessionId,
      callerPhone: '+15550100',
      callStartTime: '2026-11-20T09:00:00.000Z',
      callEndTime: '2026-11-20T09:01:30.000Z',
      durationMs: 90000,
      sipCallId: call.sipCallId,
      status: 'COMPLETED',
      live: false,
      archived: true,
      recording: null,
      events: [{ type: 'answered', at: '2026-11-20T09:00:01.000Z' }],
      transactions: [
        {
          customerId: '471920',
          transactionType: 'CARD_INQUIRY',
          authenticationStatus: 'VERIFIED',
          outcome: 'POSTED',
          responseData: { status: 'shipped', trackingNumber: '12345' },
        },
      ],
    });
    expect(body.utterances).toMatchObject([
      { speaker: 'caller', text: 'where is my new card', timings: null },
      { speaker: 'assistant', heard: 'Your credit card', interrupted: true },
    ]);
    expect(body.turns).toMatchObject([
      {
        turn: 1,
        callerUtteranceId: body.utterances[0].utteranceId,
        utteranceId: body.utterances[1].utteranceId,
        timings: { endpointMs: 210, firstPacketMs: 322, bargeInToSilenceMs: 88 },
      },
    ]);
    expect(body.turns[0].timings).not.toHaveProperty('firstTokenMs');
  });

  test('while it goes on, before and without the archive', async () => {
    const call = liveSession();
    it.registry.update(call);
    const first = utterance(call.sessionId, 1);
    it.registry.utterance(first);
    await expect.poll(async () => (await (await get(`/calls/${call.sessionId}`)).json()).utterances.length).toBe(1);
    it.archive.session(call);
    it.archive.utterance(first);
    it.registry.utterance(utterance(call.sessionId, 2, { text: 'hello' }));
    await expect
      .poll(async () => {
        const { utterances } = await (await get(`/calls/${call.sessionId}`)).json();
        return utterances.map((one: { text: string }) => one.text);
      })
      .toEqual(['where is my new card', 'hello']);
    it.archive.failure = new Failure('away', { code: 'store-unavailable', blame: 'network', retryable: true });
    const alone = await (await get(`/calls/${call.sessionId}`)).json();
    expect(alone).toMatchObject({ live: true, archived: false, status: 'ACTIVE', callEndTime: null });
    expect(alone.utterances).toHaveLength(2);
  });

  test.each(['/calls/42', '/calls/..%2f..%2fetc%2fpasswd', "/calls/' or 1=1 --"])('not as %s', async (path) => {
    expect((await get(path)).status).toBe(400);
  });

  test('and an unknown one is a 404', async () => {
    const response = await get(`/calls/${randomUUID()}`);
    expect(response.status).toBe(404);
    expect((await response.json()).detail).toMatch(/no call/);
  });
});

describe('staff end a live call', () => {
  const hangup = (id: string) => fetch(`${it.url}/api/v1/calls/${id}/hangup`, { method: 'POST', headers: bearer });

  test('which is accepted; one that has ended is a conflict; an unknown one is not found', async () => {
    const live = liveSession();
    const over = session();
    it.registry.update(live);
    it.archive.session(over);
    expect((await hangup(live.sessionId)).status).toBe(202);
    expect((await hangup(over.sessionId)).status).toBe(409);
    expect((await hangup(randomUUID())).status).toBe(404);
  });

  test('but not where the connector cannot', async () => {
    const without = await startServer();
    try {
      const response = await fetch(`${without.url}/api/v1/calls/${randomUUID()}/hangup`, {
        method: 'POST',
        headers: bearer,
      });
      expect(response.status).toBe(404);
    } finally {
      await without.close();
    }
  });
});
