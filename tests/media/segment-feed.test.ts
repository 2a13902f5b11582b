import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SegmentFeed } from '../../src/media/inbound/segment-feed.ts';
import type { ListenMessage } from '../../src/media/ports.ts';

let far: MessagePort;
let feed: SegmentFeed;
let now: number;
let value: number;

beforeEach(() => {
  const { port1, port2 } = new MessageChannel();
  far = port1;
  feed = new SegmentFeed();
  feed.listen(port2);
  now = 10_000;
  value = 0;
});
afterEach(() => {
  feed.close();
  far.close();
});

/** Frames whose samples all carry the number of the frame. */
function pass(ms: number): void {
  for (const end = now + ms; now < end; now += 20) feed.push(new Int16Array(160).fill(++value), now);
}

function read(port = far): ListenMessage[] {
  const messages: ListenMessage[] = [];
  for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) messages.push(got.message);
  return messages;
}

const samples = (messages: ListenMessage[]) =>
  messages.flatMap((message) => (message.type === 'audio' ? [...message.pcm] : []));

describe('speech on its way to the recogniser', () => {
  test('nothing is sent before speech; then 300 ms of pre-roll, dated, and every frame', () => {
    pass(1000);
    expect(read()).toEqual([]);
    expect(feed.speechStart(now - 100)).toBe(1);
    pass(40);
    const messages = read();
    expect(messages.map(({ type }) => type)).toEqual(['segment-start', 'audio', 'audio', 'audio']);
    expect(messages[0]!.at).toBe(11_000 - 400);
    expect(samples(messages)).toEqual(Array.from({ length: 22 * 160 }, (_, i) => 31 + Math.floor(i / 160)));
  });

  test('a segment nobody ends goes on for three seconds after speech', () => {
    pass(500);
    feed.speechStart(now - 60);
    feed.speechEnd(now);
    pass(2900);
    expect(read().some(({ type }) => type === 'segment-end')).toBe(false);
    pass(200);
    expect(read().at(-1)).toMatchObject({ type: 'segment-end', segment: 1 });
    expect(feed.speechStart(now)).toBe(2);
  });

  test('speech after a pause goes on in the same segment', () => {
    pass(500);
    feed.speechStart(now);
    feed.speechEnd(now);
    pass(2000);
    expect(feed.speechStart(now)).toBe(1);
    pass(3500);
    expect(read().filter(({ type }) => type !== 'audio')).toMatchObject([
      { type: 'segment-start' },
      { type: 'pause' },
      { type: 'resume', segment: 1 },
    ]);
  });

  test('the next segment does not repeat what the last one had', () => {
    pass(500);
    feed.speechStart(now - 60);
    pass(100);
    feed.end();
    pass(100);
    feed.speechStart(now - 20);
    const heard = samples(read());
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
    expect(heard.length).toBe(new Set(heard).size * 160);
  });

  test('a new recogniser in the middle of a segment gets it from the recent past on', () => {
    pass(1000);
    feed.speechStart(now - 60);
    const { port1, port2 } = new MessageChannel();
    feed.listen(port2);
    pass(20);
    const messages = read(port1);
    expect(messages[0]).toMatchObject({ type: 'segment-start', segment: 1 });
    expect(samples(messages).length).toBe(820 * 8);
    expect(samples(messages).at(-1)).toBe(51);
    port1.close();
  });
});
