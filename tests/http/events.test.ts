import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { bearer, event, liveSession, session, startServer, type TestServer, TOKEN, utterance } from './fixtures.ts';

let it: TestServer | undefined;
afterEach(async () => {
  await it?.close();
  it = undefined;
});

interface Received {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  data: any;
}

/** Reads a stream as an EventSource does. */
async function follow(path: string, headers: Record<string, string> = bearer) {
  const abort = new AbortController();
  const response = await fetch(`${it!.url}${path}`, { headers, signal: abort.signal });
  const events: Received[] = [];
  let text = '';
  let ended = false;
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const name = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (name && data) events.push({ event: name, data: JSON.parse(data) });
        else if (block.startsWith(':')) events.push({ event: 'comment', data: block });
      }
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  const leave = async () => {
    abort.abort();
    await done;
  };
  return { response, events, ended: () => ended, leave };
}

const streams = async () => {
  const text = await (await fetch(`${it!.url}/metrics`)).text();
  return Number(/^http_event_streams (\d+)/m.exec(text)?.[1]);
};

describe('a viewer of live events', () => {
  test('starts with the live calls, then sees what happens', async () => {
    it = await startServer();
    const call = liveSession();
    it.registry.update(call);
    const viewer = await follow('/api/v1/events');
    expect(viewer.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    await expect.poll(() => viewer.events.length).toBe(1);
    expect(viewer.events[0]).toMatchObject({ event: 'sync', data: { active: [{ sessionId: call.sessionId }] } });
    it.registry.utterance(utterance(call.sessionId, 1, { text: 'zwei\nZeilen – schön' }));
    it.registry.event(event(call.sessionId, 'dtmf', { data: { digit: '5' } }));
    it.registry.update(session({ ...call, status: 'COMPLETED', callEndTime: new Date() }));
    await expect.poll(() => viewer.events.length).toBe(4);
    expect(viewer.events.slice(1)).toMatchObject([
      { event: 'utterance', data: { sessionId: call.sessionId, utterance: { text: 'zwei\nZeilen – schön' } } },
      { event: 'event', data: { event: { type: 'dtmf', data: { digit: '5' } } } },
      { event: 'session', data: { status: 'COMPLETED', live: false } },
    ]);
    await viewer.leave();
  });

  test('of one call sees only that call; of sessions only sessions', async () => {
    it = await startServer();
    const [mine, other] = [liveSession(), liveSession()];
    it.registry.update(mine);
    it.registry.update(other);
    const one = await follow(`/api/v1/calls/${mine.sessionId}/events`);
    const sessions = await follow('/api/v1/events?types=session');
    await expect.poll(() => one.events.length + sessions.events.length).toBe(2);
    it.registry.utterance(utterance(other.sessionId, 1));
    it.registry.utterance(utterance(mine.sessionId, 1));
    it.registry.update({ ...other, status: 'COMPLETED' });
    await expect.poll(() => one.events.length + sessions.events.length).toBe(4);
    expect(one.events[1]).toMatchObject({ event: 'utterance', data: { sessionId: mine.sessionId } });
    expect(sessions.events[1]).toMatchObject({ event: 'session', data: { sessionId: other.sessionId } });
    await Promise.all([one.leave(), sessions.leave()]);
    expect((await fetch(`${it.url}/api/v1/calls/${randomUUID()}/events`, { headers: bearer })).status).toBe(404);
  });

  test('hears a heartbeat, and leaves nothing behind when it goes', async () => {
    it = await startServer({ heartbeatMs: 30 });
    const viewers = await Promise.all([follow('/api/v1/events'), follow('/api/v1/events')]);
    await expect.poll(() => viewers[0].events.some((one) => one.event === 'comment')).toBe(true);
    expect(await streams()).toBe(2);
    await Promise.all(viewers.map((viewer) => viewer.leave()));
    await expect.poll(streams).toBe(0);
  });

  test('is one of a bounded number', async () => {
    it = await startServer({ eventStreams: 1 });
    const viewer = await follow('/api/v1/events');
    const refused = await fetch(`${it.url}/api/v1/events`, { headers: bearer });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    await viewer.leave();
    await expect.poll(streams).toBe(0);
    const again = await follow('/api/v1/events');
    expect(again.response.status).toBe(200);
    await again.leave();
  });

  test('loses the stream when it signs out, and when the server closes', async () => {
    it = await startServer({ heartbeatMs: 30 });
    const signIn = await fetch(`${it.url}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: TOKEN }),
    });
    const cookie = signIn.headers.get('set-cookie')!.split(';', 1)[0]!;
    const byCookie = await follow('/api/v1/events', { cookie });
    const byToken = await follow('/api/v1/events');
    await fetch(`${it.url}/api/v1/logout`, { method: 'POST', headers: { cookie } });
    await expect.poll(byCookie.ended).toBe(true);
    expect(byToken.ended()).toBe(false);
    await it.server.close();
    await expect.poll(byToken.ended).toBe(true);
  });

  test('that reads nothing is told what it missed, or is cut off; the call is not slowed', async () => {
    it = await startServer({ heartbeatMs: 200 });
    const call = liveSession();
    it.registry.update(call);
    const { hostname, port } = new URL(it.url);
    const lazy = connect(Number(port), hostname);
    lazy.pause();
    lazy.on('error', () => undefined);
    lazy.write(`GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await expect.poll(streams).toBe(1);
    const text = 'long '.repeat(20_000);
    for (let i = 1; i <= 400; i++) it.registry.utterance(utterance(call.sessionId, i, { text }));
    await expect.poll(streams).toBe(0);
    lazy.destroy();
  });
});
